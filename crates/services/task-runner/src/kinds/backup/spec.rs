//! What the steps of a backup share, kept with the task.

use cassandra_versions::Release;
use model::manifest::{BackupKind, MissingNode};
use model::plan::{KeyspaceCoverage, PlannedNode};
use model::{BackupName, RingMember, Schema, Selection, TaskId};
use serde::{Deserialize, Serialize};

use crate::engine::StepError;

/// The document's name among those of its task.
pub(super) const SPEC: &str = "backup";
/// Where the capture is kept.
pub(super) const CAPTURE: &str = "capture";

/// A backup as it was started. Never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BackupSpec {
    pub kind: BackupKind,
    /// The base that was asked for.
    pub base: Option<BackupName>,
    pub selection: Selection,
    pub nodes: Vec<PlannedNode>,
    /// Fingerprint of the ring that the backup was planned for.
    pub ring: String,
    /// The schema version that the backup was planned for.
    pub schema_version: String,
    /// Takes damaged SSTables as they are.
    pub keep_damaged: bool,
    /// Has the nodes upload what could be copied inside the store.
    #[serde(default)]
    pub reupload: bool,
    /// The members of the ring that the backup is made without.
    #[serde(default)]
    pub missing: Vec<MissingNode>,
    /// If any are missing: what the backup has of each keyspace.
    #[serde(default)]
    pub coverage: Vec<KeyspaceCoverage>,
}

impl BackupSpec {
    /// The node of a step.
    pub fn node(&self, address: &str) -> Result<&PlannedNode, StepError> {
        let found = self.nodes.iter().find(|node| node.address == address);
        found.ok_or_else(|| StepError::incomplete(format!("the backup has no node {address}")))
    }
}

/// The tag of a task's snapshots; folder names allow less than backup names do.
pub(super) fn snapshot_tag(task: TaskId) -> String {
    format!("ringkeep-{task}")
}

/// The cluster as it was when the snapshots had been taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Capture {
    pub cluster_name: String,
    /// The lowest among the nodes.
    pub release: Release,
    pub partitioner: String,
    pub ring: Vec<RingMember>,
    pub schema: Schema,
}
