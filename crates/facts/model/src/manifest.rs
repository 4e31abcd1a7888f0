//! The documents that make a backup: one node manifest for each node, and one backup manifest, written last.

mod damage;
mod kind;
mod missing;
mod sstable;
mod summary;
mod verification;

use std::collections::BTreeSet;
use std::ops::Range;

use cassandra_versions::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::KeyspaceCoverage;
use crate::{
    BackupName, BackupRef, Covers, HostId, RingMember, Schema, Selection, TableId, TableRef, TaskId,
};

pub use damage::{KeptDamage, damaged_sstables};
pub use kind::{BackupKind, BaseMismatch, KindWithBase};
pub use missing::MissingNode;
pub use sstable::{Encryption, Expiring, Hazard, KeyFingerprint, SstableFacts, key_fingerprint};
pub use summary::{KeptSummary, ManifestSummary, Summaries};
pub use verification::{Verification, VerificationResult};

/// Written before anything else of a backup: reserves the name for a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub task_id: TaskId,
    pub started_at: Timestamp,
    pub selection: Selection,
}

/// Why a begun backup was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub backup: BackupRef,
    pub failed_at: Timestamp,
    pub reason: String,
}

/// Holds a backup for a task, or marks it as being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub backup: BackupRef,
    pub at: Timestamp,
    pub task_id: Option<TaskId>,
    /// Of a pin by people: why. Its `task_id` is no task then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When a pin by people ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Everything that one node contributed to a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeManifest {
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub member: RingMember,
    pub release: Release,
    pub partitioner: String,
    pub snapshot_tag: String,
    pub snapshot_taken_at: Timestamp,
    /// Every selected table, also those without data.
    pub tables: Vec<TableFiles>,
    /// Which files were damaged on the node already. Empty unless the backup was allowed to keep damage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<KeptDamage>,
    /// The system keys that encrypted tables need, with the fingerprints that they have on this node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyFingerprint>,
}

/// A table's files on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFiles {
    pub keyspace: String,
    pub table: String,
    pub id: TableId,
    /// For a materialized view its base table's name.
    pub view_of: Option<String>,
    pub files: Vec<StoredFile>,
    /// Facts of its SSTables, indexes left out; empty in manifests written before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sstables: Vec<SstableFacts>,
}

/// The SSTables that one node contributed to a backup, by what a plan needs to know of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSstables {
    pub host_id: HostId,
    pub tables: Vec<TableSstables>,
    pub keys: Vec<KeyFingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSstables {
    pub table: TableRef,
    pub id: TableId,
    pub sstables: Vec<SstableFacts>,
}

/// One component of an SSTable, as it was read and as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// File name, for example `nb-12-big-Data.db`.
    pub name: String,
    /// The secondary index whose hidden table it belongs to, without the leading dot; absent for the table's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    pub bytes: u64,
    /// Hex BLAKE3 of the content, taken from the bytes as they were uploaded.
    pub blake3: String,
    /// Key of the object that it is in. The crate `bucket` alone reads it; others name it in messages.
    pub object: String,
    /// Where the file begins in the object, if that is a pack of many files; absent if the file is the whole object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The backup that uploaded the object, if it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BackupName>,
    /// If its bytes were copied inside the store: the first full backup of the chain of copies, which uploaded them or had
    /// them in its differentials. The object is this backup's own, or that of the base that `from` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<BackupName>,
    /// The file on the node's disk, to recognise it unread at the next differential backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceFile>,
}

/// Which file on disk was read. A hard link keeps all of these, a rewritten file none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    pub inode: u64,
    pub modified_ns: i64,
}

/// A backup, complete: exists from the moment that this document does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub task_id: TaskId,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    /// The lowest release among the nodes.
    pub release: Release,
    pub partitioner: String,
    pub selection: Selection,
    pub snapshot_spread_ms: u64,
    /// The ring at the time of the snapshots, nodes without a backup included.
    pub ring: Vec<RingMember>,
    pub nodes: Vec<BackupNode>,
    pub schema: Schema,
    /// The members of the ring that the backup was made without, on demand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingNode>,
    /// If any are missing: how many replicas of each keyspace are in the backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coverage: Vec<KeyspaceCoverage>,
    /// The full backups that chains of copies began with which end in files of this one. They need not exist any more.
    /// Damage in one of two backups that descend from the same may be in both.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub copied_from: BTreeSet<BackupName>,
}

/// What one node contributed, in figures; the files are in its node manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupNode {
    pub host_id: HostId,
    pub release: Release,
    pub snapshot_taken_at: Timestamp,
    /// Object key of the node manifest.
    pub manifest: String,
    /// Hex BLAKE3 of the node manifest's body.
    pub blake3: String,
    pub bytes: u64,
    /// The bytes of the files whose objects are its own.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copied_bytes: u64,
    pub sstables: u64,
    pub tables: Vec<TableSummary>,
    /// SSTables that were damaged on the node already, those of secondary indexes among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub damaged_sstables: u64,
    /// The first of their damage; all of it is in the node manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<KeptDamage>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What one node holds of a table, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSummary {
    pub keyspace: String,
    pub table: String,
    pub id: TableId,
    pub view_of: Option<String>,
    pub bytes: u64,
    /// Secondary indexes not counted.
    pub sstables: u64,
    /// Distinct, for example `big-nb`.
    pub formats: Vec<String>,
}

impl StoredFile {
    /// The bytes of its pack that it is; none if it is an object of its own.
    pub fn place(&self) -> Option<Range<u64>> {
        self.offset
            .map(|start| start..start.saturating_add(self.bytes))
    }
}

impl NodeManifest {
    /// Every file of every table.
    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.tables.iter().flat_map(|table| &table.files)
    }

    /// The bytes of the files whose objects are its own, copies among them.
    pub fn uploaded_bytes(&self) -> u64 {
        let own = self.files().filter(|file| file.from.is_none());
        own.map(|file| file.bytes).sum()
    }

    /// The backups that its files descend from by copies inside the store.
    pub fn copied_from(&self) -> BTreeSet<BackupName> {
        let named = self.files().filter_map(|file| file.copied_from.as_ref());
        named.cloned().collect()
    }

    /// What was copied inside the store and did not leave the node.
    pub fn copied_bytes(&self) -> u64 {
        let is_copied = |file: &&StoredFile| file.from.is_none() && file.copied_from.is_some();
        let copied = self.files().filter(is_copied);
        copied.map(|file| file.bytes).sum()
    }
}

impl TableFiles {
    pub fn table_ref(&self) -> TableRef {
        TableRef::new(&self.keyspace, &self.table)
    }
}

impl TableSummary {
    pub fn table_ref(&self) -> TableRef {
        TableRef::new(&self.keyspace, &self.table)
    }
}

impl BackupManifest {
    pub fn member(&self, host_id: &HostId) -> Option<&RingMember> {
        self.ring.iter().find(|member| member.host_id == *host_id)
    }

    /// Whether every member of the ring is in the backup.
    pub fn is_complete(&self) -> bool {
        self.ring
            .iter()
            .all(|member| self.nodes.iter().any(|node| node.host_id == member.host_id))
    }

    /// What is in it.
    pub fn covers(&self) -> Covers {
        let in_it = |host: &HostId| self.nodes.iter().any(|node| node.host_id == *host);
        let members = self.ring.iter().map(|member| member.host_id);
        let missing = members.filter(|host| !in_it(host)).collect();
        Covers::new(&self.selection, missing)
    }

    /// SSTables that were damaged on their nodes already.
    pub fn damaged_sstables(&self) -> u64 {
        self.nodes.iter().map(|node| node.damaged_sstables).sum()
    }

    /// The figures of each table over all nodes, by keyspace and name.
    pub fn tables(&self) -> Vec<TableSummary> {
        let mut all: Vec<TableSummary> = Vec::new();
        for table in self.nodes.iter().flat_map(|node| &node.tables) {
            match all.iter_mut().find(|seen| seen.id == table.id) {
                Some(seen) => {
                    seen.bytes += table.bytes;
                    seen.sstables += table.sstables;
                    seen.formats.extend(table.formats.iter().cloned());
                    seen.formats.sort();
                    seen.formats.dedup();
                }
                None => all.push(table.clone()),
            }
        }
        all.sort_by_key(TableSummary::table_ref);
        all
    }
}
