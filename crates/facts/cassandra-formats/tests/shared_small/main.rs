//! The small components of real SSTables: each is read whole, and agrees with what others found in it.

mod chunks;
mod fixtures;
mod statistics;
