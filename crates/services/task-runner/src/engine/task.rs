//! A task as it is kept: a small record, its steps, which never change, and the status of each step.

mod limits;
mod record;
mod step;

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use model::Finding;
use model::plan::StepKind;
use model::task::{Step, StepLimits, StepState, Task, TaskState};
use serde::de::DeserializeOwned;

pub(crate) use limits::{AskedLimits, LimitsRequest, REQUESTS_MAX};
pub(crate) use record::{Ending, Outcome, Reset, TaskRecord};
pub(crate) use step::{StepStatus, TaskStep};

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

    /// Whether no step of another kind may have reached the other side.
    pub fn has_attempted_only(&self, kinds: &[StepKind]) -> bool {
        let each = self.steps.iter().zip(&self.statuses);
        let mut attempted = each.filter(|(_, status)| status.attempted);
        attempted.all(|(step, _)| kinds.contains(&step.kind))
    }

    /// Whether all steps of this kind have succeeded.
    pub fn have_all_succeeded(&self, kind: StepKind) -> bool {
        let each = self.steps.iter().zip(&self.statuses);
        let mut of_kind = each.filter(|(step, _)| step.kind == kind);
        of_kind.all(|(_, status)| status.state == StepState::Succeeded)
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

    /// Notes that the agent of a step has not been asked for the limits of the task yet, if it is to be.
    pub fn open_limits(&mut self, at: usize, limited: &[StepKind]) {
        let is_limited = limited.contains(&self.steps[at].kind);
        let limits = self.record.limits.filter(|_| is_limited);
        self.statuses[at].limits = limits.map(StepLimits::to_be_set);
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
            retention: None,
            collection: None,
            maintenance: record.jobs.clone(),
            priority: record.priority(),
            waiting: match record.state {
                TaskState::Pending => record.waiting.clone(),
                _ => None,
            },
            paused: match record.state {
                TaskState::Paused => record.paused.clone(),
                _ => None,
            },
            limits: record.limits,
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
            limits: status.limits.clone(),
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
