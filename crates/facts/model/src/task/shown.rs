//! A task as its users see it, also one of a newer task-runner: a word that this release does not know is none.

use jiff::Timestamp;

use super::{
    Deletion, Paused, Priority, RetentionReport, StepLimits, StepState, TaskKind, TaskState,
    TransferLimits,
};
use crate::{BackupRef, ClusterName, Damage, Finding, NotChecked, SampleRead, TaskId, VerifyLevel};

/// A task as it is shown at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTask {
    pub id: TaskId,
    pub kind: Option<TaskKind>,
    pub state: Option<TaskState>,
    /// Counts runs: 1, and one more for each resume.
    pub attempt: u32,
    /// The cluster that it works on: of a restore, the target.
    pub cluster: ClusterName,
    /// The backup that it is about, if it is about one.
    pub backup: Option<BackupRef>,
    pub created_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// 0 to 1.
    pub progress: f64,
    /// How long it will take, if that can be estimated.
    pub eta_seconds: Option<u64>,
    pub steps: Vec<ShownTaskStep>,
    /// Why it failed; empty if it did not.
    pub error: String,
    pub findings: Vec<Finding>,
    pub priority: Option<Priority>,
    /// Set while it waits for its turn.
    pub waiting: Option<ShownWaiting>,
    /// Set while it is paused.
    pub paused: Option<Paused>,
    /// What it may take on each node; none unless it was ever set.
    pub limits: Option<TransferLimits>,
    /// What a task that verifies a backup has found.
    pub verification: Option<ShownReport>,
    /// What a task that deletes a backup has removed.
    pub deletion: Option<Deletion>,
    /// What a task that applies retention has done so far.
    pub retention: Option<RetentionReport>,
    /// What a task that collects garbage has done.
    pub collection: Option<RetentionReport>,
    /// Of a maintenance task: its jobs, as the command line has them.
    pub maintenance: Vec<String>,
}

/// What a task waits for, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownWaiting {
    pub since: Option<Timestamp>,
    /// The task that has to end or to run first; none if it waits for one of several.
    pub task: Option<TaskId>,
    pub kind: Option<TaskKind>,
    /// For people.
    pub why: String,
}

/// A step of a task as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTaskStep {
    pub id: String,
    /// The word of a [`StepKind`](crate::plan::StepKind), or of one that this release does not know.
    pub kind: String,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    pub state: Option<StepState>,
    pub bytes_done: u64,
    /// 0 if it is not known yet.
    pub bytes_total: u64,
    /// The last error; a running step that has one is being retried.
    pub error: String,
    /// What it is doing now, for people.
    pub note: String,
    /// What has become of the task's limits on its node; none if it moves nothing, or if the task has none.
    pub limits: Option<StepLimits>,
}

/// What a verification found, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownReport {
    pub backup: BackupRef,
    pub level: Option<VerifyLevel>,
    /// Whether nothing is damaged or missing.
    pub ok: bool,
    pub objects_checked: u64,
    pub bytes_checked: u64,
    pub sstables_checked: u64,
    pub damage: Vec<Damage>,
    /// What the level asks for and was not checked.
    pub not_checked: Vec<NotChecked>,
    /// The part that was read; none: all of it.
    pub sample: Option<SampleRead>,
}

impl ShownTask {
    /// Whether it has ended. What a state of a newer release means is not known, so a caller keeps waiting.
    pub fn is_final(&self) -> bool {
        self.state.is_some_and(TaskState::is_final)
    }

    /// Whether nothing more happens unless a user asks for it.
    pub fn is_at_rest(&self) -> bool {
        self.state.is_some_and(TaskState::is_at_rest)
    }
}
