//! Laws of the mapping over random rings, against a plain model of writes and reads.
//!
//! `PROPTEST_CASES=2000 cargo test -p placement --test laws` tries more cases.

mod case;
mod cluster;
mod identity;
mod kept;
mod quorum;
mod shape;
mod spread;
