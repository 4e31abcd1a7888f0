//! Why tables are not swapped.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::lifecycle::LifecycleError;
use model::TableRef;

use crate::error::{AgentError, wire_kind};

/// Why tables are not swapped.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Running(#[from] LifecycleError),
    #[error("table `{table}` is not staged on this node for restore `{restore}`")]
    NotStaged { restore: String, table: TableRef },
    #[error(
        "what was staged of table `{table}` for restore `{restore}` is no longer there: {what}; no live file was moved by this call"
    )]
    StagingLost {
        restore: String,
        table: TableRef,
        what: String,
    },
    #[error("restore `{restore}` is rolled back on this node, wholly or in part")]
    RolledBack { restore: String },
    #[error("restore `{restore}` has nothing on this node that could be swapped back")]
    NothingKept { restore: String },
    #[error(
        "of the old files of table `{table}` that restore `{restore}` has put aside, {found} are there and {expected} should be; no file was moved by this call"
    )]
    OldFilesLost {
        restore: String,
        table: TableRef,
        expected: u64,
        found: u64,
    },
    #[error("`{}` is there already, and would be overwritten", path.display())]
    Occupied { path: PathBuf },
    #[error(
        "after the swap table `{table}` has {found} SSTables, where {expected} were staged for restore `{restore}`"
    )]
    Miscounted {
        restore: String,
        table: TableRef,
        expected: u64,
        found: u64,
    },
}

impl<E: Into<AgentError>> From<E> for SwapError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for SwapError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Running(error) => wire_kind(error),
            Self::NotStaged { .. } | Self::RolledBack { .. } | Self::NothingKept { .. } => {
                ErrorKind::FailedPrecondition
            }
            Self::OldFilesLost { .. } | Self::StagingLost { .. } | Self::Miscounted { .. } => {
                ErrorKind::DataLoss
            }
            Self::Occupied { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Running(error) => error.reason(),
            Self::NotStaged { .. } => "NOT_STAGED",
            Self::RolledBack { .. } => "ROLLED_BACK",
            Self::NothingKept { .. } => "NOTHING_KEPT",
            Self::OldFilesLost { .. } => "OLD_FILES_LOST",
            Self::StagingLost { .. } => "STAGING_LOST",
            Self::Occupied { .. } => "FILE_IN_THE_WAY",
            Self::Miscounted { .. } => "SWAP_INCOMPLETE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Running(error) => error.hint(),
            Self::NotStaged { .. } => Some("stage the restore on this node first".to_owned()),
            Self::RolledBack { .. } => {
                Some("end the rollback with its own task, then plan the restore again".to_owned())
            }
            Self::NothingKept { .. } => Some(
                "the restore was accepted, or has replaced nothing here; start Cassandra on the nodes that are down".to_owned(),
            ),
            Self::OldFilesLost { .. } => Some(
                "put them back and resume the task; or start Cassandra on the restored files".to_owned(),
            ),
            Self::StagingLost { .. } => Some(
                "put the staged files back and resume the task; or, if no table of this restore was swapped on any node, start Cassandra and plan the restore again".to_owned(),
            ),
            Self::Occupied { .. } | Self::Miscounted { .. } => Some(
                "something else has changed the table's folder; keep Cassandra down and compare it with the staging folder".to_owned(),
            ),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            _ => None,
        }
    }
}
