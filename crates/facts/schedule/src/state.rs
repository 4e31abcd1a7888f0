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
    /// What its alarms depend on.
    #[serde(default)]
    pub alarms: Alarms,
}

/// What alarms depend on that cannot be seen from the schedule now. Kept by its task-runner, and sent to no client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarms {
    /// Runs since the last good one that failed, were cancelled, were refused or could not start in time.
    pub failures: u64,
    /// When the pause began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// Whether it was reported last that the objective is broken.
    pub objective_broken: bool,
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
            alarms: Alarms::default(),
        }
    }

    /// Whether it is to be reported that the objective is broken; none if there is none. A schedule that has no backup yet has
    /// as long for the first one as its objective allows.
    pub fn objective_is_broken(&self, now: Timestamp) -> Option<bool> {
        let objective = self.schedule.objective?;
        let start = self.last_good_start.unwrap_or(self.created_at);
        Some(matches!(
            objective.state(Some(start), now),
            RecoveryPoint::Broken { .. }
        ))
    }

    /// When the next run may start, jitter and window included; in the past if it has not started yet. None while the schedule
    /// has no run to come.
    pub fn next_start(&self) -> Option<Timestamp> {
        let (schedule, progress) = (&self.schedule, &self.progress);
        let waiting = progress.waiting;
        let due = waiting.or_else(|| schedule.next_due(progress.considered))?;
        Some(schedule.starts_at(due))
    }

    /// Takes a run that has ended, or was left out, into account.
    pub fn note_outcome(&mut self, outcome: RunOutcome, runs: u64) {
        match outcome {
            RunOutcome::Succeeded => self.alarms.failures = 0,
            RunOutcome::Failed
            | RunOutcome::Cancelled
            | RunOutcome::Refused
            | RunOutcome::Skipped(SkipReason::TooLate | SkipReason::Superseded) => {
                self.alarms.failures = self.alarms.failures.saturating_add(runs);
            }
            RunOutcome::Running | RunOutcome::Skipped(SkipReason::Paused | SkipReason::Overlap) => {
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Objective;
    use crate::policy::tests::schedule;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_new_schedule_has_as_long_for_its_first_backup_as_its_objective_allows() {
        let made = time("2026-01-01T00:00:00Z");
        let mut state = ScheduleState::new(schedule("0 * * * *"), made);
        assert_eq!(
            state.objective_is_broken(time("2027-01-01T00:00:00Z")),
            None
        );
        state.schedule.objective = Some(Objective { seconds: 7_200 });
        let broken = |state: &ScheduleState, at| state.objective_is_broken(time(at));
        assert_eq!(broken(&state, "2026-01-01T02:00:00Z"), Some(false));
        assert_eq!(broken(&state, "2026-01-01T02:00:01Z"), Some(true));
        state.last_good_start = Some(time("2026-01-01T01:00:00Z"));
        assert_eq!(broken(&state, "2026-01-01T02:00:01Z"), Some(false));
        assert_eq!(broken(&state, "2026-01-01T03:00:01Z"), Some(true));
    }

    #[test]
    fn a_run_that_waits_is_the_next_one_however_late_it_is() {
        let mut state = ScheduleState::new(schedule("0 * * * *"), time("2026-01-01T00:30:00Z"));
        assert_eq!(state.next_start(), Some(time("2026-01-01T01:00:00Z")));
        state.progress.considered = time("2026-01-01T05:10:00Z");
        assert_eq!(state.next_start(), Some(time("2026-01-01T06:00:00Z")));
        state.progress.waiting = Some(time("2026-01-01T05:00:00Z"));
        assert_eq!(state.next_start(), Some(time("2026-01-01T05:00:00Z")));
        // It is not late before its window.
        state.schedule.window = Some("22:00-23:00".parse().expect("a window"));
        assert_eq!(state.next_start(), Some(time("2026-01-01T22:00:00Z")));
    }

    #[test]
    fn failures_are_counted_since_the_last_good_run_and_what_was_wanted_is_none() {
        let mut state = ScheduleState::new(schedule("0 * * * *"), time("2026-01-01T00:00:00Z"));
        for (outcome, runs, failures) in [
            (RunOutcome::Failed, 1, 1),
            (RunOutcome::Skipped(SkipReason::Paused), 5, 1),
            (RunOutcome::Skipped(SkipReason::Overlap), 5, 1),
            (RunOutcome::Skipped(SkipReason::TooLate), 3, 4),
            (RunOutcome::Skipped(SkipReason::Superseded), 1, 5),
            (RunOutcome::Refused, 1, 6),
            (RunOutcome::Cancelled, 1, 7),
            (RunOutcome::Running, 1, 7),
            (RunOutcome::Succeeded, 1, 0),
        ] {
            state.note_outcome(outcome, runs);
            assert_eq!(state.alarms.failures, failures, "{outcome:?}");
        }
    }
}
