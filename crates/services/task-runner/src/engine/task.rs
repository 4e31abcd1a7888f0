//! A task as it is kept: a small record, its steps, which never change, and the status of each step.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use model::plan::StepKind;
use model::task::{Step, StepState, Task, TaskKind, TaskState};
use model::{BackupRef, ClusterName, Finding, TaskId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Whether it is a restore in place, which keeps old files.
    #[serde(default)]
    pub in_place: bool,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
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
            in_place: false,
            created_at: now,
            finished_at: None,
            error: String::new(),
            has_findings: false,
            ending: None,
            past_point_of_no_return: false,
            made_something: false,
            cleaned: false,
            untidy: false,
            first_ended: None,
            reset: None,
        }
    }

    /// Whether it has left something behind that a resume can go on from and a cancellation would undo.
    pub fn has_leftovers(&self) -> bool {
        self.made_something && !self.cleaned
    }

    /// When the task last had its cluster to itself.
    pub fn ended(&self) -> Option<Timestamp> {
        self.first_ended.or(self.finished_at)
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

/// A step of a task. Never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskStep {
    pub id: String,
    pub kind: StepKind,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    /// Places of the steps that it waits for.
    pub after: Vec<usize>,
}

/// What has become of a step so far. A step without a status of its own is pending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepStatus {
    pub state: StepState,
    /// Whether it was ever started. A resume sets steps back to pending, and what they did stays to be undone.
    #[serde(default)]
    pub attempted: bool,
    #[serde(default)]
    pub bytes_done: u64,
    #[serde(default)]
    pub bytes_total: u64,
    /// The last error; a running step that has one is being retried.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// What it is doing now, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What it found out that later steps need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Default for StepStatus {
    fn default() -> Self {
        Self {
            state: StepState::Pending,
            attempted: false,
            bytes_done: 0,
            bytes_total: 0,
            error: String::new(),
            note: String::new(),
            output: None,
            findings: Vec::new(),
        }
    }
}

/// All of a task in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LiveTask {
    pub record: TaskRecord,
    pub steps: Arc<Vec<TaskStep>>,
    /// One for each step.
    pub statuses: Vec<StepStatus>,
    /// Findings of the task as a whole.
    pub findings: Vec<Finding>,
}

impl LiveTask {
    /// A task none of whose steps has run.
    pub fn new(record: TaskRecord, steps: Vec<TaskStep>) -> Self {
        Self {
            record,
            statuses: vec![StepStatus::default(); steps.len()],
            steps: Arc::new(steps),
            findings: Vec::new(),
        }
    }

    /// Whether a step of this kind may have reached the other side, on any node.
    pub fn was_attempted(&self, kind: StepKind) -> bool {
        self.attempted(kind).next().is_some()
    }

    /// The steps of this kind that may have reached the other side.
    pub fn attempted(&self, kind: StepKind) -> impl Iterator<Item = &TaskStep> {
        let each = self.steps.iter().zip(&self.statuses);
        each.filter(move |(step, status)| step.kind == kind && status.attempted)
            .map(|(step, _)| step)
    }

    /// Whether a step of this kind has succeeded, on any node.
    pub fn has_succeeded(&self, kind: StepKind) -> bool {
        let mut each = self.steps.iter().zip(&self.statuses);
        each.any(|(step, status)| step.kind == kind && status.state == StepState::Succeeded)
    }

    /// The nodes on which a step of this kind may have reached the other side, and no step of the kind `ended` has
    /// succeeded since.
    pub fn nodes_left(&self, kind: StepKind, ended: StepKind) -> Vec<&str> {
        let is_ended = |node: &str| {
            let mut each = self.steps.iter().zip(&self.statuses);
            each.any(|(step, status)| {
                step.kind == ended && step.node == node && status.state == StepState::Succeeded
            })
        };
        let nodes = self.attempted(kind).map(|step| step.node.as_str());
        nodes.filter(|node| !is_ended(node)).collect()
    }

    /// What the task waits for, if each of its running steps has failed and is to be tried again.
    pub fn retrying(&self) -> Option<String> {
        let each = self.steps.iter().zip(&self.statuses);
        let mut running = each.filter(|(_, status)| status.state == StepState::Running);
        let (step, first) = running.clone().next()?;
        let all_fail = running.all(|(_, status)| !status.error.is_empty());
        all_fail.then(|| format!("step `{}` is being retried: {}", step.id, first.error))
    }

    /// What a step found out, if it has succeeded.
    pub fn output<T: DeserializeOwned>(&self, id: &str) -> Option<T> {
        let at = self.steps.iter().position(|step| step.id == id)?;
        T::deserialize(self.statuses[at].output.as_ref()?).ok()
    }

    /// Sets steps back as a resume has asked for; returns their places. Doing it again changes nothing more.
    pub fn apply_reset(&mut self) -> Vec<usize> {
        let mut changed = Vec::new();
        for (at, status) in self.statuses.iter_mut().enumerate() {
            match self.record.reset {
                None => {}
                Some(Reset::All) => {
                    *status = StepStatus::default();
                    changed.push(at);
                }
                Some(Reset::Unfinished) if status.state != StepState::Succeeded => {
                    status.state = StepState::Pending;
                    status.error = String::new();
                    status.note = String::new();
                    status.findings.clear();
                    changed.push(at);
                }
                Some(Reset::Unfinished) => {}
            }
        }
        changed
    }

    /// The task as its users see it.
    pub fn view(&self) -> Task {
        let record = &self.record;
        let of_steps = self.statuses.iter().flat_map(|status| &status.findings);
        Task {
            id: record.id,
            kind: record.kind,
            state: record.state,
            attempt: record.attempt,
            cluster: record.cluster.clone(),
            backup: record.backup.clone(),
            created_at: record.created_at,
            finished_at: record.finished_at,
            steps: self.step_views(),
            error: record.error.clone(),
            findings: of_steps.chain(&self.findings).cloned().collect(),
            verification: None,
            deletion: None,
        }
    }

    fn step_views(&self) -> Vec<Step> {
        let each = self.steps.iter().zip(&self.statuses);
        each.map(|(step, status)| Step {
            id: step.id.clone(),
            kind: step.kind.to_string(),
            node: step.node.clone(),
            state: status.state,
            bytes_done: status.bytes_done,
            bytes_total: status.bytes_total,
            error: status.error.clone(),
            note: status.note.clone(),
        })
        .collect()
    }
}

/// A task that its driver writes and its running steps read. The locks are held for moments only.
#[derive(Clone)]
pub(crate) struct SharedTask(Arc<RwLock<LiveTask>>);

impl SharedTask {
    pub fn new(task: LiveTask) -> Self {
        Self(Arc::new(RwLock::new(task)))
    }

    pub fn read(&self) -> RwLockReadGuard<'_, LiveTask> {
        self.0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, LiveTask> {
        self.0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
