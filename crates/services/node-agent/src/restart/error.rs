//! Why Cassandra is not stopped.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::lifecycle::LifecycleError;
use cassandra_node::process::ProcessError;

use crate::error::{AgentError, wire_kind};

/// Why Cassandra is not stopped.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    #[error("Cassandra serves clients again, although they were cut off before it is stopped")]
    NotQuiet,
    #[error(
        "Cassandra is down and was not drained; its commit log `{}` may hold writes to tables of the restore, which would be replayed over the files that go live next",
        commit_log.display()
    )]
    NotDrained { commit_log: PathBuf },
}

impl<E: Into<AgentError>> From<E> for RestartError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl From<ProcessError> for RestartError {
    fn from(error: ProcessError) -> Self {
        Self::Lifecycle(error.into())
    }
}

impl ServiceError for RestartError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Lifecycle(error) => wire_kind(error),
            Self::NotQuiet | Self::NotDrained { .. } => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Lifecycle(error) => error.reason(),
            Self::NotQuiet => "NODE_NOT_QUIET",
            Self::NotDrained { .. } => "NOT_DRAINED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Lifecycle(error) => error.hint(),
            Self::NotQuiet => Some(
                "it was restarted since, or somebody has run `nodetool enablebinary`; resume the task, which cuts clients off again".to_owned(),
            ),
            Self::NotDrained { commit_log } => Some(format!(
                "start Cassandra and resume the task, which cuts clients off again and drains it; if it does not start, move the files out of `{}`, keep the folder, and resume: writes that are in no SSTable are lost with them, in every table",
                commit_log.display()
            )),
        }
    }
}
