//! Tasks: durable work in steps, and the one table of how a task moves from state to state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BackupRef, ClusterName, Finding, TaskId, VerifyReport};

mod limits;
mod queue;
mod retention;
mod shown;

pub use limits::{
    BANDWIDTH_BYTES_PER_SECOND_MIN, LimitsChange, NodeLimits, StepLimits, TransferLimits,
};
pub use queue::{Paused, Priority, QueueOptions, Waiting};
pub use retention::{RetentionEntry, RetentionOutcome, RetentionReport};
pub use shown::{ShownReport, ShownTask, ShownTaskStep, ShownWaiting};

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    Backup,
    Restore,
    /// Checks a backup in the bucket.
    Verify,
    /// Deletes a backup.
    Delete,
    /// Deletes the old files of a restore in place.
    Accept,
    /// Puts the old files of a restore in place back.
    Rollback,
    /// Deletes the backups of a cluster that its retention policies let go.
    Retention,
    /// Deletes what is of no use in the bucket under a cluster.
    Collection,
    /// Runs commands on nodes, one after the other.
    Maintenance,
}

/// Where a task is in its life; [`next_state`] has the moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    Pending,
    Running,
    /// It goes on only if a user asks for it; until then no runner drives it.
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

impl TaskKind {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Verify => "verify",
            Self::Delete => "delete",
            Self::Accept => "accept",
            Self::Rollback => "rollback",
            Self::Retention => "retention",
            Self::Collection => "collection",
            Self::Maintenance => "maintenance",
        }
    }
}

impl TaskState {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether nothing more happens unless a user asks for it.
    pub fn is_at_rest(self) -> bool {
        self.is_final() || self == Self::Paused
    }
}

/// What can happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEvent {
    /// A runner adopts it, for the first time or after a restart.
    Start,
    /// All steps succeeded.
    Finish,
    /// A step failed for good.
    Fail,
    /// A user asked to stop it.
    Cancel,
    /// A user asked to wait with it, or the retries of a step ran out.
    Pause,
    /// A user asked to go on.
    Resume,
}

/// A move that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a task that is {state:?} cannot {event:?}")]
pub struct IllegalMove {
    pub state: TaskState,
    pub event: TaskEvent,
}

/// The state after an event; live runs and recovery both move by this table.
pub fn next_state(state: TaskState, event: TaskEvent) -> Result<TaskState, IllegalMove> {
    use TaskEvent as E;
    use TaskState as S;
    match (state, event) {
        (S::Pending | S::Running, E::Start) => Ok(S::Running),
        (S::Running, E::Finish) => Ok(S::Succeeded),
        (S::Pending | S::Running, E::Fail) => Ok(S::Failed),
        (S::Pending | S::Running, E::Cancel) => Ok(S::Cancelled),
        (S::Pending | S::Running, E::Pause) => Ok(S::Paused),
        (S::Failed | S::Cancelled | S::Paused, E::Resume) => Ok(S::Pending),
        (state, event) => Err(IllegalMove { state, event }),
    }
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl StepState {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One step of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    /// The word of a [`StepKind`](crate::plan::StepKind); a newer runner may have more of them.
    pub kind: String,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    pub state: StepState,
    pub bytes_done: u64,
    pub bytes_total: u64,
    /// The last error; a running step that has one is being retried.
    pub error: String,
    /// What it is doing now, for people.
    pub note: String,
    /// What has become of the task's limits on its node; none if it moves nothing, or if the task has none.
    pub limits: Option<StepLimits>,
}

/// A task as the task-runner has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub kind: TaskKind,
    pub state: TaskState,
    /// Counts runs: 1, and one more for each resume.
    pub attempt: u32,
    pub cluster: ClusterName,
    /// The backup that it is about, if it is about one.
    pub backup: Option<BackupRef>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub steps: Vec<Step>,
    pub error: String,
    pub findings: Vec<Finding>,
    pub priority: Priority,
    /// Set while it waits for its turn.
    pub waiting: Option<Waiting>,
    /// Set while it is paused.
    pub paused: Option<Paused>,
    /// What it may take on each node; none unless it was ever set.
    pub limits: Option<TransferLimits>,
    /// What a task that verifies a backup has found.
    pub verification: Option<VerifyReport>,
    /// What a task that deletes a backup has removed.
    pub deletion: Option<Deletion>,
    /// What a task that applies retention has done so far.
    pub retention: Option<RetentionReport>,
    /// What a task that collects garbage has done.
    pub collection: Option<RetentionReport>,
    /// Of a maintenance task: its jobs, as the command line has them.
    pub maintenance: Vec<String>,
}

/// What deleting a backup has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub objects: u64,
    /// Freed in the store: 0 if it keeps versions.
    pub bytes: u64,
    /// The bucket keeps the bytes as older versions of its objects.
    #[serde(default)]
    pub versions_remain: bool,
}

/// How far long work is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub bytes_done: u64,
    /// 0 if it is not known yet.
    pub bytes_total: u64,
    /// Files, objects or SSTables, whichever the work is about.
    pub items_done: u64,
    pub items_total: u64,
    /// What is being worked on now, for people.
    pub note: String,
}

impl Task {
    /// 0 to 1: the mean of its steps, each by its bytes if it has any. A task that succeeded is done, also if a last step
    /// that only tidies up was given up.
    pub fn progress(&self) -> f64 {
        if self.state == TaskState::Succeeded {
            return 1.0;
        }
        if self.steps.is_empty() {
            return 0.0;
        }
        let done: f64 = self.steps.iter().map(Step::progress).sum();
        done / self.steps.len() as f64
    }
}

impl Step {
    fn progress(&self) -> f64 {
        match self.state {
            StepState::Succeeded => 1.0,
            _ if self.bytes_total > 0 => {
                (self.bytes_done as f64 / self.bytes_total as f64).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_task_moves_only_when_resumed() {
        for state in [
            TaskState::Succeeded,
            TaskState::Failed,
            TaskState::Cancelled,
        ] {
            for event in [
                TaskEvent::Start,
                TaskEvent::Finish,
                TaskEvent::Fail,
                TaskEvent::Cancel,
            ] {
                assert!(next_state(state, event).is_err(), "{state:?} {event:?}");
            }
        }
        assert_eq!(
            next_state(TaskState::Failed, TaskEvent::Resume),
            Ok(TaskState::Pending)
        );
        assert!(next_state(TaskState::Succeeded, TaskEvent::Resume).is_err());
    }

    #[test]
    fn a_paused_task_only_goes_on_by_a_resume() {
        let paused = next_state(TaskState::Running, TaskEvent::Pause);
        assert_eq!(paused, Ok(TaskState::Paused));
        assert!(!TaskState::Paused.is_final());
        for event in [
            TaskEvent::Start,
            TaskEvent::Finish,
            TaskEvent::Fail,
            TaskEvent::Cancel,
            TaskEvent::Pause,
        ] {
            assert!(next_state(TaskState::Paused, event).is_err(), "{event:?}");
        }
        let resumed = next_state(TaskState::Paused, TaskEvent::Resume);
        assert_eq!(resumed, Ok(TaskState::Pending));
    }

    #[test]
    fn a_task_found_running_after_a_crash_is_started_again() {
        assert_eq!(
            next_state(TaskState::Running, TaskEvent::Start),
            Ok(TaskState::Running)
        );
    }
}
