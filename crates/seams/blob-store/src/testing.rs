//! The conformance suite, and stores with faults for tests: failing requests, dying processes, refused deletions.

pub mod conformance;
mod faulty;
mod memory;
mod write_once;

pub use faulty::{Fault, Faulty};
pub use memory::Memory;
pub use write_once::WriteOnce;
