//! What is of no use in the bucket.

use model::{BackupRef, CollectionPlan, Garbage, GarbageKind, TaskId};
use serde::Serialize;

use crate::UNKNOWN;

/// What a collection of garbage would delete now.
#[derive(Debug, Clone, Serialize)]
pub struct CollectionPlanView {
    /// The cluster.
    pub cluster: String,
    /// By name.
    pub garbage: Vec<GarbageView>,
    /// Of all garbage.
    pub bytes: u64,
    /// Pins of tasks that have ended.
    pub stale_pins: Vec<StalePinView>,
    /// Pins of tasks that the task-runner does not know; they stay.
    pub unknown_pins: Vec<StalePinView>,
}

/// What lies under the name of a backup and is of no use.
#[derive(Debug, Clone, Serialize)]
pub struct GarbageView {
    /// The name.
    pub backup: String,
    /// `strays`, `given-up`, `half-deleted` or `unknown`.
    pub kind: &'static str,
    /// Objects under the name.
    pub objects: u64,
    /// Their size.
    pub bytes: u64,
}

/// A pin of a task.
#[derive(Debug, Clone, Serialize)]
pub struct StalePinView {
    /// The backup that it keeps.
    pub backup: String,
    /// The task.
    pub task_id: String,
}

impl CollectionPlanView {
    /// Of a cluster.
    pub fn new(cluster: &str, plan: &CollectionPlan) -> Self {
        Self {
            cluster: cluster.to_owned(),
            garbage: plan.garbage.iter().map(GarbageView::from).collect(),
            bytes: plan.garbage.iter().map(|garbage| garbage.bytes).sum(),
            stale_pins: plan.stale_pins.iter().map(StalePinView::from).collect(),
            unknown_pins: plan.unknown_pins.iter().map(StalePinView::from).collect(),
        }
    }
}

impl From<&Garbage> for GarbageView {
    fn from(garbage: &Garbage) -> Self {
        Self {
            backup: garbage.backup.name.to_string(),
            kind: garbage.kind.map_or(UNKNOWN, GarbageKind::as_str),
            objects: garbage.objects,
            bytes: garbage.bytes,
        }
    }
}

impl From<&(BackupRef, TaskId)> for StalePinView {
    fn from((backup, task): &(BackupRef, TaskId)) -> Self {
        Self {
            backup: backup.name.to_string(),
            task_id: task.to_string(),
        }
    }
}
