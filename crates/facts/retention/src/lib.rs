//! Which backups a retention policy keeps, which may go, and why.
//!
//! Pure functions over a list of backups: they delete nothing. [`decide`] gives every backup a [`Verdict`] with its reasons.
//! What is not understood is kept.

#![warn(missing_docs)]

mod backup;
mod decide;
mod period;
mod policy;

pub use backup::{Backup, Pin, Standing};
pub use decide::{Decided, Gone, KeepReason, Verdict, decide};
pub use period::Period;
pub use policy::{FLOOR_DEFAULT, Policy, PolicyError};
