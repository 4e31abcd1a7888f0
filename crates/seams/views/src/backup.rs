//! A backup in full.

use model::manifest::{MissingNode, TableSummary};
use model::plan::KeyspaceCoverage;
use model::{ShownBackup, ShownBackupNode};
use serde::Serialize;

use crate::backup_list::BackupSummaryView;
use crate::kept_damage::KeptDamageView;
use crate::time;

/// A committed backup, in full.
#[derive(Debug, Clone, Serialize)]
pub struct BackupView {
    /// Its figures, as in lists.
    #[serde(flatten)]
    pub summary: BackupSummaryView,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    /// Fully qualified class.
    pub partitioner: String,
    /// What each node contributed.
    pub nodes: Vec<NodeView>,
    /// The figures of each table over all nodes.
    pub tables: Vec<TableView>,
    /// Between the first and the last snapshot of the nodes.
    pub snapshot_spread_ms: u64,
    /// How much of the ring is in it.
    pub coverage: CoverageView,
    /// The members of the ring that the backup was made without, on demand.
    pub missing: Vec<MissingNodeView>,
    /// If any are missing: how many replicas of each keyspace the backup has.
    pub held: Vec<KeyspaceCoverage>,
}

/// A member of the ring that a backup was made without.
#[derive(Debug, Clone, Serialize)]
pub struct MissingNodeView {
    /// The address.
    pub node: String,
    /// Cassandra's host id, a UUID.
    pub host_id: String,
    /// Why it is missing, for people.
    pub reason: String,
}

/// What one node contributed.
#[derive(Debug, Clone, Serialize)]
pub struct NodeView {
    /// The address.
    pub node: String,
    /// Cassandra's host id, a UUID.
    pub host_id: String,
    /// As the ring has it.
    pub datacenter: String,
    /// As the ring has it.
    pub rack: String,
    /// Decimal, ascending.
    pub tokens: Vec<String>,
    /// What a restore would read of it.
    pub bytes: u64,
    /// The bytes of the files whose objects are its own.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store and did not leave the node.
    pub copied_bytes: u64,
    /// Secondary indexes not counted.
    pub sstables: u64,
    /// RFC 3339.
    pub snapshot_taken_at: Option<String>,
    /// Object key of the node manifest.
    pub manifest: String,
    /// SSTables that were damaged on the node already and were kept on demand.
    pub damaged_sstables: u64,
    /// The first of their damage.
    pub damaged: Vec<KeptDamageView>,
}

/// A table in a backup, over all nodes.
#[derive(Debug, Clone, Serialize)]
pub struct TableView {
    /// As Cassandra stores the name.
    pub keyspace: String,
    /// As Cassandra stores the name.
    pub table: String,
    /// The table id at the time of the backup, a UUID.
    pub id: String,
    /// All components.
    pub bytes: u64,
    /// Secondary indexes not counted.
    pub sstables: u64,
    /// Distinct, for example `big-nb`.
    pub formats: Vec<String>,
}

/// How much of the ring is in a backup.
#[derive(Debug, Clone, Serialize)]
pub struct CoverageView {
    /// Members of the ring.
    pub ring_nodes: u64,
    /// Those in the backup.
    pub backed_up_nodes: u64,
    /// Every member of the ring is in the backup.
    pub complete: bool,
}

impl From<&ShownBackup> for BackupView {
    fn from(backup: &ShownBackup) -> Self {
        let coverage = &backup.coverage;
        Self {
            summary: (&backup.summary).into(),
            cluster_name: backup.cluster_name.clone(),
            partitioner: backup.partitioner.clone(),
            nodes: backup.nodes.iter().map(NodeView::from).collect(),
            tables: backup.tables.iter().map(TableView::from).collect(),
            snapshot_spread_ms: backup.snapshot_spread_ms,
            coverage: CoverageView {
                ring_nodes: coverage.ring_nodes,
                backed_up_nodes: coverage.backed_up_nodes,
                complete: coverage.complete,
            },
            missing: backup.missing.iter().map(MissingNodeView::from).collect(),
            held: backup.held.clone(),
        }
    }
}

impl From<&MissingNode> for MissingNodeView {
    fn from(node: &MissingNode) -> Self {
        Self {
            node: node.address.clone(),
            host_id: node.host_id.to_string(),
            reason: node.reason.clone(),
        }
    }
}

impl From<&ShownBackupNode> for NodeView {
    fn from(node: &ShownBackupNode) -> Self {
        let member = node.member.clone();
        Self {
            node: member.address,
            host_id: member.host_id.to_string(),
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
            bytes: node.bytes,
            uploaded_bytes: node.uploaded_bytes,
            copied_bytes: node.copied_bytes,
            sstables: node.sstables,
            snapshot_taken_at: time(node.snapshot_taken_at),
            manifest: node.manifest.clone(),
            damaged_sstables: node.damaged_sstables,
            damaged: node.damaged.iter().map(KeptDamageView::from).collect(),
        }
    }
}

impl From<&TableSummary> for TableView {
    fn from(table: &TableSummary) -> Self {
        Self {
            keyspace: table.keyspace.clone(),
            table: table.table.clone(),
            id: table.id.to_string(),
            bytes: table.bytes,
            sstables: table.sstables,
            formats: table.formats.clone(),
        }
    }
}
