//! The engine: carries out the steps of tasks, through every restart, and knows no kind of task.
//!
//! - [`task`]: a task as it is kept: its record, its steps, and the status of each step.
//! - [`store`], [`documents`], [`claims`]: where all of that is in the state store; [`fences`] makes agents refuse a runner
//!   that has lost its task.
//! - [`kind`]: what a kind of task must bring along.
//! - [`driver`]: carries out one task while its [`lease`] lasts; [`graph`] says which steps may run, [`step`] runs one with
//!   its retries, [`limited`] keeps the limits of its task in force meanwhile.
//! - [`active`]: the tasks that are driven here now; [`recovery`] adopts those that nothing drives.
//! - [`need`]: which tasks may share a cluster; [`queue`]: whose turn it is, [`admission`] gives it.
//! - [`control`]: what users do with tasks: list, watch, cancel, resume; [`requests`] take it to a driver elsewhere.
//!
//! A change of state is written before it is acted on, and every step may run again.

mod active;
mod admission;
mod claims;
pub(crate) mod control;
mod documents;
mod driver;
mod eta;
pub(crate) mod fences;
mod graph;
mod kind;
mod leading;
mod lease;
mod limit_requests;
mod limited;
mod need;
mod queue;
mod recovery;
mod requests;
mod retry;
mod runner;
mod step;
mod step_error;
mod store;
mod task;

pub(crate) use active::View;
pub(crate) use documents::{Unreadable, decode, decode_readable, encode};
pub(crate) use graph::steps_of;
pub(crate) use kind::{
    Failure, Job, Kind, Kinds, Policy, StepTraits, Touched, Undone, check_ended,
};
pub(crate) use leading::Leading;
pub(crate) use limited::Mover;
pub(crate) use need::{Keyspaces, Need};
pub(crate) use queue::{RunningLimits, Unfinished};
pub(crate) use retry::{RetryLimits, retry};
pub(crate) use runner::{Engine, NewTask};
pub(crate) use step::{Output, StepRun, agent};
pub(crate) use step_error::StepError;
pub(crate) use store::{EndedTask, Unaccepted};
pub(crate) use store::{Kept, Stored, TaskStore};
pub(crate) use task::{Ending, LiveTask, Outcome, TaskRecord, TaskStep};
