//! Tries of real SSTables and made ones, read, checked, written, copied and damaged.

mod copies;
mod damage;
mod fixtures;
mod real;
mod round_trips;
