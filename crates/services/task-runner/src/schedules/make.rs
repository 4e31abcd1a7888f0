//! Makes the backup of a run.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use api::{ErrorKind, ServiceError};
use jiff::Timestamp;
use model::task::QueueOptions;
use model::{BackupRef, Finding, Severity, TaskId};
use plan::codes::{self, Code};
use schedule::{Active, PastRun, Run, RunOutcome, ScheduleState};
use state_store::StateError;
use uuid::Uuid;

use super::store::{self, Stored};
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::kinds::backup::{self, Created, NewBackup};

/// The catalog's word for a differential backup without a full one to build on.
const NO_BASE: &str = "NO_BASE";

/// A run that a caller makes at this moment: the loop that carries out schedules leaves it alone.
pub(super) struct ByHand<'a> {
    engine: &'a Engine,
    task: Option<TaskId>,
}

impl<'a> ByHand<'a> {
    pub fn begin(engine: &'a Engine, task: Option<TaskId>) -> Self {
        tasks_by_hand(engine).extend(task);
        Self { engine, task }
    }

    pub fn has(engine: &Engine, task: TaskId) -> bool {
        tasks_by_hand(engine).contains(&task)
    }
}

impl Drop for ByHand<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            tasks_by_hand(self.engine).remove(&task);
        }
    }
}

fn tasks_by_hand(engine: &Engine) -> MutexGuard<'_, BTreeSet<TaskId>> {
    engine
        .by_hand
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Makes a run the one that has not ended, with the id that its task will have. Returns its record.
pub(super) fn announce(state: &mut ScheduleState, run: &Run, now: Timestamp) -> PastRun {
    let task = TaskId(Uuid::now_v7());
    state.task = Some(task);
    state.progress.active = Some(Active {
        due: run.due,
        started_at: now,
    });
    PastRun::begun(run, Some(task))
}

/// What came of creating the task of a run.
enum Came {
    /// There is a task, or another runner creates it now: the next tick sees what has become of it.
    Task,
    /// Nothing, but another try may end better.
    Nothing { why: String, lacks_base: bool },
    /// It is refused for good.
    Refusal { why: String },
}

/// Creates the task of a run that was announced. If it cannot be created now, the run waits again, unless it was refused.
pub(super) async fn make(
    engine: &Arc<Engine>,
    stored: Stored,
    run: &Run,
) -> Result<(), RunnerError> {
    let created = create(engine, &stored.state, run).await;
    match came(engine, &stored, &created).await? {
        Came::Task => Ok(()),
        Came::Nothing { why, lacks_base } => wait_again(engine, stored, run, why, lacks_base).await,
        Came::Refusal { why } => refused(engine, stored, run, why, false).await,
    }
}

/// The same for a caller who waits for the outcome: nothing waits again.
pub(super) async fn make_for_caller(
    engine: &Arc<Engine>,
    stored: Stored,
    run: &Run,
) -> Result<Created, RunnerError> {
    let created = create(engine, &stored.state, run).await;
    match came(engine, &stored, &created).await? {
        // The loop that carries out schedules may have found the run first.
        Came::Task => {
            let schedule = &stored.state.schedule;
            return created.or_else(|_| {
                Ok(Created {
                    task: stored.state.task,
                    backup: BackupRef {
                        cluster: schedule.cluster.clone(),
                        name: run.backup.clone(),
                    },
                    findings: Vec::new(),
                })
            });
        }
        Came::Nothing { why, lacks_base } => {
            refused(engine, stored, run, why, lacks_base).await?;
        }
        Came::Refusal { why } => refused(engine, stored, run, why, false).await?,
    }
    created
}

async fn came(
    engine: &Engine,
    stored: &Stored,
    created: &Result<Created, RunnerError>,
) -> Result<Came, RunnerError> {
    Ok(match created {
        Ok(Created { task: Some(_), .. }) => Came::Task,
        Err(_) if may_exist(engine, stored).await? => Came::Task,
        Ok(Created { findings, .. }) if may_pass(findings) => Came::Nothing {
            why: refusals(findings),
            lacks_base: false,
        },
        Ok(Created { findings, .. }) => Came::Refusal {
            why: refusals(findings),
        },
        Err(error) if is_final(error) => Came::Refusal {
            why: api::error::chain(error),
        },
        Err(error) => Came::Nothing {
            why: api::error::chain(error),
            lacks_base: lacks_base(error),
        },
    })
}

/// Whether the task of a run was created, or may be being created by another.
async fn may_exist(engine: &Engine, stored: &Stored) -> Result<bool, RunnerError> {
    let Some(id) = stored.state.task else {
        return Ok(false);
    };
    let tasks = &engine.context.tasks;
    if tasks.get(id).await?.is_some() {
        return Ok(true);
    }
    match tasks.acquire(id, &engine.holder).await {
        Ok(fence) => {
            tasks.release(&fence).await;
            Ok(tasks.get(id).await?.is_some())
        }
        Err(StateError::LeaseHeld { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

async fn create(
    engine: &Arc<Engine>,
    state: &ScheduleState,
    run: &Run,
) -> Result<Created, RunnerError> {
    let schedule = &state.schedule;
    let new = NewBackup {
        task: state.task,
        cluster: schedule.cluster.clone(),
        name: Some(run.backup.clone()),
        kind: run.kind,
        selection: schedule.selection.clone(),
        base: None,
        keep_damaged: false,
        reupload: false,
        completeness: schedule.completeness,
        queue: QueueOptions::default(),
        since: Some(run.due),
    };
    backup::create(engine.clone(), new).await
}

/// Whether trying again would end the same.
fn is_final(error: &RunnerError) -> bool {
    !matches!(error, RunnerError::ClusterBusy { .. })
        && error.kind() != ErrorKind::Unavailable
        && !lacks_base(error)
}

fn lacks_base(error: &RunnerError) -> bool {
    matches!(error, RunnerError::Remote { error, .. } if error.reason == NO_BASE)
}

/// What may be over in a moment: an agent or a node is started again, a change of the schema spreads.
const MAY_PASS: [Code; 3] = [
    codes::AGENT_UNREACHABLE,
    codes::NODE_UNHEALTHY,
    codes::SCHEMA_DISAGREEMENT,
];

/// Whether all that refuses a backup may pass by itself.
fn may_pass(findings: &[Finding]) -> bool {
    let mut refusals = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refusal);
    refusals.all(|finding| MAY_PASS.iter().any(|code| code.name == finding.code))
}

fn refusals(findings: &[Finding]) -> String {
    let refusals = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refusal);
    let texts: Vec<String> = refusals
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect();
    texts.join("; ")
}

async fn refused(
    engine: &Engine,
    mut stored: Stored,
    run: &Run,
    why: String,
    lacks_base: bool,
) -> Result<(), RunnerError> {
    let schedule = &stored.state.schedule;
    tracing::error!(cluster_id = %schedule.cluster, schedule = %schedule.name, backup = %run.backup, why, "scheduled backup refused");
    let past = PastRun {
        outcome: RunOutcome::Refused,
        detail: why,
        ..PastRun::begun(run, None)
    };
    stored.state.note_outcome(RunOutcome::Refused, 1);
    stored.state.progress.active = None;
    stored.state.task = None;
    if lacks_base {
        // The next run is full.
        stored.state.progress.last_full = None;
    }
    // If another has changed the schedule meanwhile, the run is found without a task, and made again.
    store::save_with(&engine.context, stored, &[past], None).await?;
    Ok(())
}

async fn wait_again(
    engine: &Engine,
    mut stored: Stored,
    run: &Run,
    why: String,
    lacks_base: bool,
) -> Result<(), RunnerError> {
    tracing::warn!(backup = %run.backup, why, "scheduled backup waits");
    let past = PastRun {
        detail: why,
        ..PastRun::begun(run, None)
    };
    let state = &mut stored.state;
    (state.progress.active, state.task) = (None, None);
    state.progress.waiting = Some(run.due);
    if lacks_base {
        // The next try is full.
        state.progress.last_full = None;
    }
    store::save_with(&engine.context, stored, &[past], None).await?;
    Ok(())
}
