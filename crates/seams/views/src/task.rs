//! Tasks and their steps.

mod limits;

use model::Finding;
use model::task::{
    Deletion, Paused, Priority, RetentionReport, ShownTask, ShownTaskStep, ShownWaiting, StepState,
    TaskKind, TaskState,
};
use serde::Serialize;

pub use limits::{LimitsView, StepLimitsView};

use crate::verify::VerifyView;
use crate::{UNKNOWN, some, time};

/// A task at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct TaskView {
    /// A UUID, ordered by time.
    pub id: String,
    /// `backup`, `restore`, `verify`, `delete`, `accept`, `rollback`, `retention`, `collection`, `maintenance` or
    /// `unknown`.
    pub kind: &'static str,
    /// `pending`, `running`, `paused`, `succeeded`, `failed`, `cancelled` or `unknown`.
    pub state: &'static str,
    /// `highest`, `high`, `normal`, `low` or `lowest`; absent if the task-runner is of an earlier release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<&'static str>,
    /// What it waits for; only while it waits for its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
    /// Why it is paused; only while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedView>,
    /// What it may take on each node; only if that was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsView>,
    /// Counts runs: 1, and one more for each resume.
    pub attempt: u32,
    /// Its steps, barriers included.
    pub steps: Vec<TaskStepView>,
    /// 0 to 1.
    pub progress: f64,
    /// How long it will take, if that can be estimated.
    pub eta_seconds: Option<u64>,
    /// The cluster that it works on: of a restore, the target.
    pub cluster: String,
    /// The name of the backup that it is about; empty if it is about none.
    pub backup: String,
    /// The cluster that the backup is of.
    pub backup_cluster: String,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339; null until it has ended.
    pub finished_at: Option<String>,
    /// Why it failed, and what to do next.
    pub error: Option<String>,
    /// What is left to know or to do once it has ended.
    pub findings: Vec<Finding>,
    /// What a task that verifies a backup has found; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerifyView>,
    /// What a task that deletes a backup has removed; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion: Option<DeletionView>,
    /// What a task that applies retention has done; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionReport>,
    /// What a task that collects garbage has done; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<RetentionReport>,
    /// What a maintenance task does, as the command line has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<String>,
}

/// What a task waits for.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingView {
    /// RFC 3339.
    pub since: Option<String>,
    /// The task that has to end or to run first; null if it waits for one of several.
    pub task_id: Option<String>,
    /// The kind of that task.
    pub kind: Option<&'static str>,
    /// In words.
    pub why: String,
}

/// Why a task is paused.
#[derive(Debug, Clone, Serialize)]
pub struct PausedView {
    /// RFC 3339.
    pub since: Option<String>,
    /// In words, with what to do next if retries ran out.
    pub why: String,
    /// The retries of a step ran out, and nobody has asked for it.
    pub gave_up: bool,
    /// Its cluster stays closed to the tasks that it excludes.
    pub keeps_cluster: bool,
}

/// What a deletion has removed.
#[derive(Debug, Clone, Serialize)]
pub struct DeletionView {
    /// Objects that no other backup needs.
    pub deleted_objects: u64,
    /// Their size.
    pub freed_bytes: u64,
    /// The bucket keeps the bytes as older versions.
    pub versions_remain: bool,
}

/// A step of a task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskStepView {
    /// Unique within the task.
    pub id: String,
    /// For example `upload`.
    pub kind: String,
    /// Null for a step of the whole cluster.
    pub node: Option<String>,
    /// `pending`, `running`, `succeeded`, `failed`, `cancelled` or `unknown`.
    pub state: &'static str,
    /// Moved so far.
    pub bytes_done: u64,
    /// 0 if it is not known.
    pub bytes_total: u64,
    /// The last error; a running step that has one is being retried.
    pub error: Option<String>,
    /// What it is doing now.
    pub note: Option<String>,
    /// What has become of the task's limits on its node; only if it moves data there and the task has limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<StepLimitsView>,
}

impl From<&ShownTask> for TaskView {
    fn from(task: &ShownTask) -> Self {
        let backup = task.backup.as_ref();
        let name = backup.map(|backup| backup.name.to_string());
        let cluster = backup.map(|backup| backup.cluster.to_string());
        Self {
            id: task.id.to_string(),
            kind: task.kind.map_or(UNKNOWN, TaskKind::as_str),
            state: task.state.map_or(UNKNOWN, TaskState::as_str),
            priority: task.priority.map(Priority::as_str),
            waiting: task.waiting.as_ref().map(WaitingView::from),
            paused: task.paused.as_ref().map(PausedView::from),
            limits: task.limits.map(LimitsView::from),
            attempt: task.attempt,
            steps: task.steps.iter().map(TaskStepView::from).collect(),
            progress: task.progress,
            eta_seconds: task.eta_seconds,
            cluster: task.cluster.to_string(),
            backup: name.unwrap_or_default(),
            backup_cluster: cluster.unwrap_or_default(),
            created_at: time(task.created_at),
            finished_at: time(task.finished_at),
            error: some(&task.error),
            findings: task.findings.clone(),
            verification: task.verification.as_ref().map(VerifyView::from),
            deletion: task.deletion.map(DeletionView::from),
            retention: task.retention.clone(),
            collection: task.collection.clone(),
            maintenance: task.maintenance.clone(),
        }
    }
}

impl From<&ShownWaiting> for WaitingView {
    fn from(waiting: &ShownWaiting) -> Self {
        Self {
            since: time(waiting.since),
            task_id: waiting.task.map(|id| id.to_string()),
            kind: waiting.kind.map(TaskKind::as_str),
            why: waiting.why.clone(),
        }
    }
}

impl From<&Paused> for PausedView {
    fn from(paused: &Paused) -> Self {
        Self {
            since: time(Some(paused.since)),
            why: paused.why.clone(),
            gave_up: paused.gave_up,
            keeps_cluster: paused.keeps_cluster,
        }
    }
}

impl From<Deletion> for DeletionView {
    fn from(deletion: Deletion) -> Self {
        Self {
            deleted_objects: deletion.objects,
            freed_bytes: deletion.bytes,
            versions_remain: deletion.versions_remain,
        }
    }
}

impl From<&ShownTaskStep> for TaskStepView {
    fn from(step: &ShownTaskStep) -> Self {
        Self {
            id: step.id.clone(),
            kind: step.kind.clone(),
            node: some(&step.node),
            state: step.state.map_or(UNKNOWN, StepState::as_str),
            bytes_done: step.bytes_done,
            bytes_total: step.bytes_total,
            error: some(&step.error),
            note: some(&step.note),
            limits: step.limits.as_ref().map(StepLimitsView::from),
        }
    }
}
