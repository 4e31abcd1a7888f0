//! The bucket as a list of it shows: backups in any state, and the store itself.

use cassandra_versions::Release;
use jiff::Timestamp;

use crate::manifest::BackupKind;
use crate::{BackupName, BackupRef};

/// What a backup is by what lies in the bucket. Only a complete one can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupState {
    Complete,
    /// Begun and not committed.
    Running,
    /// Given up.
    Failed,
    /// Its manifest is there and cannot be read: damaged, or from a newer Ringkeep.
    Unreadable,
    /// Being deleted, or a deletion was cut short.
    Deleting,
}

/// A backup in one line. Of a backup that is not complete only some is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    pub backup: BackupRef,
    pub kind: Option<BackupKind>,
    pub base: Option<BackupName>,
    pub state: BackupState,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The lowest release among the nodes.
    pub release: Option<Release>,
    pub nodes: u64,
    /// Members of the ring; more than `nodes` if the backup was made without some.
    pub ring_nodes: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// What this backup added to the bucket.
    pub uploaded_bytes: u64,
    pub sstables: u64,
    /// SSTables that were damaged on their nodes already, those of secondary indexes among them.
    pub damaged_sstables: u64,
    /// Why it failed or cannot be read, for people; empty if there is nothing to say.
    pub detail: String,
}

/// Which store the bucket is in, and whether it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// For people, without credentials.
    pub store: String,
    pub reachable: bool,
    /// Why it cannot be reached; empty if it can.
    pub detail: String,
}
