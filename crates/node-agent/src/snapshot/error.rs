//! Why there is no snapshot to rely on.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use model::TableRef;

use crate::control::ControlError;
use crate::cql::CqlError;
use crate::files::FileError;
use crate::journal::JournalError;
use crate::names::PathNameError;
use crate::tables::SelectionError;

/// Why there is no snapshot to rely on.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Name(#[from] PathNameError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Cql(#[from] CqlError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("snapshot `{tag}` has no folder for table `{table}`, whatever nodetool said")]
    NoFolder { tag: String, table: TableRef },
    #[error("snapshot `{tag}` of table `{table}` has no manifest that can be read in `{}`: {why}", folder.display())]
    Manifest {
        tag: String,
        table: TableRef,
        folder: PathBuf,
        why: String,
    },
    #[error("snapshot `{tag}` of table `{table}` lacks {}, of an SSTable in it", missing.join(", "))]
    Incomplete {
        tag: String,
        table: TableRef,
        /// File names.
        missing: Vec<String>,
    },
    #[error("snapshot `{tag}` holds nothing of table `{table}`, which has data on this node")]
    Empty { tag: String, table: TableRef },
}

impl SnapshotError {
    /// Whether taking it anew at once may help: a table may have been dropped or made meanwhile, and the next try sees
    /// the schema as it is then.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. } => true,
            Self::Name(_)
            | Self::Selection(_)
            | Self::Cql(_)
            | Self::Control(_)
            | Self::File(_)
            | Self::Journal(_) => false,
        }
    }
}

impl ServiceError for SnapshotError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(error) => error.kind(),
            Self::Selection(_) => ErrorKind::NotFound,
            Self::Cql(error) => error.kind(),
            Self::Control(error) => error.kind(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.kind(),
            Self::Journal(JournalError::Damaged { .. }) => ErrorKind::Internal,
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. } => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Name(error) => error.reason(),
            Self::Selection(_) => "TABLE_NOT_FOUND",
            Self::Cql(error) => error.reason(),
            Self::Control(error) => error.reason(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.reason(),
            Self::Journal(JournalError::Damaged { .. }) => "JOURNAL_DAMAGED",
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. } => "SNAPSHOT_INCOMPLETE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => None,
            Self::Selection(_) => Some("keyspaces and tables are case-sensitive here, and written without quotes".into()),
            Self::Cql(error) => error.hint(),
            Self::Control(error) => error.hint(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.hint(),
            Self::Journal(JournalError::Damaged { path, .. }) => Some(format!("delete `{}`", path.display())),
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. } => Some(
                "check that data_file_directories in the agent's cassandra.yaml are the node's own, and Cassandra's system.log".into(),
            ),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Name(error) => error.field(),
            _ => None,
        }
    }
}
