//! An event as receivers get it.

use jiff::Timestamp;
use model::ClusterName;
use model::task::{TaskState, TransferLimits};
use schedule::ScheduleState;
use serde::{Deserialize, Serialize};

use crate::engine::TaskRecord;

/// Error text that travels with an event.
const ERROR_BYTES_MAX: usize = 2 << 10;

/// Something that happened. docs/events.md has the fields; they are never removed or given another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// 1.
    pub version: u32,
    /// Of what happened, and not of a message: the same if it is sent again.
    pub id: String,
    pub event: Kind,
    pub at: Timestamp,
    pub cluster: ClusterName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskPart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<SchedulePart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    TaskStarted,
    TaskResumed,
    TaskPaused,
    TaskLimitsChanged,
    TaskSucceeded,
    TaskFailed,
    TaskCancelled,
    ObjectiveBroken,
    ObjectiveRestored,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskPart {
    pub id: model::TaskId,
    pub kind: model::task::TaskKind,
    /// 1, and one more for each resume.
    pub attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// What it may take on each node, if that was ever set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<TransferLimits>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SchedulePart {
    pub name: String,
    #[serde(default)]
    pub objective_seconds: Option<u64>,
    #[serde(default)]
    pub last_good_start: Option<Timestamp>,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskStarted => "task_started",
            Self::TaskResumed => "task_resumed",
            Self::TaskPaused => "task_paused",
            Self::TaskLimitsChanged => "task_limits_changed",
            Self::TaskSucceeded => "task_succeeded",
            Self::TaskFailed => "task_failed",
            Self::TaskCancelled => "task_cancelled",
            Self::ObjectiveBroken => "objective_broken",
            Self::ObjectiveRestored => "objective_restored",
        }
    }
}

impl Event {
    /// What a driver begins with that takes this task; none if it only goes on. Not when the task is created: it may be
    /// discarded because its cluster is busy.
    pub fn begun(record: &TaskRecord, now: Timestamp) -> Option<Self> {
        if record.reset.is_some() {
            return Some(Self::of_task(record, Kind::TaskResumed, now));
        }
        // One that had ended and is taken back starts nothing.
        let is_new = record.state == TaskState::Pending && record.first_ended.is_none();
        is_new.then(|| Self::of_task(record, Kind::TaskStarted, record.created_at))
    }

    /// A task has ended; none if it has not.
    pub fn ended(record: &TaskRecord) -> Option<Self> {
        let kind = match record.state {
            TaskState::Succeeded => Kind::TaskSucceeded,
            TaskState::Failed => Kind::TaskFailed,
            TaskState::Cancelled => Kind::TaskCancelled,
            TaskState::Pending | TaskState::Running | TaskState::Paused => return None,
        };
        Some(Self::of_task(record, kind, record.finished_at?))
    }

    /// A task is paused; none if it is not.
    pub fn paused(record: &TaskRecord) -> Option<Self> {
        let paused = record.paused.as_ref()?;
        Some(Self::of_task(record, Kind::TaskPaused, paused.since))
    }

    /// A task may take more or less on each node from now on.
    pub fn limits_changed(record: &TaskRecord, now: Timestamp) -> Self {
        Self::of_task(record, Kind::TaskLimitsChanged, now)
    }

    fn of_task(record: &TaskRecord, kind: Kind, at: Timestamp) -> Self {
        let mut error = match (&record.paused, kind) {
            (Some(paused), Kind::TaskPaused) => paused.why.clone(),
            _ => record.error.clone(),
        };
        if error.len() > ERROR_BYTES_MAX {
            error.truncate(error.floor_char_boundary(ERROR_BYTES_MAX));
            error.push('…');
        }
        Self {
            version: 1,
            // With the time: a task that has failed, and is cancelled, may fail again in the same attempt.
            id: format!(
                "{}-{}-{}-{}",
                record.id,
                record.attempt,
                kind.as_str(),
                at.as_microsecond()
            ),
            event: kind,
            at,
            cluster: record.cluster.clone(),
            task: Some(TaskPart {
                id: record.id,
                kind: record.kind,
                attempt: record.attempt,
                backup: record.backup.as_ref().map(|backup| backup.name.to_string()),
                error,
                limits: record.limits,
            }),
            schedule: None,
        }
    }

    /// The objective of a schedule is broken, or met again.
    pub fn objective(state: &ScheduleState, is_broken: bool, now: Timestamp) -> Self {
        let schedule = &state.schedule;
        let kind = match is_broken {
            true => Kind::ObjectiveBroken,
            false => Kind::ObjectiveRestored,
        };
        let (cluster, name) = (&schedule.cluster, &schedule.name);
        let time = now.as_microsecond();
        Self {
            version: 1,
            id: format!("{cluster}-{name}-{}-{time}", kind.as_str()),
            event: kind,
            at: now,
            cluster: cluster.clone(),
            task: None,
            schedule: Some(SchedulePart {
                name: name.to_string(),
                objective_seconds: schedule.objective.map(|objective| objective.seconds),
                last_good_start: state.last_good_start,
            }),
        }
    }

    /// One line, for those who follow the log instead. Written once what happened is on disk; a crash in between loses it.
    pub fn log(&self) {
        let task = self.task.as_ref();
        tracing::info!(
            target: "events",
            event = self.event.as_str(),
            event_id = self.id,
            cluster_id = %self.cluster,
            task_id = task.map(|task| task.id.to_string()),
            kind = task.map(|task| task.kind.as_str()),
            backup = task.and_then(|task| task.backup.as_deref()),
            error = task.map(|task| task.error.as_str()).filter(|error| !error.is_empty()),
            schedule = self.schedule.as_ref().map(|schedule| schedule.name.as_str()),
            "event"
        );
    }
}
