//! Why there is no snapshot to rely on.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use cassandra_node::control::ControlError;
use model::TableRef;

use crate::error::AgentError;
use crate::journal::JournalError;

/// Why there is no snapshot to rely on.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("snapshot `{tag}` has no folder for table `{table}`, whatever Cassandra reported")]
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
    #[error(
        "table `{table}` has SSTables with names of a release before 2.2, which are not backed up: {}",
        files.join(", ")
    )]
    OldNames {
        table: TableRef,
        /// Data components.
        files: Vec<String>,
    },
    #[error("snapshot `{tag}` holds nothing of table `{table}`, which has data on this node")]
    Empty { tag: String, table: TableRef },
}

impl SnapshotError {
    /// Whether taking it again at once may help: a table may have been dropped or created meanwhile, and the next try sees
    /// the schema as it is then. A snapshot of this tag that appeared meanwhile was taken for an agent that was killed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. }
            | Self::Agent(AgentError::Control(ControlError::SnapshotExists { .. })) => true,
            Self::Agent(_) | Self::OldNames { .. } => false,
        }
    }
}

impl<E: Into<AgentError>> From<E> for SnapshotError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for SnapshotError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::OldNames { .. }
            | Self::Empty { .. } => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::OldNames { .. } => "SSTABLES_TOO_OLD",
            Self::NoFolder { .. }
            | Self::Manifest { .. }
            | Self::Incomplete { .. }
            | Self::Empty { .. } => "SNAPSHOT_INCOMPLETE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            // Without it the snapshot is taken again.
            Self::Agent(AgentError::Journal(JournalError::Damaged { path, .. })) => {
                Some(format!("delete `{}`", path.display()))
            }
            Self::Agent(error) => error.hint(),
            Self::OldNames { table, .. } => Some(format!(
                "rewrite them with `nodetool upgradesstables -a {} {}` on this node, and make the backup again",
                table.keyspace, table.table
            )),
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
            Self::Agent(error) => error.field(),
            _ => None,
        }
    }
}
