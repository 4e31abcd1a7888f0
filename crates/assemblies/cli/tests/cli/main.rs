//! The command line as users and scripts see it: every word and every key, against services that are played.

mod backup;
mod cluster;
mod compat;
mod exits;
mod fake;
mod gc;
mod help;
mod leftovers;
mod maintenance;
mod restore;
mod retention;
mod run;
mod samples;
mod schedule;
mod sstable;
mod status;
mod task;
