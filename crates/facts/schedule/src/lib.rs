//! When scheduled backups run, of which kind and under which name.
//!
//! Pure functions over time: they read no clock and keep no state. A caller keeps the [`Progress`] of each schedule, calls
//! [`decide`] with the time, and carries out what it returns. Calling it again with the same arguments returns the same
//! decisions, with the same names of backups, so that a caller that dies in between starts nothing twice.

#![warn(missing_docs)]

mod cron;
mod decide;
mod full;
mod name;
mod objective;
mod policy;
mod state;
mod window;

pub use cron::{Cron, CronError};
pub use decide::{Active, Decided, Decision, Progress, SKIPPED_MAX, SkipReason, decide};
pub use full::{FullOn, FullOnError};
pub use name::{SCHEDULE_NAME_LEN_MAX, ScheduleName, ScheduleNameError};
pub use objective::{Objective, RecoveryPoint, derive_cron};
pub use policy::{Kinds, Overlap, Pause, Run, Schedule};
pub use state::{Alarms, PastRun, RunOutcome, ScheduleState};
pub use window::{Window, WindowError};
