//! Why a step did not succeed.

use api::client::ConnectError;
use api::clients::SILENCE;
use api::{ErrorKind, RemoteError};
use model::{BackupRef, TaskId};
use state_store::StateError;

use crate::config::StepLimit;
use crate::error::RunnerError;

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("{0}")]
    Remote(RemoteError),
    /// What the task has kept does not hold what the step needs.
    #[error("the task's own state is incomplete: {what}")]
    Incomplete { what: String },
    /// Nothing has been touched yet, and nothing will be.
    #[error("the plan can no longer be carried out: {why}")]
    PlanOutdated { why: String },
    #[error("the ring has changed since the backup was planned: {why}")]
    RingChanged { why: String },
    #[error("what was checked is damaged: {what}")]
    Damaged { what: String },
    #[error("backup `{backup}` was made again by task {task} after this deletion was started")]
    MadeAgain { backup: BackupRef, task: TaskId },
    #[error("the run of retention {by} has taken the place of this one")]
    Replaced { by: TaskId },
    #[error("cannot connect to `{address}`")]
    Connect {
        address: String,
        #[source]
        source: ConnectError,
    },
    #[error("the state could not be written")]
    State(#[from] StateError),
    #[error("the state could not be read")]
    Read(#[source] Box<RunnerError>),
    #[error("a fault of the runner ended the step")]
    Panicked,
    /// The step as a whole took too long.
    #[error("it was not done within {} s{}", limit.seconds, after(last))]
    OverLimit {
        limit: StepLimit,
        /// Why it was being retried; empty if it was not.
        last: String,
    },
    #[error("there was no reply within {seconds} s")]
    NoReply { seconds: u64 },
}

fn after(last: &str) -> String {
    match last {
        "" => String::new(),
        last => format!("; it was being retried because: {last}"),
    }
}

impl StepError {
    /// Whether another try can help without any change by a user.
    pub fn is_retryable(&self) -> bool {
        match self {
            // Only this runner cancels its own steps, so a call that the other side cancelled was cut short by a service that
            // is going down.
            Self::Remote(error) => error.is_retryable() || error.kind == ErrorKind::Cancelled,
            Self::State(error) => error.is_retryable(),
            Self::Read(error) => match error.as_ref() {
                RunnerError::State(error) => error.is_retryable(),
                RunnerError::Remote { error, .. } => {
                    error.is_retryable() || error.kind == ErrorKind::Cancelled
                }
                _ => false,
            },
            Self::Incomplete { .. }
            | Self::PlanOutdated { .. }
            | Self::RingChanged { .. }
            | Self::Damaged { .. }
            | Self::MadeAgain { .. }
            | Self::Replaced { .. }
            | Self::Connect { .. }
            | Self::Panicked
            | Self::OverLimit { .. }
            | Self::NoReply { .. } => false,
        }
    }

    /// Whether the other side reported nothing for too long, which may have been hours.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Remote(error) if error.reason == SILENCE)
    }

    /// Whether the other side has decided that nothing is done, as opposed to having perhaps begun.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Remote(error) => matches!(
                error.kind,
                ErrorKind::InvalidArgument
                    | ErrorKind::NotFound
                    | ErrorKind::AlreadyExists
                    | ErrorKind::FailedPrecondition
            ),
            _ => false,
        }
    }

    /// Whether the task's plan no longer fits the world, so that no resume can help.
    pub fn is_outdated(&self) -> bool {
        matches!(self, Self::PlanOutdated { .. })
    }

    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Remote(error) => return error.hint.clone(),
            Self::OverLimit { limit, .. } => {
                return Some(format!(
                    "if it needs more time, set {} in [tasks.step_limits] of the task-runner",
                    limit.setting
                ));
            }
            Self::PlanOutdated { .. } => "plan the restore again and start the new plan",
            Self::RingChanged { .. } => "wait until the ring is at rest and make a new backup",
            Self::MadeAgain { .. } => {
                "if the new one is to be deleted too, use `ringkeep backup delete`"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The error with its causes and its hint, in one line.
    pub fn text(&self) -> String {
        let chain = api::error::chain(self);
        match self.hint() {
            Some(hint) => format!("{chain} ({hint})"),
            None => chain,
        }
    }

    pub fn incomplete(what: impl Into<String>) -> Self {
        Self::Incomplete { what: what.into() }
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Remote(RemoteError::new(ErrorKind::Unavailable, "", message))
    }
}

impl From<RemoteError> for StepError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(error)
    }
}

impl From<RunnerError> for StepError {
    fn from(error: RunnerError) -> Self {
        Self::Read(Box::new(error))
    }
}
