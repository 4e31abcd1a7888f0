//! Which backups a retention policy keeps, which may go, and why.
//!
//! Pure functions over a list of backups: they delete nothing. [`decide`] gives every backup a [`Verdict`] with its reasons.
//! What is not understood is kept. [`Policies::decide`] does the same for all policies of a cluster, and is what must be applied:
//! it measures ages so that a wrong clock never lets more go.

#![warn(missing_docs)]

mod backup;
mod decide;
mod period;
mod policies;
mod policy;
mod standing;
mod state;

pub use backup::{Backup, Pin, Standing};
pub use decide::{Decided, Gone, KeepReason, Verdict, decide};
pub use period::Period;
pub use policies::{Policies, Ruled};
pub use policy::{FAILED_DAYS_DEFAULT, FLOOR_DEFAULT, Policy, PolicyError};
pub use standing::standings;
pub use state::{PastRun, PolicyState, ShownVerdict};
