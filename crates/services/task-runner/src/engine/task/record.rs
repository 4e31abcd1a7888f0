//! What is kept of a task as a whole.

use jiff::Timestamp;
use model::task::{Paused, Priority, QueueOptions, TaskKind, TaskState, TransferLimits, Waiting};
use model::{BackupRef, ClusterName, TaskId};
use serde::{Deserialize, Serialize};

use super::limits::LimitsHistory;
use crate::engine::need::Need;
use crate::engine::queue::{Phase, Unfinished};

/// What is kept of a task as a whole. It is written often, so what is large is kept apart: the steps and whatever the
/// task's kind needs are documents, and each step has its status under a key of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    pub id: TaskId,
    pub kind: TaskKind,
    pub state: TaskState,
    /// Counts runs: 1, and one more for each resume.
    pub attempt: u32,
    pub cluster: ClusterName,
    pub backup: Option<BackupRef>,
    /// The restore in place that the task accepts or rolls back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<TaskId>,
    /// Of a maintenance task: its jobs, as the command line has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Of a maintenance task that a document asks for: the key of that document's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The hash of that document's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_hash: Option<String>,
    /// Whether it is a restore in place, which keeps old files.
    #[serde(default)]
    pub in_place: bool,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// When a step last got further or succeeded, or the task was resumed. None before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressed_at: Option<Timestamp>,
    #[serde(default)]
    pub error: String,
    /// Whether findings of the task as a whole are kept as a document. Those of steps are in their status.
    #[serde(default)]
    pub has_findings: bool,
    /// Set once the task is on its way to an end other than success.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// Whether a step was started after which there is no way back, only forward.
    #[serde(default)]
    pub past_point_of_no_return: bool,
    /// Whether a step was started that leaves something outside that must be undone if the task is given up.
    #[serde(default)]
    pub made_something: bool,
    /// Whether everything that the task had made was undone.
    #[serde(default)]
    pub cleaned: bool,
    /// Whether something that only tidies up has failed, so that it may be worth another try once the task has ended.
    #[serde(default)]
    pub untidy: bool,
    /// When a task that was resumed had ended for the first time.
    #[serde(default)]
    pub first_ended: Option<Timestamp>,
    /// Steps that go back to pending before the task is driven again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// What it needs of its cluster; none: nothing, or all of it if its kind claims the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// None: that of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Set until it has had its turn. A paused task that had not had it keeps its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Whether it has had its turn before it waits again, because it was resumed while another task has its cluster.
    #[serde(default)]
    pub had_turn: bool,
    /// When a task that gave its cluster up had read all of it that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Whether it waits if another task has its cluster; otherwise it ends then.
    #[serde(default)]
    pub waits_for_cluster: bool,
    /// Whether it is paused, and does not fail, if the retries of a step run out.
    #[serde(default)]
    pub pauses: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// What it may take on each node; none unless it was ever set, so that agents are called at all only if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<TransferLimits>,
    /// How often they were set, and by which requests.
    #[serde(default, skip_serializing_if = "LimitsHistory::is_empty")]
    pub limits_history: LimitsHistory,
}

/// Which steps a resume sets back to pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reset {
    /// Those that have not succeeded.
    Unfinished,
    /// All, as if none had ever run: what they had made was undone.
    All,
}

impl TaskRecord {
    /// A task that is about to be created.
    pub fn new(id: TaskId, kind: TaskKind, cluster: ClusterName, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            state: TaskState::Pending,
            attempt: 1,
            cluster,
            backup: None,
            restore: None,
            jobs: Vec::new(),
            document: None,
            document_hash: None,
            in_place: false,
            created_at: now,
            finished_at: None,
            progressed_at: None,
            error: String::new(),
            has_findings: false,
            ending: None,
            past_point_of_no_return: false,
            made_something: false,
            cleaned: false,
            untidy: false,
            first_ended: None,
            reset: None,
            need: None,
            priority: None,
            waiting: None,
            had_turn: false,
            read_at: None,
            waits_for_cluster: false,
            pauses: false,
            paused: None,
            limits: None,
            limits_history: LimitsHistory::default(),
        }
    }

    /// The same, taking its place among the others as it was asked for.
    #[must_use]
    pub fn queued(self, options: QueueOptions) -> Self {
        Self {
            priority: options.priority,
            waits_for_cluster: options.wait,
            ..self
        }
    }

    /// The same, with the place of one that was asked for then.
    #[must_use]
    pub fn waits_since(self, since: Timestamp) -> Self {
        let waiting = Waiting {
            since,
            task: None,
            kind: None,
            why: "it has just been created".to_owned(),
        };
        Self {
            waiting: Some(waiting),
            ..self
        }
    }

    pub fn priority(&self) -> Priority {
        self.priority.unwrap_or(Priority::of(self.kind))
    }

    /// Whether its claims count.
    pub fn may_hold_cluster(&self) -> bool {
        let keeps = self
            .paused
            .as_ref()
            .is_none_or(|paused| paused.keeps_cluster);
        !self.state.is_final() && keeps
    }

    /// Whether it has left something behind that a resume can go on from and a cancellation would undo.
    pub fn has_leftovers(&self) -> bool {
        self.made_something && !self.cleaned
    }

    /// Whether something may have to be undone if the task is given up: not if it waits for its first turn and holds nothing.
    pub fn may_have_made(&self) -> bool {
        self.waiting.is_none() || self.had_turn || self.made_something
    }

    /// When what others had done to the cluster was last seen by a task that has ended; none if it has not.
    pub fn saw_cluster_until(&self) -> Option<Timestamp> {
        let ended = self.finished_at?;
        Some(self.read_at.unwrap_or(ended))
    }

    /// When the task last had its cluster to itself.
    pub fn ended(&self) -> Option<Timestamp> {
        self.first_ended.or(self.finished_at)
    }
}

impl From<&TaskRecord> for Unfinished {
    fn from(record: &TaskRecord) -> Self {
        let phase = match (&record.waiting, record.state) {
            (_, TaskState::Paused) => Phase::Paused,
            (Some(waiting), _) => Phase::Waiting {
                since: waiting.since,
                blocked: waiting.task.is_some(),
            },
            (None, _) => Phase::Running,
        };
        Self {
            cluster: record.cluster.clone(),
            kind: record.kind,
            priority: record.priority(),
            need: record.need.clone(),
            phase,
        }
    }
}

/// Where a task is going that will not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub outcome: Outcome,
    pub reason: String,
    /// Whether what the task made has to be undone on the way.
    pub clean: bool,
    /// Whether a user has ended it as it is, with nothing undone.
    #[serde(default)]
    pub forced: bool,
}

impl Ending {
    /// The end of a task as it is.
    pub fn by_force(record: &TaskRecord) -> Self {
        let reason = match &record.ending {
            None => "ended by force on request".to_owned(),
            // Asked for twice, it is the same.
            Some(ending) if ending.forced => ending.reason.clone(),
            Some(ending) => format!("ended by force on request, after: {}", ending.reason),
        };
        Self {
            outcome: Outcome::Failed,
            reason,
            clean: false,
            forced: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Failed,
    Cancelled,
}
