//! Why staged SSTables are not all live.

use api::clients::RESTAGE_NEEDED;
use api::{ErrorKind, ServiceError};
use model::TableRef;

use crate::error::AgentError;

/// Why staged SSTables are not all live.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("table `{table}` is not staged on this node for restore `{restore}`")]
    NotStaged { restore: String, table: TableRef },
    #[error(
        "of {expected} SSTables of table `{table}` that were staged for restore `{restore}`, {found} are there"
    )]
    StagingLost {
        restore: String,
        table: TableRef,
        expected: u64,
        found: u64,
    },
    #[error("Cassandra was to load table `{table}`, and left in staging: {}", files.join(", "))]
    Left { table: TableRef, files: Vec<String> },
    #[error(
        "Cassandra was to load table `{table}`, and these SSTables are neither whole in staging nor live, and were not found live before: {}",
        files.join(", ")
    )]
    NotTaken { table: TableRef, files: Vec<String> },
    #[error(
        "table `{table}` has {on_disk} SSTables in its folders, and Cassandra counts {counted}"
    )]
    Miscounted {
        table: TableRef,
        on_disk: u64,
        counted: u64,
    },
}

impl<E: Into<AgentError>> From<E> for LoadError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for LoadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::NotStaged { .. } => ErrorKind::FailedPrecondition,
            Self::StagingLost { .. } => ErrorKind::DataLoss,
            Self::Left { .. } | Self::NotTaken { .. } | Self::Miscounted { .. } => {
                ErrorKind::Internal
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::NotStaged { .. } => "NOT_STAGED",
            Self::StagingLost { .. } | Self::NotTaken { .. } => RESTAGE_NEEDED,
            Self::Left { .. } | Self::Miscounted { .. } => "LOAD_INCOMPLETE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::NotStaged { .. } => Some("stage the restore again on this node".to_owned()),
            Self::StagingLost { .. } | Self::NotTaken { .. } => Some(
                "resume the restore with `ringkeep task resume`: it stages them again and loads them; if they are lost again, Cassandra's system.log says why"
                    .to_owned(),
            ),
            Self::Left { .. } | Self::Miscounted { .. } => Some(
                "Cassandra's system.log says why: most often the schema differs, or the files are not Cassandra's to move"
                    .to_owned(),
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
