//! For tests: the conformance suite of backends, and a clock that stands still until it is moved.

mod clock;
pub mod conformance;

pub use clock::ManualClock;
