//! When scheduled backups run.

use jiff::Timestamp;
use model::Zone;
use schedule::{Cron, Kinds, PastRun, RecoveryPoint, Run, ScheduleState};
use serde::Serialize;

/// The next runs of a schedule, as they come if each of them succeeds.
#[derive(Debug, Clone, Serialize)]
pub struct SchedulePreviewView {
    /// The expression.
    pub cron: String,
    /// What it means, in words.
    pub described: String,
    /// The IANA name of the time zone.
    pub zone: String,
    /// In their order.
    pub runs: Vec<RunView>,
    /// The most seconds of writes that a restore could lose; null if fewer than two runs are to come.
    pub worst_loss_seconds: Option<u64>,
    /// The objective, in seconds, if there is one.
    pub objective_seconds: Option<u64>,
}

/// A backup that a schedule makes.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// RFC 3339 in UTC: when the expression matches.
    pub due: String,
    /// RFC 3339 in UTC: when it may start, after jitter and within the window.
    pub starts_at: String,
    /// `starts_at` as clocks of the zone show it, RFC 3339.
    pub starts_at_local: String,
    /// `full` or `differential`.
    pub kind: &'static str,
    /// The name of the backup.
    pub backup: String,
}

impl SchedulePreviewView {
    /// Of an expression in a zone.
    pub fn new(cron: &Cron, zone: &Zone, runs: &[Run]) -> Self {
        Self {
            cron: cron.to_string(),
            described: cron.describe(),
            zone: zone.to_string(),
            runs: runs.iter().map(|run| RunView::new(run, zone)).collect(),
            worst_loss_seconds: None,
            objective_seconds: None,
        }
    }
}

impl RunView {
    fn new(run: &Run, zone: &Zone) -> Self {
        let local = zone.at(run.starts_at);
        Self {
            due: run.due.to_string(),
            starts_at: run.starts_at.to_string(),
            starts_at_local: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            kind: run.kind.as_str(),
            backup: run.backup.to_string(),
        }
    }
}

/// A schedule with how far it has come.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduleView {
    /// The cluster that it backs up.
    pub cluster: String,
    /// Unique within the cluster.
    pub schedule: String,
    /// The expression.
    pub cron: String,
    /// What it means, in words.
    pub described: String,
    /// The IANA name of the time zone.
    pub zone: String,
    /// RFC 3339; no run is due before it.
    pub start: Option<String>,
    /// Hours in which runs may start.
    pub window: Option<String>,
    /// Starts are spread over so many seconds.
    pub jitter_seconds: u32,
    /// `full`, `differential`, or the days whose first run is full.
    pub full: String,
    /// Both empty: every table of every user keyspace.
    pub selection: model::Selection,
    /// `all`, `quorum`, `one` or `any`.
    pub completeness: model::plan::Completeness,
    /// `wait` or `skip`.
    pub overlap: schedule::Overlap,
    /// How late a run may start.
    pub catch_up_seconds: u64,
    /// A run that takes longer is cancelled.
    pub deadline_seconds: Option<u64>,
    /// Writes of at most so many seconds may be lost.
    pub objective_seconds: Option<u64>,
    /// `met`, `broken` or `no-backup`; null without an objective.
    pub objective: Option<&'static str>,
    /// Since the last backup that succeeded had started.
    pub last_good_age_seconds: Option<u64>,
    /// Whether runs are left out now.
    pub paused: bool,
    /// Why.
    pub pause_reason: Option<String>,
    /// RFC 3339: when the pause ends by itself.
    pub pause_until: Option<String>,
    /// RFC 3339: when the next run is due; null while it is paused without an end.
    pub next_due: Option<String>,
    /// RFC 3339: when the run was due that waits for its window, another task, or the run before.
    pub waiting_due: Option<String>,
    /// The task of the run that has not ended.
    pub task_id: Option<String>,
}

/// A schedule with its runs.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduleShownView {
    /// The schedule.
    #[serde(flatten)]
    pub schedule: ScheduleView,
    /// The next runs, as they come if each of them succeeds.
    pub next: Vec<RunView>,
    /// The last ones, newest first.
    pub past: Vec<PastRunView>,
}

/// A run that came, or runs that were left out.
#[derive(Debug, Clone, Serialize)]
pub struct PastRunView {
    /// RFC 3339: when it, or the first of them, was due.
    pub first_due: String,
    /// RFC 3339: when the last of them was due.
    pub last_due: String,
    /// How many; counted up to 1,000.
    pub runs: u64,
    /// `running`, `succeeded`, `failed`, `cancelled`, `refused`, or `skipped: ` with the reason.
    pub outcome: &'static str,
    /// `full` or `differential`.
    pub kind: Option<&'static str>,
    /// The backup.
    pub backup: Option<String>,
    /// Its task.
    pub task_id: Option<String>,
    /// Why it did not succeed, for people.
    pub detail: Option<String>,
}

impl ScheduleView {
    /// As it is now.
    pub fn new(state: &ScheduleState, now: Timestamp) -> Self {
        let schedule = &state.schedule;
        let pause = schedule.pause.as_ref().filter(|_| schedule.is_paused(now));
        let resumes = match pause {
            Some(pause) => pause.until,
            None => Some(now),
        };
        Self {
            cluster: schedule.cluster.to_string(),
            schedule: schedule.name.to_string(),
            cron: schedule.cron.to_string(),
            described: schedule.cron.describe(),
            zone: schedule.zone.to_string(),
            start: schedule.start.map(|start| start.to_string()),
            window: schedule.window.map(|window| window.to_string()),
            jitter_seconds: schedule.jitter_seconds,
            full: match &schedule.kinds {
                Kinds::Full => "full".to_owned(),
                Kinds::Differential => "differential".to_owned(),
                Kinds::FullOn(days) => days.to_string(),
            },
            selection: schedule.selection.clone(),
            completeness: schedule.completeness,
            overlap: schedule.overlap,
            catch_up_seconds: schedule.catch_up_seconds,
            deadline_seconds: schedule.deadline_seconds,
            objective_seconds: schedule.objective.map(|objective| objective.seconds),
            objective: state.recovery_point(now).map(|point| match point {
                RecoveryPoint::Met { .. } => "met",
                RecoveryPoint::Broken { .. } => "broken",
                RecoveryPoint::NoBackup => "no-backup",
            }),
            last_good_age_seconds: state
                .last_good_start
                .map(|start| u64::try_from(now.duration_since(start).as_secs()).unwrap_or(0)),
            paused: pause.is_some(),
            pause_reason: pause.map(|pause| pause.reason.clone()),
            pause_until: pause
                .and_then(|pause| pause.until)
                .map(|until| until.to_string()),
            next_due: resumes
                .and_then(|from| schedule.next_due(from))
                .map(|due| due.to_string()),
            waiting_due: state.progress.waiting.map(|due| due.to_string()),
            task_id: state.task.map(|id| id.to_string()),
        }
    }
}

impl ScheduleShownView {
    /// With so many runs to come.
    pub fn new(
        view: ScheduleView,
        state: &ScheduleState,
        past: &[PastRun],
        runs: usize,
        now: Timestamp,
    ) -> Self {
        let schedule = &state.schedule;
        let next = schedule.preview(now, state.progress.last_full).take(runs);
        Self {
            schedule: view,
            next: next.map(|run| RunView::new(&run, &schedule.zone)).collect(),
            past: past.iter().map(PastRunView::from).collect(),
        }
    }
}

impl From<&PastRun> for PastRunView {
    fn from(run: &PastRun) -> Self {
        Self {
            first_due: run.first_due.to_string(),
            last_due: run.last_due.to_string(),
            runs: run.runs,
            outcome: run.outcome.as_str(),
            kind: run.kind.map(model::manifest::BackupKind::as_str),
            backup: run.backup.as_ref().map(ToString::to_string),
            task_id: run.task.map(|id| id.to_string()),
            detail: crate::some(&run.detail),
        }
    }
}
