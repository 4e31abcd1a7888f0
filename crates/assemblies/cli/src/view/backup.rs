//! A backup in full.

use api::pb::storage_catalog as pb;
use api::pb::types::MissingNode;
use plan::{KeyspaceCoverage, TextTable, render};
use serde::Serialize;

use super::backup_list::BackupSummaryView;
use super::kept_damage::{KeptDamageView, damaged_text, kept_text};
use super::{dash, some};
use crate::human;
use crate::screen::Paint;

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
    /// The members of the ring that the backup was made without, on demand.
    pub missing: Vec<MissingNodeView>,
    /// If any are missing: how many replicas of each keyspace the backup has.
    pub held: Vec<KeyspaceCoverage>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MissingNodeView {
    /// The address.
    pub node: String,
    pub host_id: String,
    pub reason: String,
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
    /// SSTables that were damaged on the node already and were kept on demand.
    pub damaged_sstables: u64,
    /// The first of their damage.
    pub damaged: Vec<KeptDamageView>,
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
            missing: backup.missing.iter().map(MissingNodeView::from).collect(),
            held: api::convert::all_into(backup.held.clone()),
        }
    }
}

impl From<&MissingNode> for MissingNodeView {
    fn from(node: &MissingNode) -> Self {
        Self {
            node: node.address.clone(),
            host_id: node.host_id.clone(),
            reason: node.reason.clone(),
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
            damaged_sstables: node.damaged_sstables,
            damaged: node.damaged.iter().map(KeptDamageView::from).collect(),
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
    let damaged = match summary.damaged_sstables {
        0 => String::new(),
        sstables => format!("damaged   {}\n", damaged_text(sstables)),
    };
    format!(
        "backup    {}/{}\nkind      {}\nstate     {}\nstarted   {}\nfinished  {}\nrelease   {} {}\nnodes     {} ({covered})\nsize      {} in {}, {} uploaded\nspread    {} between the first and the last snapshot\n{damaged}",
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

/// What the backup was made without, and what it has of each keyspace all the same.
fn missing_text(backup: &BackupView) -> String {
    let missing = backup.missing.iter();
    let missing = missing.map(|node| {
        format!(
            "missing   {} ({}): {}\n",
            node.node, node.host_id, node.reason
        )
    });
    let held = render::coverage(&backup.held);
    match held.is_empty() {
        true => missing.collect(),
        false => missing.chain([format!("\n{held}")]).collect(),
    }
}

pub fn text(backup: &BackupView, _: &Paint) -> String {
    let mut nodes = TextTable::new(&[
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
    let mut tables = TextTable::new(&["TABLE", ">SIZE", ">SSTABLES", "FORMATS"]);
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
    text.push_str(&missing_text(backup));
    format!(
        "{text}\n{}\n{}{}",
        nodes.render(),
        tables.render(),
        kept_text(&backup.nodes)
    )
}
