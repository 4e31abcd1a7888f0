//! Schedules, how far they have come, and their runs.

use jiff::Timestamp;
use model::Zone;
use model::manifest::BackupKind;
use schedule::{
    Active, Alarms, Kinds, Objective, Overlap, PastRun, Pause, Progress, RunOutcome, Schedule,
    ScheduleState, SkipReason,
};

use super::{ConversionError, parsed, parsed_optional, required, time_optional};
use crate::pb::planner as planner_pb;
use crate::pb::task_runner as pb;
use crate::pb::types as types_pb;

/// Times of schedules travel as they are, because names are made of them.
fn exact(time: Timestamp) -> String {
    time.to_string()
}

fn exact_optional(time: Option<Timestamp>) -> String {
    time.map(exact).unwrap_or_default()
}

impl From<Schedule> for pb::Schedule {
    fn from(schedule: Schedule) -> Self {
        let (kind, full_on) = match schedule.kinds {
            Kinds::Full => (BackupKind::Full, String::new()),
            Kinds::Differential => (BackupKind::Differential, String::new()),
            Kinds::FullOn(days) => (BackupKind::Differential, days.to_string()),
        };
        Self {
            cluster: schedule.cluster.into(),
            name: schedule.name.into(),
            cron: schedule.cron.into(),
            zone: schedule.zone.into(),
            start: exact_optional(schedule.start),
            window: schedule.window.map(String::from).unwrap_or_default(),
            jitter_seconds: schedule.jitter_seconds,
            kind: types_pb::BackupKind::from(kind) as i32,
            full_on,
            selection: Some(schedule.selection.into()),
            completeness: planner_pb::Completeness::from(schedule.completeness) as i32,
            overlap: match schedule.overlap {
                Overlap::Wait => pb::ScheduleOverlap::Wait,
                Overlap::Skip => pb::ScheduleOverlap::Skip,
            } as i32,
            catch_up_seconds: schedule.catch_up_seconds,
            deadline_seconds: schedule.deadline_seconds.unwrap_or_default(),
            objective_seconds: schedule.objective.map_or(0, |objective| objective.seconds),
            pause: schedule.pause.map(Into::into),
        }
    }
}

impl TryFrom<pb::Schedule> for Schedule {
    type Error = ConversionError;

    fn try_from(schedule: pb::Schedule) -> Result<Self, ConversionError> {
        let kinds = kinds(&schedule)?;
        let overlap = match schedule.overlap() {
            pb::ScheduleOverlap::Unspecified | pb::ScheduleOverlap::Wait => Overlap::Wait,
            pb::ScheduleOverlap::Skip => Overlap::Skip,
        };
        let completeness = schedule.completeness().into();
        let at_least_one = |seconds: u64| (seconds > 0).then_some(seconds);
        Ok(Self {
            cluster: parsed("cluster", &schedule.cluster)?,
            name: parsed("name", &schedule.name)?,
            cron: parsed("cron", &schedule.cron)?,
            zone: parsed_optional::<Zone>("zone", &schedule.zone)?.unwrap_or_default(),
            start: parsed_optional("start", &schedule.start)?,
            window: parsed_optional("window", &schedule.window)?,
            jitter_seconds: schedule.jitter_seconds,
            kinds,
            selection: match schedule.selection {
                Some(selection) => selection.try_into()?,
                None => model::Selection::default(),
            },
            completeness,
            overlap,
            catch_up_seconds: schedule.catch_up_seconds,
            deadline_seconds: at_least_one(schedule.deadline_seconds),
            objective: at_least_one(schedule.objective_seconds)
                .map(|seconds| Objective { seconds }),
            pause: schedule.pause.map(TryInto::try_into).transpose()?,
        })
    }
}

fn kinds(schedule: &pb::Schedule) -> Result<Kinds, ConversionError> {
    let days = parsed_optional("full_on", &schedule.full_on)?;
    match (BackupKind::try_from(schedule.kind())?, days) {
        (BackupKind::Full, None) => Ok(Kinds::Full),
        (BackupKind::Differential, None) => Ok(Kinds::Differential),
        (BackupKind::Differential, Some(days)) => Ok(Kinds::FullOn(days)),
        (BackupKind::Full, Some(_)) => {
            let why = "a schedule that makes only full backups has no days for them";
            Err(ConversionError::invalid("full_on", why))
        }
    }
}

impl From<Pause> for pb::SchedulePause {
    fn from(pause: Pause) -> Self {
        Self {
            reason: pause.reason,
            until: exact_optional(pause.until),
        }
    }
}

impl TryFrom<pb::SchedulePause> for Pause {
    type Error = ConversionError;

    fn try_from(pause: pb::SchedulePause) -> Result<Self, ConversionError> {
        Ok(Self {
            reason: pause.reason,
            until: parsed_optional("pause.until", &pause.until)?,
        })
    }
}

impl From<ScheduleState> for pb::ScheduleState {
    fn from(state: ScheduleState) -> Self {
        let progress = state.progress;
        let active = progress.active.as_ref();
        Self {
            schedule: Some(state.schedule.into()),
            created_at: exact(state.created_at),
            considered: exact(progress.considered),
            waiting_due: exact_optional(progress.waiting),
            active_due: exact_optional(active.map(|active| active.due)),
            active_started_at: exact_optional(active.map(|active| active.started_at)),
            task_id: state.task.map(|id| id.to_string()).unwrap_or_default(),
            last_full_due: exact_optional(progress.last_full),
            last_good_start: time_optional(state.last_good_start),
        }
    }
}

impl TryFrom<pb::ScheduleState> for ScheduleState {
    type Error = ConversionError;

    fn try_from(state: pb::ScheduleState) -> Result<Self, ConversionError> {
        let active_due = parsed_optional("active_due", &state.active_due)?;
        let active = match active_due {
            Some(due) => Some(Active {
                due,
                started_at: parsed("active_started_at", &state.active_started_at)?,
            }),
            None => None,
        };
        Ok(Self {
            schedule: required("schedule", state.schedule)?.try_into()?,
            progress: Progress {
                considered: parsed("considered", &state.considered)?,
                waiting: parsed_optional("waiting_due", &state.waiting_due)?,
                active,
                last_full: parsed_optional("last_full_due", &state.last_full_due)?,
            },
            task: parsed_optional("task_id", &state.task_id)?,
            last_good_start: parsed_optional("last_good_start", &state.last_good_start)?,
            created_at: parsed("created_at", &state.created_at)?,
            alarms: Alarms::default(),
        })
    }
}

impl From<PastRun> for pb::PastRun {
    fn from(run: PastRun) -> Self {
        Self {
            first_due: exact(run.first_due),
            last_due: exact(run.last_due),
            runs: run.runs,
            outcome: pb::RunOutcome::from(run.outcome) as i32,
            backup: run.backup.map(String::from).unwrap_or_default(),
            task_id: run.task.map(|id| id.to_string()).unwrap_or_default(),
            detail: run.detail,
            kind: run
                .kind
                .map_or(types_pb::BackupKind::Unspecified, Into::into) as i32,
        }
    }
}

impl TryFrom<pb::PastRun> for PastRun {
    type Error = ConversionError;

    fn try_from(run: pb::PastRun) -> Result<Self, ConversionError> {
        let kind = match run.kind() {
            types_pb::BackupKind::Unspecified => None,
            kind => Some(kind.try_into()?),
        };
        Ok(Self {
            kind,
            first_due: parsed("first_due", &run.first_due)?,
            last_due: parsed("last_due", &run.last_due)?,
            runs: run.runs,
            outcome: run.outcome().try_into()?,
            backup: parsed_optional("backup", &run.backup)?,
            task: parsed_optional("task_id", &run.task_id)?,
            detail: run.detail,
        })
    }
}

impl From<RunOutcome> for pb::RunOutcome {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Running => Self::Running,
            RunOutcome::Succeeded => Self::Succeeded,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Cancelled => Self::Cancelled,
            RunOutcome::Refused => Self::Refused,
            RunOutcome::Skipped(SkipReason::Paused) => Self::SkippedPaused,
            RunOutcome::Skipped(SkipReason::Overlap) => Self::SkippedOverlap,
            RunOutcome::Skipped(SkipReason::TooLate) => Self::SkippedTooLate,
            RunOutcome::Skipped(SkipReason::Superseded) => Self::SkippedSuperseded,
        }
    }
}

impl TryFrom<pb::RunOutcome> for RunOutcome {
    type Error = ConversionError;

    fn try_from(outcome: pb::RunOutcome) -> Result<Self, ConversionError> {
        match outcome {
            pb::RunOutcome::Running => Ok(Self::Running),
            pb::RunOutcome::Succeeded => Ok(Self::Succeeded),
            pb::RunOutcome::Failed => Ok(Self::Failed),
            pb::RunOutcome::Cancelled => Ok(Self::Cancelled),
            pb::RunOutcome::Refused => Ok(Self::Refused),
            pb::RunOutcome::SkippedPaused => Ok(Self::Skipped(SkipReason::Paused)),
            pb::RunOutcome::SkippedOverlap => Ok(Self::Skipped(SkipReason::Overlap)),
            pb::RunOutcome::SkippedTooLate => Ok(Self::Skipped(SkipReason::TooLate)),
            pb::RunOutcome::SkippedSuperseded => Ok(Self::Skipped(SkipReason::Superseded)),
            pb::RunOutcome::Unspecified => Err(ConversionError::missing("outcome")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> pb::Schedule {
        pb::Schedule {
            cluster: "shop".into(),
            name: "nightly".into(),
            cron: "30 2 * * *".into(),
            zone: "Europe/Berlin".into(),
            start: "2026-12-01T00:00:00Z".into(),
            window: "22:00-06:00".into(),
            jitter_seconds: 600,
            kind: types_pb::BackupKind::Differential as i32,
            full_on: "sun".into(),
            selection: Some(types_pb::Selection {
                keyspaces: vec!["a".into()],
                tables: Vec::new(),
            }),
            completeness: planner_pb::Completeness::Quorum as i32,
            overlap: pb::ScheduleOverlap::Skip as i32,
            catch_up_seconds: 3_600,
            deadline_seconds: 7_200,
            objective_seconds: 86_400,
            pause: Some(pb::SchedulePause {
                reason: "the cluster moves".into(),
                until: "2026-12-24T00:00:00Z".into(),
            }),
        }
    }

    #[test]
    fn a_schedule_and_its_state_survive_the_wire() {
        let state = pb::ScheduleState {
            schedule: Some(sample()),
            created_at: "2026-11-01T00:00:00Z".into(),
            considered: "2026-11-02T00:00:00.5Z".into(),
            waiting_due: "2026-11-02T00:00:00Z".into(),
            active_due: "2026-11-01T00:00:00Z".into(),
            active_started_at: "2026-11-01T00:00:01Z".into(),
            task_id: "0192f000-0000-7000-8000-000000000001".into(),
            last_full_due: "2026-10-25T00:00:00Z".into(),
            last_good_start: "2026-10-31T00:00:00.000Z".into(),
        };
        let read = ScheduleState::try_from(state.clone()).expect("a state");
        assert_eq!(pb::ScheduleState::from(read), state);
    }

    #[test]
    fn what_a_schedule_cannot_be_is_refused_by_its_field() {
        type Spoil = fn(&mut pb::Schedule);
        let cases: [(&str, Spoil); 6] = [
            ("cron", |schedule| schedule.cron = "30 25 * * *".into()),
            ("name", |schedule| schedule.name = "Nightly".into()),
            ("zone", |schedule| schedule.zone = "Mars".into()),
            ("window", |schedule| schedule.window = "22".into()),
            ("kind", |schedule| schedule.kind = 0),
            ("full_on", |schedule| {
                schedule.kind = types_pb::BackupKind::Full as i32;
            }),
        ];
        for (field, spoil) in cases {
            let mut schedule = sample();
            spoil(&mut schedule);
            let error = Schedule::try_from(schedule).expect_err(field);
            assert_eq!(error.field, field);
        }
    }
}
