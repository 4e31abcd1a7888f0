//! What backup manifests say, in short, kept together so that a list does not have to read each manifest.

use std::collections::BTreeSet;

use cassandra_versions::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BackupKind, BackupManifest, BackupNode};
use crate::{
    BackupName, BackupRef, BackupState, BackupSummary, ClusterName, Covers, HostId, Selection,
    TaskId,
};

/// The summaries of the backups of one cluster. It holds nothing that the manifests do not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summaries {
    pub cluster: ClusterName,
    pub backups: Vec<KeptSummary>,
}

/// The summary of one manifest, as long as the store lists the object that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSummary {
    /// Of the manifest's object, header line included.
    pub bytes: u64,
    /// The tag by which the store tells that object from others of its key.
    pub tag: String,
    /// Hex BLAKE3 of the manifest's body.
    pub blake3: String,
    pub summary: ManifestSummary,
}

/// What a list shows of a backup manifest. A field that is added must not be optional, so that summaries without it are not
/// used: it would look as if the manifests had no value for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestSummary {
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub task_id: TaskId,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// The lowest release among the nodes.
    pub release: Release,
    /// Those that are in the backup.
    pub nodes: u64,
    /// Members of the ring.
    pub ring_nodes: u64,
    /// What a restore would read.
    pub bytes: u64,
    /// The bytes of the files whose objects are its own.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store.
    pub copied_bytes: u64,
    pub copied_from: BTreeSet<BackupName>,
    pub sstables: u64,
    /// SSTables that were damaged on their nodes already.
    pub damaged_sstables: u64,
    pub selection: Selection,
    /// The members of the ring that are not in the backup.
    pub missing: Vec<HostId>,
}

/// Of a backup that is complete, without what is known beside its manifest only.
impl From<ManifestSummary> for BackupSummary {
    fn from(summary: ManifestSummary) -> Self {
        Self {
            covers: Some(Covers::new(&summary.selection, summary.missing)),
            backup: summary.backup,
            kind: Some(summary.kind),
            base: summary.base,
            state: Some(BackupState::Complete),
            started_at: Some(summary.started_at),
            finished_at: Some(summary.finished_at),
            release: Some(summary.release),
            nodes: summary.nodes,
            ring_nodes: summary.ring_nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            copied_bytes: summary.copied_bytes,
            copied_from: summary.copied_from,
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
            damage_found: 0,
            damage_found_at: None,
            damage_level: None,
            read_clean_at: None,
            sstables_clean_at: None,
            task: Some(summary.task_id),
            pins: Vec::new(),
            detail: String::new(),
        }
    }
}

impl From<&BackupManifest> for ManifestSummary {
    fn from(manifest: &BackupManifest) -> Self {
        let sum = |figure: fn(&BackupNode) -> u64| manifest.nodes.iter().map(figure).sum();
        let covers = manifest.covers();
        Self {
            backup: manifest.backup.clone(),
            kind: manifest.kind,
            base: manifest.base.clone(),
            task_id: manifest.task_id,
            started_at: manifest.started_at,
            finished_at: manifest.finished_at,
            release: manifest.release.clone(),
            nodes: manifest.nodes.len() as u64,
            ring_nodes: manifest.ring.len() as u64,
            bytes: sum(|node| node.bytes),
            uploaded_bytes: sum(|node| node.uploaded_bytes),
            copied_bytes: sum(|node| node.copied_bytes),
            copied_from: manifest.copied_from.clone(),
            sstables: sum(|node| node.sstables),
            damaged_sstables: manifest.damaged_sstables(),
            selection: covers.selection(),
            missing: covers.missing().to_vec(),
        }
    }
}
