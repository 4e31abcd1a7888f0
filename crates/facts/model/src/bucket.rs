//! The bucket as a list of it shows: backups in any state, and the store itself.

use std::collections::BTreeSet;

use cassandra_versions::Release;
use jiff::Timestamp;

use crate::manifest::{BackupKind, KeptDamage, MissingNode, TableSummary};
use crate::plan::KeyspaceCoverage;
use crate::{BackupName, BackupRef, HostId, RingMember, Selection, TaskId, VerifyLevel};

/// What a backup is by what is in the bucket. Only a complete one can be restored.
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

/// A backup in one line. Of a backup that is not complete only some is known, and a word of a newer catalog is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    pub backup: BackupRef,
    pub kind: Option<BackupKind>,
    pub base: Option<BackupName>,
    pub state: Option<BackupState>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The lowest release among the nodes.
    pub release: Option<Release>,
    pub nodes: u64,
    /// Members of the ring; more than `nodes` if the backup was made without some.
    pub ring_nodes: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// The bytes of the files whose objects are its own, copies among them.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store and did not leave a node.
    pub copied_bytes: u64,
    /// The full backups that chains of copies began with which end in files of this one.
    pub copied_from: BTreeSet<BackupName>,
    pub sstables: u64,
    /// SSTables that were damaged on their nodes already, those of secondary indexes among them.
    pub damaged_sstables: u64,
    /// Of a complete backup: the most places that the newest verification of any level has found damaged or missing.
    pub damage_found: u64,
    /// When the newest of the verifications that have found damage ended.
    pub damage_found_at: Option<Timestamp>,
    /// The deepest level at which they have found it. None if it is not known, as from an older catalog.
    pub damage_level: Option<VerifyLevel>,
    /// When the newest verification that has read every byte ended, if it has found nothing.
    pub read_clean_at: Option<Timestamp>,
    /// When the newest verification that has decoded rows ended, if it has found nothing.
    pub sstables_clean_at: Option<Timestamp>,
    /// The task that made or makes it.
    pub task: Option<TaskId>,
    /// None if it is not known, as from an older catalog.
    pub covers: Option<Covers>,
    /// What keeps it from being deleted, expired pins among them.
    pub pins: Vec<BackupPin>,
    /// Why it failed or cannot be read, for people; empty if there is nothing to report.
    pub detail: String,
}

/// What is in a backup. Only of two that cover the same does the newer one stand in for the older one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Covers {
    keyspaces: Vec<String>,
    tables: Vec<(String, String)>,
    missing: Vec<HostId>,
}

impl Covers {
    /// What was selected, and the members of the ring that are not in the backup.
    pub fn new(selection: &Selection, mut missing: Vec<HostId>) -> Self {
        let mut keyspaces = selection.keyspaces.clone();
        let tables = selection.tables.iter();
        let mut tables: Vec<(String, String)> = tables
            .map(|table| (table.keyspace.clone(), table.table.clone()))
            .collect();
        keyspaces.sort();
        keyspaces.dedup();
        tables.sort();
        tables.dedup();
        missing.sort();
        missing.dedup();
        Self {
            keyspaces,
            tables,
            missing,
        }
    }

    /// Both lists empty: everything.
    pub fn selection(&self) -> Selection {
        let tables = self.tables.iter();
        Selection {
            keyspaces: self.keyspaces.clone(),
            tables: tables
                .map(|(keyspace, table)| crate::TableRef::new(keyspace, table))
                .collect(),
        }
    }

    /// The members of the ring that are not in the backup.
    pub fn missing(&self) -> &[HostId] {
        &self.missing
    }
}

/// What lies under the name of a backup and is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    pub backup: BackupRef,
    /// None: one of a newer catalog.
    pub kind: Option<GarbageKind>,
    pub objects: u64,
    pub bytes: u64,
}

/// Why something is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GarbageKind {
    /// No document has the name: the objects arrived after the backup had been deleted.
    Strays,
    /// The backup was given up.
    GivenUp,
    /// Its deletion was cut short, or is at work; or its manifest arrived after it had been deleted.
    HalfDeleted,
}

impl GarbageKind {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strays => "strays",
            Self::GivenUp => "given-up",
            Self::HalfDeleted => "half-deleted",
        }
    }
}

/// What is of no use in the bucket under a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionPlan {
    pub garbage: Vec<Garbage>,
    /// Pins of tasks that have ended.
    pub stale_pins: Vec<(BackupRef, TaskId)>,
    /// Pins of tasks that the task-runner does not know, which may be another's.
    pub unknown_pins: Vec<(BackupRef, TaskId)>,
}

/// Keeps a backup from being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPin {
    /// The task that needs the backup; of a pin by people an id that is made from its reason and its end.
    pub id: TaskId,
    /// Why people have set it; none: a task has.
    pub reason: Option<String>,
    /// When a pin by people ends by itself; none: it does not.
    pub until: Option<Timestamp>,
    pub set_at: Option<Timestamp>,
}

/// A complete backup as it is shown, also one of a newer catalog: without its schema, its ring and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownBackup {
    pub summary: BackupSummary,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    pub partitioner: String,
    pub nodes: Vec<ShownBackupNode>,
    /// The figures of each table over all nodes.
    pub tables: Vec<TableSummary>,
    /// Between the first and the last snapshot of the nodes.
    pub snapshot_spread_ms: u64,
    pub coverage: Coverage,
    /// The members of the ring that the backup was made without, on demand.
    pub missing: Vec<MissingNode>,
    /// If any are missing: how many replicas of each keyspace the backup has.
    pub held: Vec<KeyspaceCoverage>,
}

/// What one node contributed to a backup, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownBackupNode {
    pub member: RingMember,
    pub bytes: u64,
    pub uploaded_bytes: u64,
    pub copied_bytes: u64,
    pub sstables: u64,
    pub snapshot_taken_at: Option<Timestamp>,
    /// Object key of the node manifest.
    pub manifest: String,
    /// SSTables that were damaged on the node already.
    pub damaged_sstables: u64,
    /// The first of their damage.
    pub damaged: Vec<KeptDamage>,
}

/// How much of the ring is in a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    pub ring_nodes: u64,
    pub backed_up_nodes: u64,
    /// Whether every member of the ring is in the backup.
    pub complete: bool,
}

impl BackupState {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
            Self::Deleting => "deleting",
        }
    }
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
