//! For tests: the conformance suite of backends.

pub mod conformance;
