//! A schedule with how far it has come, and its runs so far.

use jiff::Timestamp;
use model::manifest::BackupKind;
use model::{BackupName, TaskId};
use serde::{Deserialize, Serialize};

use crate::{Progress, RecoveryPoint, Run, Schedule, SkipReason};

/// A schedule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleState {
    /// As it was last written.
    pub schedule: Schedule,
    /// How far it has come.
    pub progress: Progress,
    /// The task of the run that has not ended. It is named before the task is created, so that a run is never made twice.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// When the last run that succeeded had started.
    #[serde(default)]
    pub last_good_start: Option<Timestamp>,
    /// When the schedule was made.
    pub created_at: Timestamp,
}

impl ScheduleState {
    /// A schedule that nothing is known of: no run before now is due.
    pub fn new(schedule: Schedule, now: Timestamp) -> Self {
        Self {
            schedule,
            progress: Progress::new(now),
            task: None,
            last_good_start: None,
            created_at: now,
        }
    }

    /// Whether its objective is met; none if it has none.
    pub fn recovery_point(&self, now: Timestamp) -> Option<RecoveryPoint> {
        let objective = self.schedule.objective?;
        Some(objective.state(self.last_good_start, now))
    }
}

/// A run that came, or runs that were left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    /// When it, or the first of them, was due.
    pub first_due: Timestamp,
    /// When the last of them was due.
    pub last_due: Timestamp,
    /// How many.
    pub runs: u64,
    /// What became of it.
    pub outcome: RunOutcome,
    /// The backup, unless the runs were left out.
    #[serde(default)]
    pub backup: Option<BackupName>,
    /// Its kind.
    #[serde(default)]
    pub kind: Option<BackupKind>,
    /// Its task.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// Why it did not succeed, for people.
    #[serde(default)]
    pub detail: String,
}

impl PastRun {
    /// A run that has no end yet.
    pub fn begun(run: &Run, task: Option<TaskId>) -> Self {
        Self {
            first_due: run.due,
            last_due: run.due,
            runs: 1,
            outcome: RunOutcome::Running,
            backup: Some(run.backup.clone()),
            kind: Some(run.kind),
            task,
            detail: String::new(),
        }
    }
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// Its task has not ended.
    Running,
    /// The backup is complete.
    Succeeded,
    /// Its task failed.
    Failed,
    /// Its task was cancelled.
    Cancelled,
    /// Findings, or the catalog, refused it.
    Refused,
    /// It was left out.
    Skipped(SkipReason),
}

impl RunOutcome {
    /// Its word in documents; a run that was left out has that of the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Skipped(SkipReason::Paused) => "skipped: paused",
            Self::Skipped(SkipReason::Overlap) => "skipped: overlap",
            Self::Skipped(SkipReason::TooLate) => "skipped: too late",
            Self::Skipped(SkipReason::Superseded) => "skipped: superseded",
        }
    }
}
