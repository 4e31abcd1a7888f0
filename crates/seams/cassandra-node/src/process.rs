//! The port through which Cassandra's process is started and stopped.

pub mod commands;
pub mod unit;

use std::fmt;

use async_trait::async_trait;

use crate::error::{ErrorKind, NodeError};
use crate::files::FileError;

/// What is done to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Starts it.
    Start,
    /// Stops it.
    Stop,
}

impl Action {
    /// What Cassandra is afterwards, in one word.
    pub fn result(self) -> &'static str {
        match self {
            Self::Start => "up",
            Self::Stop => "down",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
        })
    }
}

/// Why the process was not started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The settings name no means for it.
    #[error("there is no command to {action} Cassandra")]
    Unsupported {
        /// What was asked for.
        action: Action,
    },
    /// The means failed.
    #[error("could not {action} Cassandra: {why}")]
    Failed {
        /// What was asked for.
        action: Action,
        /// In the words of the adapter.
        why: String,
        /// What the operator can do with this adapter.
        hint: &'static str,
    },
    /// The file for the output cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl NodeError for ProcessError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } => ErrorKind::FailedPrecondition,
            Self::Failed { .. } => ErrorKind::Internal,
            Self::File(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "CANNOT_RESTART",
            Self::Failed { .. } => "COMMAND_FAILED",
            Self::File(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported { .. } => Some(
                "set stop_command and start_command in [cassandra], or restore online".to_owned(),
            ),
            Self::Failed { hint, .. } => Some((*hint).to_owned()),
            Self::File(error) => error.hint(),
        }
    }
}

/// Starts and stops the process of one node.
#[async_trait]
pub trait CassandraProcess: Send + Sync {
    /// Whether there are means for it.
    fn supports(&self, action: Action) -> bool;

    /// Begins it, and returns before it is done. A success is no evidence that Cassandra is up or down: callers check that
    /// themselves. What was started outlives the attempt and this program.
    async fn begin(&self, action: Action) -> Result<Box<dyn Attempt>, ProcessError>;
}

/// A start or stop that has begun.
#[async_trait]
pub trait Attempt: Send {
    /// Why it has failed, if that is known by now. One that runs as long as Cassandra does has not failed.
    async fn failure(&mut self) -> Option<ProcessError>;
}
