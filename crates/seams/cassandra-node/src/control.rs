//! The port through which the running node is controlled, other than by CQL.
//!
//! The adapters here are [`jmx`] and [`nodetool`], and [`preferred`], which uses the second for what the first cannot do.
//! Jolokia or a management API fit behind the same calls. Every call is safe to
//! repeat. A success says that Cassandra accepted the call, never that it did what was meant: callers check that themselves.

mod gossip_text;
mod hints;
pub mod jmx;
mod maintenance;
pub mod nodetool;
pub mod preferred;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use async_trait::async_trait;
use model::TableRef;

use crate::error::{ErrorKind, NodeError};

pub use maintenance::Maintenance;

/// Why a call failed. `operation` is the call in the words of the adapter, for example a command line without its secrets;
/// `hint` is what the operator can do with this adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The adapter itself does not work on this host, for example because its program is missing.
    #[error("cannot control Cassandra: {why}")]
    Unusable {
        /// What is missing.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// Nothing listens where Cassandra's management would.
    #[error("`{operation}` could not reach Cassandra: {why}")]
    Unreachable {
        /// See [`ControlError`].
        operation: String,
        /// The failure of the connection.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// The connection failed, although Cassandra may well run.
    #[error("`{operation}` lost the connection: {why}")]
    Broken {
        /// See [`ControlError`].
        operation: String,
        /// The failure of the connection.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// Cassandra was reached, and its management refused the login. This may pass: a login may need other nodes.
    #[error("`{operation}` could not log in: {why}")]
    Login {
        /// See [`ControlError`].
        operation: String,
        /// The last lines of the output.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// Cassandra was reached, and refused or failed.
    #[error("`{operation}` failed with {why}")]
    Failed {
        /// See [`ControlError`].
        operation: String,
        /// The status, and the last lines of the output.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// This adapter, or this release of Cassandra, has no such call.
    #[error("`{operation}` is not supported: {why}")]
    Unsupported {
        /// See [`ControlError`].
        operation: String,
        /// What lacks it.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// A snapshot of this name exists.
    #[error(
        "a snapshot `{tag}` appeared while it was being taken: a command of an agent that was killed may still be running"
    )]
    SnapshotExists {
        /// The snapshot's name.
        tag: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// Cassandra is still at work on the same or on another call that excludes this one.
    #[error("`{operation}` has to wait: {why}")]
    Busy {
        /// See [`ControlError`].
        operation: String,
        /// What Cassandra reports.
        why: String,
        /// See [`ControlError`].
        hint: &'static str,
    },
    /// Cassandra may still be at work on the call.
    #[error("`{operation}` took longer than {seconds} s")]
    Timeout {
        /// See [`ControlError`].
        operation: String,
        /// The limit.
        seconds: u64,
        /// See [`ControlError`].
        hint: &'static str,
    },
}

impl NodeError for ControlError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unusable { .. } | Self::Unsupported { .. } => ErrorKind::FailedPrecondition,
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::Login { .. }
            | Self::SnapshotExists { .. }
            | Self::Busy { .. }
            | Self::Timeout { .. } => ErrorKind::Unavailable,
            Self::Failed { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "CONTROL_UNUSABLE",
            Self::Unreachable { .. } => "CASSANDRA_DOWN",
            Self::Broken { .. } => "CONTROL_BROKEN",
            Self::Login { .. } => "CONTROL_LOGIN",
            Self::Failed { .. } => "CONTROL_FAILED",
            Self::Unsupported { .. } => "CONTROL_UNSUPPORTED",
            Self::SnapshotExists { .. } => "SNAPSHOT_EXISTS",
            Self::Busy { .. } => "CASSANDRA_BUSY",
            Self::Timeout { .. } => "CONTROL_TIMEOUT",
        }
    }

    fn hint(&self) -> Option<String> {
        let (Self::Unusable { hint, .. }
        | Self::Unreachable { hint, .. }
        | Self::Broken { hint, .. }
        | Self::Login { hint, .. }
        | Self::Failed { hint, .. }
        | Self::Unsupported { hint, .. }
        | Self::SnapshotExists { hint, .. }
        | Self::Busy { hint, .. }
        | Self::Timeout { hint, .. }) = self;
        Some((*hint).to_owned())
    }
}

/// What to snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotScope {
    /// All tables of these keyspaces.
    Keyspaces(Vec<String>),
    /// These tables.
    Tables(Vec<TableRef>),
}

/// Something that Cassandra is at in the background: a compaction, an upgrade of SSTables, the building of a view or index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// In Cassandra's words, for example `Upgrade sstables`.
    pub kind: String,
    /// The table; of a view its base table.
    pub table: TableRef,
    /// How much is done, in `unit`.
    pub done: u64,
    /// How much there is, in `unit`.
    pub total: u64,
    /// `bytes`, `keys` or another word of Cassandra's.
    pub unit: String,
}

/// A protocol by which clients reach Cassandra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientProtocol {
    /// CQL, which the agent uses itself.
    Native,
    /// The protocol before CQL, which 4.0 no longer has.
    Thrift,
}

/// The nodes of a ring that are not up, or not in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Taken for down.
    pub down: BTreeSet<IpAddr>,
    /// Joining, leaving or moving, up or down, each with what it does. Ranges change hands until they are done.
    pub changing: BTreeMap<IpAddr, &'static str>,
}

/// Controls one node.
#[async_trait]
pub trait CassandraControl: Send + Sync {
    /// What the node reports that it is doing: `NORMAL`, `JOINING`, `DRAINED`…
    async fn mode(&self) -> Result<String, ControlError>;

    /// The id by which the ring knows the node that this controls.
    async fn host_id(&self) -> Result<String, ControlError>;
    /// The addresses of all nodes that gossip knows, up or down.
    async fn gossip_addresses(&self) -> Result<BTreeSet<IpAddr>, ControlError>;

    /// Flushes and hard-links. Fails with [`ControlError::SnapshotExists`] if the tag exists.
    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError>;

    /// Deletes a snapshot; succeeds if there is none.
    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError>;

    /// Loads the SSTables of folders that are named as a table's folder is; they are moved out of them. With `check_tokens`
    /// a folder is refused that holds a partition which the node does not own.
    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError>;

    /// Loads new SSTables that are in a table's live folder.
    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError>;

    /// For which of the tables automatic compaction is off; none if this release does not report it.
    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError>;

    /// Turns automatic compaction on or off.
    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError>;

    /// What the node is at in the background.
    async fn operations(&self) -> Result<Vec<Operation>, ControlError>;

    /// How many live SSTables the node counts for each of the tables, those of their indexes not included.
    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError>;

    /// Flushes everything and takes no more writes.
    async fn drain(&self) -> Result<(), ControlError>;

    /// Whether clients are served by a protocol; they are not by one that the release does not have.
    async fn serves_clients(&self, protocol: ClientProtocol) -> Result<bool, ControlError>;

    /// Begins or ends serving clients by a protocol; ending closes their connections. Cassandra serves them again by its
    /// own settings when it starts.
    async fn set_clients(&self, protocol: ClientProtocol, served: bool)
    -> Result<(), ControlError>;

    /// Rewrites SSTables of older formats; ends when that is done. A file that is the latest version of its own format is
    /// left as it is, also if the node writes another format, unless `all` are rewritten.
    async fn upgrade_sstables(&self, table: &TableRef, all: bool) -> Result<(), ControlError>;

    /// Runs a maintenance command; ends when Cassandra is done with it, however long that takes. An adapter that has none of
    /// them fails with [`ControlError::Unsupported`].
    async fn maintain(&self, operation: &Maintenance) -> Result<(), ControlError>;

    /// The nodes that this one takes for down, and those that join, leave or move.
    async fn unsettled(&self) -> Result<Unsettled, ControlError>;
}

/// The tables of each keyspace: operations take those of one.
fn tables_by_keyspace(tables: &[TableRef]) -> BTreeMap<&str, Vec<&TableRef>> {
    let mut keyspaces: BTreeMap<&str, Vec<&TableRef>> = BTreeMap::new();
    for table in tables {
        keyspaces.entry(&table.keyspace).or_default().push(table);
    }
    keyspaces
}
