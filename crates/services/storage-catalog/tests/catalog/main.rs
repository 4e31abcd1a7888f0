//! The catalog over the wire: an in-memory connection to the service, on stores that tests can look into.

mod begin;
mod commit;
mod copied;
mod decided;
mod delete;
mod facts;
mod fixtures;
mod garbage;
mod interleaved;
mod kill;
mod late;
mod list;
mod packs;
mod pins;
mod races;
mod recall;
mod samples;
mod sstables;
mod two_catalogs;
mod verifications;
mod verify;
mod verify_limits;
mod world;
mod write_once;
