//! Backups in lists, and in figures wherever one is named.

use api::pb::storage_catalog as pb;
use api::pb::types::BackupKind;
use plan::TextTable;
use serde::Serialize;

use super::kept_damage::damaged_text;
use super::{dash, product, some};
use crate::human;

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
    /// Members of the ring; more than nodes if the backup was made without some.
    pub ring_node_count: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// What the backup added to the bucket.
    pub uploaded_bytes: u64,
    pub sstables: u64,
    /// SSTables that were damaged on their nodes already and were kept on demand.
    pub damaged_sstables: u64,
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
            ring_node_count: summary.ring_nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
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

/// `2 of 3` if the backup was made without a node.
fn nodes_text(backup: &BackupSummaryView) -> String {
    match backup.ring_node_count > backup.node_count {
        true => format!("{} of {}", backup.node_count, backup.ring_node_count),
        false => backup.node_count.to_string(),
    }
}

pub fn list_text(backups: &[BackupSummaryView]) -> String {
    let mut table = TextTable::new(&[
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
            nodes_text(backup),
            human::bytes(backup.bytes),
            human::bytes(backup.uploaded_bytes),
            dash(backup.base.as_deref()),
        ]);
    }
    let mut text = table.render();
    for backup in backups {
        if backup.damaged_sstables > 0 {
            let damaged = damaged_text(backup.damaged_sstables);
            text.push_str(&format!("{}/{}: {damaged}\n", backup.cluster, backup.name));
        }
        if let Some(detail) = &backup.detail {
            text.push_str(&format!("{}/{}: {detail}\n", backup.cluster, backup.name));
        }
    }
    text
}
