//! Backups in lists, and their figures wherever one is shown.

use model::manifest::BackupKind;
use model::{BackupPin, BackupState, BackupSummary};
use serde::Serialize;

use crate::{UNKNOWN, some, time};

/// A backup in figures.
#[derive(Debug, Clone, Serialize)]
pub struct BackupSummaryView {
    /// Unique within its cluster.
    pub name: String,
    /// The cluster that it is of.
    pub cluster: String,
    /// `full`, `differential` or `unknown`.
    pub kind: &'static str,
    /// The name of the full backup that it builds on.
    pub base: Option<String>,
    /// `complete`, `running`, `failed`, `unreadable`, `deleting` or `unknown`. Only a complete backup can be restored.
    pub state: &'static str,
    /// RFC 3339.
    pub started_at: Option<String>,
    /// RFC 3339.
    pub finished_at: Option<String>,
    /// The product that it was taken of.
    pub product: Option<&'static str>,
    /// The lowest version among its nodes.
    pub version: Option<String>,
    /// Nodes in the backup.
    pub node_count: u64,
    /// Members of the ring; more than nodes if the backup was made without some.
    pub ring_node_count: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// The bytes of the files whose objects are its own.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store and did not leave a node.
    pub copied_bytes: u64,
    /// Secondary indexes not counted.
    pub sstables: u64,
    /// SSTables that were damaged on their nodes already and were kept on demand.
    pub damaged_sstables: u64,
    /// The most places that the newest verification of any level has found damaged or missing.
    pub damage_found: u64,
    /// What keeps it from being deleted.
    pub pins: Vec<PinView>,
    /// Why it failed or cannot be read.
    pub detail: Option<String>,
}

/// What keeps a backup from being deleted.
#[derive(Debug, Clone, Serialize)]
pub struct PinView {
    /// The task that needs the backup; null if people have set the pin.
    pub task_id: Option<String>,
    /// Why people have set it.
    pub reason: Option<String>,
    /// RFC 3339: when a pin by people ends by itself.
    pub until: Option<String>,
}

impl From<&BackupPin> for PinView {
    fn from(pin: &BackupPin) -> Self {
        Self {
            task_id: pin.reason.is_none().then(|| pin.id.to_string()),
            reason: pin.reason.clone(),
            until: pin.until.map(|until| until.to_string()),
        }
    }
}

impl From<&BackupSummary> for BackupSummaryView {
    fn from(summary: &BackupSummary) -> Self {
        let release = summary.release.as_ref();
        Self {
            name: summary.backup.name.to_string(),
            cluster: summary.backup.cluster.to_string(),
            kind: summary.kind.map_or(UNKNOWN, BackupKind::as_str),
            base: summary.base.as_ref().map(ToString::to_string),
            state: summary.state.map_or(UNKNOWN, BackupState::as_str),
            started_at: time(summary.started_at),
            finished_at: time(summary.finished_at),
            product: release.map(|release| release.product.as_str()),
            version: release.map(|release| release.version.clone()),
            node_count: summary.nodes,
            ring_node_count: summary.ring_nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            copied_bytes: summary.copied_bytes,
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
            damage_found: summary.damage_found,
            pins: summary.pins.iter().map(PinView::from).collect(),
            detail: some(&summary.detail),
        }
    }
}
