//! Backups, in lists and in full.

use api::pb::storage_catalog as pb;
use api::pb::types::BackupKind;
use plan::Table;
use serde::Serialize;

use super::{dash, product, some};
use crate::human;
use crate::screen::Paint;

/// A backup in figures.
#[derive(Debug, Clone, Serialize)]
pub struct BackupSummaryView {
    pub name: String,
    pub cluster: String,
    pub kind: &'static str,
    pub base: Option<String>,
    pub state: &'static str,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub product: Option<&'static str>,
    pub version: Option<String>,
    pub node_count: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// What the backup added to the bucket.
    pub uploaded_bytes: u64,
    pub sstables: u64,
    /// Why it failed or cannot be read.
    pub detail: Option<String>,
}

impl From<&pb::BackupSummary> for BackupSummaryView {
    fn from(summary: &pb::BackupSummary) -> Self {
        let backup = summary.backup.clone().unwrap_or_default();
        Self {
            name: backup.name,
            cluster: backup.cluster,
            kind: kind(summary.kind()),
            base: some(&summary.base),
            state: state(summary.state()),
            started_at: some(&summary.started_at),
            finished_at: some(&summary.finished_at),
            product: summary
                .release
                .as_ref()
                .map(|release| product(release.product())),
            version: summary
                .release
                .as_ref()
                .map(|release| release.version.clone()),
            node_count: summary.nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            sstables: summary.sstables,
            detail: some(&summary.detail),
        }
    }
}

fn kind(kind: BackupKind) -> &'static str {
    match kind {
        BackupKind::Full => "full",
        BackupKind::Differential => "differential",
        BackupKind::Unspecified => "unknown",
    }
}

fn state(state: pb::BackupState) -> &'static str {
    match state {
        pb::BackupState::Complete => "complete",
        pb::BackupState::Running => "running",
        pb::BackupState::Failed => "failed",
        pb::BackupState::Unreadable => "unreadable",
        pb::BackupState::Deleting => "deleting",
        pb::BackupState::Unspecified => "unknown",
    }
}

pub fn list_text(backups: &[BackupSummaryView]) -> String {
    let mut table = Table::new(&[
        "CLUSTER",
        "NAME",
        "KIND",
        "STATE",
        "STARTED",
        ">NODES",
        ">SIZE",
        ">UPLOADED",
        "BASE",
    ]);
    for backup in backups {
        table.row([
            backup.cluster.clone(),
            backup.name.clone(),
            backup.kind.into(),
            backup.state.into(),
            human::time(backup.started_at.as_deref().unwrap_or_default()),
            backup.node_count.to_string(),
            human::bytes(backup.bytes),
            human::bytes(backup.uploaded_bytes),
            dash(backup.base.as_deref()),
        ]);
    }
    let mut text = table.render();
    for backup in backups {
        if let Some(detail) = &backup.detail {
            text.push_str(&format!("{}/{}: {detail}\n", backup.cluster, backup.name));
        }
    }
    text
}

/// A committed backup, in full.
#[derive(Debug, Clone, Serialize)]
pub struct BackupView {
    #[serde(flatten)]
    pub summary: BackupSummaryView,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    pub partitioner: String,
    pub nodes: Vec<NodeView>,
    pub tables: Vec<TableView>,
    pub snapshot_spread_ms: u64,
    pub coverage: CoverageView,
}

#[derive(Debug, Clone, Serialize)]
pub struct NodeView {
    /// The address.
    pub node: String,
    pub host_id: String,
    pub datacenter: String,
    pub rack: String,
    pub tokens: Vec<String>,
    pub bytes: u64,
    pub uploaded_bytes: u64,
    pub sstables: u64,
    pub snapshot_taken_at: Option<String>,
    /// Object key of the node manifest.
    pub manifest: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct TableView {
    pub keyspace: String,
    pub table: String,
    pub id: String,
    pub bytes: u64,
    pub sstables: u64,
    pub formats: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CoverageView {
    pub ring_nodes: u64,
    pub backed_up_nodes: u64,
    /// Every member of the ring is in the backup.
    pub complete: bool,
}

impl From<&pb::Backup> for BackupView {
    fn from(backup: &pb::Backup) -> Self {
        let coverage = backup.coverage.unwrap_or_default();
        Self {
            summary: (&backup.summary.clone().unwrap_or_default()).into(),
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
        }
    }
}

impl From<&pb::BackupNode> for NodeView {
    fn from(node: &pb::BackupNode) -> Self {
        let member = node.member.clone().unwrap_or_default();
        Self {
            node: member.address,
            host_id: member.host_id,
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
            bytes: node.bytes,
            uploaded_bytes: node.uploaded_bytes,
            sstables: node.sstables,
            snapshot_taken_at: some(&node.snapshot_taken_at),
            manifest: node.manifest.clone(),
        }
    }
}

impl From<&pb::BackupTable> for TableView {
    fn from(table: &pb::BackupTable) -> Self {
        let name = table.table.clone().unwrap_or_default();
        Self {
            keyspace: name.keyspace,
            table: name.table,
            id: table.id.clone(),
            bytes: table.bytes,
            sstables: table.sstables,
            formats: table.formats.clone(),
        }
    }
}

/// What kind of backup it is, in one word or three.
fn kind_text(backup: &BackupSummaryView) -> String {
    match &backup.base {
        Some(base) => format!("{} on {base}", backup.kind),
        None => backup.kind.to_owned(),
    }
}

/// A few lines, as after `backup create --wait`.
pub fn summary_text(backup: &BackupView) -> String {
    let summary = &backup.summary;
    let coverage = &backup.coverage;
    let covered = match coverage.complete {
        true => "the whole ring".to_owned(),
        false => format!(
            "{} of {}: incomplete",
            coverage.backed_up_nodes, coverage.ring_nodes
        ),
    };
    format!(
        "backup    {}/{}\nkind      {}\nstate     {}\nstarted   {}\nfinished  {}\nrelease   {} {}\nnodes     {} ({covered})\nsize      {} in {}, {} uploaded\nspread    {} between the first and the last snapshot\n",
        summary.cluster,
        summary.name,
        kind_text(summary),
        summary.state,
        human::time(summary.started_at.as_deref().unwrap_or_default()),
        human::time(summary.finished_at.as_deref().unwrap_or_default()),
        dash(summary.product),
        dash(summary.version.as_deref()),
        backup.nodes.len(),
        human::bytes(summary.bytes),
        human::count(summary.sstables, "SSTable"),
        human::bytes(summary.uploaded_bytes),
        human::milliseconds(backup.snapshot_spread_ms),
    )
}

pub fn text(backup: &BackupView, _: &Paint) -> String {
    let mut nodes = Table::new(&[
        "NODE",
        "DATACENTER",
        "RACK",
        ">TOKENS",
        ">SIZE",
        ">UPLOADED",
        ">SSTABLES",
        "HOST ID",
    ]);
    for node in &backup.nodes {
        nodes.row([
            node.node.clone(),
            node.datacenter.clone(),
            node.rack.clone(),
            node.tokens.len().to_string(),
            human::bytes(node.bytes),
            human::bytes(node.uploaded_bytes),
            node.sstables.to_string(),
            node.host_id.clone(),
        ]);
    }
    let mut tables = Table::new(&["TABLE", ">SIZE", ">SSTABLES", "FORMATS"]);
    for table in &backup.tables {
        tables.row([
            format!("{}.{}", table.keyspace, table.table),
            human::bytes(table.bytes),
            table.sstables.to_string(),
            dash(Some(&table.formats.join(", "))),
        ]);
    }
    let mut text = summary_text(backup);
    if let Some(detail) = &backup.summary.detail {
        text.push_str(&format!("detail    {detail}\n"));
    }
    format!("{text}\n{}\n{}", nodes.render(), tables.render())
}
