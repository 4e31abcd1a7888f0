//! What commands have started or done.

use cassandra_versions::Release;
use model::task::Deletion;
use model::{BackupRef, ClusterName, Finding};
use serde::Serialize;

use crate::PlanView;
use crate::backup::BackupView;
use crate::task::TaskView;

/// A backup that was started, and if it was waited for, what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct BackupStartedView {
    /// Null if findings refuse the backup.
    pub task_id: Option<String>,
    /// The backup's name.
    pub backup: String,
    /// The cluster that is backed up.
    pub cluster: String,
    /// What the planner reports.
    pub findings: Vec<Finding>,
    /// The task as it ended, if it was waited for.
    pub task: Option<TaskView>,
    /// The backup, if it was waited for.
    pub result: Option<BackupView>,
}

/// A restore that was started, and if it was waited for, what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct RestoreStartedView {
    /// Null if findings refuse the restore.
    pub task_id: Option<String>,
    /// What is done.
    pub plan: PlanView,
    /// The task as it ended, if it was waited for.
    pub task: Option<TaskView>,
}

/// A task on a backup that was started and is not waited for.
#[derive(Debug, Clone, Serialize)]
pub struct TaskStartedView {
    /// A UUID.
    pub task_id: String,
    /// The backup's name.
    pub backup: String,
    /// The cluster that the backup is of.
    pub cluster: String,
}

/// A backup that was deleted.
#[derive(Debug, Clone, Serialize)]
pub struct BackupDeletedView {
    /// The backup's name.
    pub backup: String,
    /// The cluster that the backup was of; null unless it was given.
    pub cluster: Option<String>,
    /// Objects that no other backup needs.
    pub deleted_objects: u64,
    /// Their size.
    pub freed_bytes: u64,
    /// The bucket keeps the bytes as older versions.
    pub versions_remain: bool,
}

/// A cluster that was removed.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterRemovedView {
    /// Its name.
    pub name: String,
    /// Always true.
    pub removed: bool,
}

/// Whether a backup of one release restores into another.
#[derive(Debug, Clone, Serialize)]
pub struct CompatibilityView {
    /// The release of the backup.
    pub from: Release,
    /// The release to restore into.
    pub to: Release,
    /// By the version matrix alone.
    pub supported: bool,
    /// Why not, and what to know.
    pub findings: Vec<Finding>,
}

impl TaskStartedView {
    /// A task on this backup.
    pub fn new(task: model::TaskId, backup: &BackupRef) -> Self {
        Self {
            task_id: task.to_string(),
            backup: backup.name.to_string(),
            cluster: backup.cluster.to_string(),
        }
    }
}

impl BackupDeletedView {
    /// A backup by the name that it was given by.
    pub fn new(
        cluster: Option<&ClusterName>,
        name: &model::BackupName,
        deletion: Deletion,
    ) -> Self {
        Self {
            backup: name.to_string(),
            cluster: cluster.map(ToString::to_string),
            deleted_objects: deletion.objects,
            freed_bytes: deletion.bytes,
            versions_remain: deletion.versions_remain,
        }
    }
}

/// A task that accepts a restore or rolls it back.
#[derive(Debug, Clone, Serialize)]
pub struct RestoreTaskStartedView {
    /// The task that was started.
    pub task_id: String,
    /// The restore's task.
    pub restore: String,
    /// As it ended; null unless it was waited for.
    pub task: Option<TaskView>,
}

impl RestoreTaskStartedView {
    /// Just started.
    pub fn new(task: model::TaskId, restore: model::TaskId) -> Self {
        Self {
            task_id: task.to_string(),
            restore: restore.to_string(),
            task: None,
        }
    }
}
