//! Why staged SSTables are not all live.

use api::{ErrorKind, ServiceError};
use model::TableRef;

use crate::control::ControlError;
use crate::cql::CqlError;
use crate::files::FileError;
use crate::folders::FolderError;
use crate::journal::JournalError;
use crate::names::PathNameError;
use crate::work::Stopped;

/// Why staged SSTables are not all live.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Name(#[from] PathNameError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Cql(#[from] CqlError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
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
    #[error("Cassandra was told to load table `{table}`, and left in staging: {}", files.join(", "))]
    Left { table: TableRef, files: Vec<String> },
    #[error(
        "Cassandra was told to load table `{table}`, and these SSTables are neither in staging nor live: {}",
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

impl ServiceError for LoadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(error) => error.kind(),
            Self::Folder(error) => error.kind(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.kind(),
            Self::Journal(JournalError::Damaged { .. }) => ErrorKind::Internal,
            Self::Cql(error) => error.kind(),
            Self::Control(error) => error.kind(),
            Self::Stopped(_) => ErrorKind::Cancelled,
            Self::NotStaged { .. } => ErrorKind::FailedPrecondition,
            Self::StagingLost { .. } => ErrorKind::DataLoss,
            Self::Left { .. } | Self::NotTaken { .. } | Self::Miscounted { .. } => {
                ErrorKind::Internal
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Name(error) => error.reason(),
            Self::Folder(error) => error.reason(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.reason(),
            Self::Journal(JournalError::Damaged { .. }) => "JOURNAL_DAMAGED",
            Self::Cql(error) => error.reason(),
            Self::Control(error) => error.reason(),
            Self::Stopped(_) => "STOPPED",
            Self::NotStaged { .. } => "NOT_STAGED",
            Self::StagingLost { .. } => "STAGING_LOST",
            Self::Left { .. } | Self::NotTaken { .. } | Self::Miscounted { .. } => {
                "LOAD_INCOMPLETE"
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Folder(error) => error.hint(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.hint(),
            Self::Cql(error) => error.hint(),
            Self::Control(error) => error.hint(),
            Self::NotStaged { .. } | Self::StagingLost { .. } => {
                Some("stage the restore again on this node".to_owned())
            }
            Self::Left { .. } | Self::NotTaken { .. } | Self::Miscounted { .. } => Some(
                "Cassandra's system.log says why: most often the schema differs, or the files are not Cassandra's to move"
                    .to_owned(),
            ),
            Self::Name(_) | Self::Journal(JournalError::Damaged { .. }) | Self::Stopped(_) => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Name(error) => error.field(),
            _ => None,
        }
    }
}
