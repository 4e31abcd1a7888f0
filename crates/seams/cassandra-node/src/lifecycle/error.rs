//! Why Cassandra is not as it was asked to be.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};

use crate::control::ControlError;
use crate::error::AgentError;

/// Why Cassandra is not as it was asked to be.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("this agent has no command to {what} Cassandra")]
    NotConfigured { what: &'static str },
    #[error("the command to {what} Cassandra failed: {why}")]
    Command { what: &'static str, why: String },
    #[error("Cassandra is still up: {how}")]
    Running { how: String },
    #[error("whether Cassandra is down cannot be told")]
    Unknown(#[source] ControlError),
    #[error("Cassandra did not {what} within {seconds} s: {why}")]
    Timeout {
        what: &'static str,
        seconds: u64,
        why: String,
    },
    #[error(
        "Cassandra was found down without having been drained, and draining it has failed; what is in its commit log `{}` would be replayed over restored files",
        commit_log.display()
    )]
    NotDrained {
        commit_log: PathBuf,
        source: Box<RestartError>,
    },
}

impl<E: Into<AgentError>> From<E> for RestartError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for RestartError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotConfigured { .. } | Self::Running { .. } | Self::NotDrained { .. } => {
                ErrorKind::FailedPrecondition
            }
            Self::Agent(error) => error.kind(),
            Self::Unknown(error) => error.kind(),
            Self::Command { .. } => ErrorKind::Internal,
            Self::Timeout { .. } => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotConfigured { .. } => "CANNOT_RESTART",
            Self::Agent(error) => error.reason(),
            Self::Unknown(error) => error.reason(),
            Self::Command { .. } => "COMMAND_FAILED",
            Self::Running { .. } => "CASSANDRA_RUNNING",
            Self::Timeout { .. } => "RESTART_TIMEOUT",
            Self::NotDrained { .. } => "NOT_DRAINED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotConfigured { .. } => Some(
                "set stop_command and start_command in [cassandra], or restore online".to_owned(),
            ),
            Self::Agent(error) => error.hint(),
            Self::Unknown(error) => error.hint(),
            Self::Command { .. } => Some("run the command by hand as the agent's user".to_owned()),
            Self::Running { .. } => Some("stop Cassandra first".to_owned()),
            Self::Timeout { .. } => Some("Cassandra's system.log says what it is doing".to_owned()),
            Self::NotDrained { commit_log, .. } => Some(format!(
                "start Cassandra by hand and resume the task, which drains it; or move the files out of `{}`, keep the folder, and resume: writes that are in no SSTable are lost with them, in every table",
                commit_log.display()
            )),
        }
    }
}
