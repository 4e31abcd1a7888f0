//! Why Cassandra is not up or down as it should be.

use crate::control::ControlError;
use crate::error::{ErrorKind, NodeError};
use crate::process::{Action, ProcessError};

/// Why Cassandra is not up or down as it should be.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// Starting or stopping has failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Clients could not be let in again.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It is up, and must be down.
    #[error("Cassandra is still up: {how}")]
    Running {
        /// How that is known.
        how: String,
    },
    /// Nothing listens, but its control failed in another way than by being unreachable.
    #[error("whether Cassandra is down cannot be determined")]
    Unknown(#[source] ControlError),
    /// It is not as the action makes it.
    #[error("Cassandra did not {action} within {seconds} s: {why}")]
    Timeout {
        /// What was done.
        action: Action,
        /// The limit.
        seconds: u64,
        /// What was still missing.
        why: String,
    },
}

impl NodeError for LifecycleError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Process(error) => error.kind(),
            Self::Control(error) => error.kind(),
            Self::Running { .. } => ErrorKind::FailedPrecondition,
            Self::Unknown(error) => error.kind(),
            Self::Timeout { .. } => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Process(error) => error.reason(),
            Self::Control(error) => error.reason(),
            Self::Running { .. } => "CASSANDRA_RUNNING",
            Self::Unknown(error) => error.reason(),
            Self::Timeout { .. } => "RESTART_TIMEOUT",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Process(error) => error.hint(),
            Self::Control(error) => error.hint(),
            Self::Running { .. } => Some("stop Cassandra first".to_owned()),
            Self::Unknown(error) => error.hint(),
            Self::Timeout { .. } => {
                Some("Cassandra's system.log shows what it is doing".to_owned())
            }
        }
    }
}
