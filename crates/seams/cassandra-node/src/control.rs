//! The port through which a node is told what to do, other than by CQL.
//!
//! Today's adapter calls nodetool; a management API fits behind the same words. Every call is safe to repeat. An answer
//! without an error says that Cassandra took the order, never that it did what was meant: callers look for themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use async_trait::async_trait;
use model::TableRef;

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    #[error("could not run `{program}`: {why}")]
    Program { program: String, why: String },
    /// Nobody listens where Cassandra's management would.
    #[error("`{command}` found no Cassandra to talk to: {said}")]
    Down { command: String, said: String },
    #[error("`{command}` failed with {status}: {said}")]
    Failed {
        command: String,
        status: String,
        /// Its last words.
        said: String,
    },
    #[error(
        "a snapshot `{tag}` appeared while it was being taken: a command of an agent that was killed may still be running"
    )]
    SnapshotExists { tag: String },
    #[error("`{command}` took longer than {seconds} s")]
    Timeout { command: String, seconds: u64 },
}

impl ServiceError for ControlError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Program { .. } => ErrorKind::FailedPrecondition,
            Self::Down { .. } | Self::SnapshotExists { .. } | Self::Timeout { .. } => {
                ErrorKind::Unavailable
            }
            Self::Failed { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Program { .. } => "NODETOOL_MISSING",
            Self::Down { .. } => "CASSANDRA_DOWN",
            Self::SnapshotExists { .. } => "SNAPSHOT_EXISTS",
            Self::Timeout { .. } => "NODETOOL_TIMEOUT",
            Self::Failed { .. } => "NODETOOL_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Program { .. } => "set `nodetool` in [cassandra] to its full path".to_owned(),
            Self::Down { .. } => {
                "start Cassandra, or set host and port of JMX in `nodetool` of [cassandra]"
                    .to_owned()
            }
            Self::SnapshotExists { .. } => {
                "wait until no `nodetool snapshot` runs on the node".to_owned()
            }
            Self::Timeout { .. } => {
                "look at Cassandra's log, or raise nodetool_timeout_seconds".to_owned()
            }
            Self::Failed { .. } => "Cassandra's system.log has the whole story".to_owned(),
        })
    }
}

/// What to snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotScope {
    Keyspaces(Vec<String>),
    Tables(Vec<TableRef>),
}

#[async_trait]
pub trait CassandraControl: Send + Sync {
    /// What the node says it is doing: `NORMAL`, `JOINING`, `DRAINED`…
    async fn mode(&self) -> Result<String, ControlError>;

    /// Flushes and hard-links. Fails with [`ControlError::SnapshotExists`] if the tag exists.
    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError>;

    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError>;

    /// Loads the SSTables of folders that are named as a table's folder is; they are moved out of them. With `check_tokens`
    /// a folder is refused that holds a partition which the node does not own.
    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError>;

    /// Loads new SSTables that lie in a table's live folder.
    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError>;

    /// Which of the tables have been told not to compact by themselves; none where this release cannot tell.
    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError>;

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError>;

    /// How many live SSTables the node counts for each of the tables, those of their indexes not included.
    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError>;

    /// Flushes everything and takes no more writes.
    async fn drain(&self) -> Result<(), ControlError>;

    /// Rewrites SSTables of older formats; ends when that is done.
    async fn upgrade_sstables(&self, table: &TableRef) -> Result<(), ControlError>;
}
