//! The conformance suite, and stores that fail, forget or refuse as tests need it.

pub mod conformance;
mod faulty;
mod memory;
mod write_once;

pub use faulty::{Fault, Faulty};
pub use memory::Memory;
pub use write_once::WriteOnce;
