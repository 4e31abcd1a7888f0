//! The conformance suite, and stores with faults for tests: failing requests, dying processes, refused deletions.

pub mod conformance;
mod copying;
mod faulty;
mod gate;
mod memory;
mod read_twice;
mod write_once;

pub use faulty::{Fault, Faulty};
pub use gate::{Gate, Stop};
pub use memory::Memory;
pub use write_once::WriteOnce;
