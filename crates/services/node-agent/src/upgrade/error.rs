//! Why SSTables are not all rewritten.

use api::{ErrorKind, ServiceError};
use model::TableRef;

use crate::error::AgentError;

/// Why SSTables are not all rewritten.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(
        "Cassandra was to rewrite {older} SSTables of table `{table}`, reported success, and left {left} of them in the format {formats}"
    )]
    Left {
        table: TableRef,
        left: usize,
        older: usize,
        formats: String,
        /// Whether the command was to rewrite all.
        all: bool,
    },
}

impl<E: Into<AgentError>> From<E> for UpgradeError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for UpgradeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Left { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Left { .. } => "UPGRADE_INCOMPLETE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Left { table, all, .. } => Some(format!(
                "the data is served as it is; Cassandra's system.log says why they were left. Resume the task with `ringkeep task resume`, which rewrites them again; by hand: `nodetool upgradesstables{} -- {} {}` on this node",
                if *all { " -a" } else { "" },
                table.keyspace,
                table.table
            )),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::Left { .. } => None,
        }
    }
}
