//! What is to be done about one schedule now.

use std::sync::Arc;

use model::manifest::BackupKind;
use model::task::TaskState;
use schedule::{Decision, PastRun, RunOutcome, decide};
use state_store::Fence;

use super::make::{ByHand, announce, make};
use super::store::{self, Stored};
use crate::engine::{Engine, Keyspaces, Need, TaskRecord, Unfinished, control};
use crate::error::RunnerError;
use crate::events::Event;
use crate::retention;

/// Notes what has ended, decides, and carries the decisions out.
pub(super) async fn tick(
    engine: &Arc<Engine>,
    stored: Stored,
    leader: &Fence,
) -> Result<(), RunnerError> {
    let Some(stored) = note_end(engine, stored, Some(leader)).await? else {
        return Ok(());
    };
    let Some(stored) = note_objective(engine, stored, leader).await? else {
        return Ok(());
    };
    let Some(stored) = note_old_pause(engine, stored, leader).await? else {
        return Ok(());
    };
    let now = (engine.context.clock)();
    let state = &stored.state;
    let (cluster, selection) = (&state.schedule.cluster, &state.schedule.selection);
    let need = Need::Backup(Keyspaces::of(selection));
    let run = Unfinished::waiting_backup(cluster, need, state.progress.waiting.unwrap_or(now));
    let busy = state.task.is_none() && engine.context.tasks.is_refused(run).await?;
    let decided = decide(&state.schedule, &state.progress, now, busy);
    let is_settled =
        decided.decisions.is_empty() && decided.progress.waiting == state.progress.waiting;
    if is_settled {
        return Ok(());
    }
    carry_out(engine, stored, decided.progress, decided.decisions, leader).await
}

/// Reports when the objective breaks and when it is met again, once each. None if another has changed the schedule meanwhile.
async fn note_objective(
    engine: &Arc<Engine>,
    mut stored: Stored,
    leader: &Fence,
) -> Result<Option<Stored>, RunnerError> {
    let now = (engine.context.clock)();
    let is_broken = stored.state.objective_is_broken(now);
    if is_broken.unwrap_or(false) == stored.state.alarms.objective_broken {
        return Ok(Some(stored));
    }
    let Some(is_broken) = is_broken else {
        // The objective was removed, so it is not met again.
        stored.state.alarms.objective_broken = false;
        return store::save_with(&engine.context, stored, &[], Some(leader)).await;
    };
    stored.state.alarms.objective_broken = is_broken;
    let event = Event::objective(&stored.state, is_broken, now);
    let saved = store::save_with_event(&engine.context, stored, &event, leader).await?;
    if saved.is_some() {
        event.log();
    }
    Ok(saved)
}

/// Notes that a pause has begun that an earlier release has set: its beginning is not known. None if another has changed the
/// schedule meanwhile.
async fn note_old_pause(
    engine: &Arc<Engine>,
    mut stored: Stored,
    leader: &Fence,
) -> Result<Option<Stored>, RunnerError> {
    let now = (engine.context.clock)();
    let state = &mut stored.state;
    if !state.schedule.is_paused(now) || state.alarms.paused_at.is_some() {
        return Ok(Some(stored));
    }
    state.alarms.paused_at = Some(now);
    store::save_with(&engine.context, stored, &[], Some(leader)).await
}

/// Notes the end of the run that has not ended, or makes it if its task was never created. None if another has changed the
/// schedule meanwhile.
pub(super) async fn note_end(
    engine: &Arc<Engine>,
    mut stored: Stored,
    leader: Option<&Fence>,
) -> Result<Option<Stored>, RunnerError> {
    let state = &stored.state;
    let (Some(task), Some(active)) = (state.task, &state.progress.active) else {
        return Ok(Some(stored));
    };
    let due = active.due;
    let run = state.schedule.run(due, state.progress.last_full);
    let Some(known) = engine.context.tasks.get(task).await? else {
        if !ByHand::has(engine, task) {
            make(engine, stored, &run).await?;
        }
        return Ok(None);
    };
    let record = known.record;
    let Some(outcome) = outcome(&record) else {
        return Ok(Some(stored));
    };
    let (cluster, name) = (&state.schedule.cluster, &state.schedule.name);
    let past = store::past_run(&engine.context, cluster, name, due).await?;
    let past = PastRun {
        outcome,
        detail: record.error.clone(),
        ..past.unwrap_or_else(|| PastRun::begun(&run, Some(task)))
    };
    let state = &mut stored.state;
    state.note_outcome(outcome, 1);
    if outcome == RunOutcome::Succeeded {
        state.last_good_start = Some(record.created_at);
        // As it was made: the schedule may have been changed since.
        if past.kind == Some(BackupKind::Full) {
            state.progress.last_full = Some(due);
        }
    }
    (state.progress.active, state.task) = (None, None);
    // Together with the end, so that a runner that dies here leaves both or neither.
    let due = match outcome {
        RunOutcome::Succeeded => vec![retention::due_after(&stored.state.schedule)?],
        _ => Vec::new(),
    };
    store::save_and(&engine.context, stored, &[past], due, leader).await
}

/// What became of a task; none if it has not ended.
fn outcome(record: &TaskRecord) -> Option<RunOutcome> {
    match record.state {
        TaskState::Pending | TaskState::Running | TaskState::Paused => None,
        TaskState::Succeeded => Some(RunOutcome::Succeeded),
        TaskState::Failed => Some(RunOutcome::Failed),
        TaskState::Cancelled => Some(RunOutcome::Cancelled),
    }
}

async fn carry_out(
    engine: &Arc<Engine>,
    mut stored: Stored,
    progress: schedule::Progress,
    decisions: Vec<Decision>,
    leader: &Fence,
) -> Result<(), RunnerError> {
    let now = (engine.context.clock)();
    let task = stored.state.task;
    stored.state.progress = progress;
    let mut past = Vec::new();
    let mut start = None;
    let mut cancel = None;
    for decision in decisions {
        match decision {
            Decision::Start(run) => {
                past.push(announce(&mut stored.state, &run, now));
                start = Some(run);
            }
            Decision::Skip {
                first_due,
                last_due,
                runs,
                reason,
            } => {
                let outcome = RunOutcome::Skipped(reason);
                stored.state.note_outcome(outcome, runs);
                past.push(PastRun {
                    first_due,
                    last_due,
                    runs,
                    outcome,
                    backup: None,
                    kind: None,
                    task: None,
                    detail: String::new(),
                });
            }
            Decision::Cancel { .. } => cancel = task,
        }
    }
    let Some(stored) = store::save_with(&engine.context, stored, &past, Some(leader)).await? else {
        // Another has changed the schedule; the next tick decides again.
        return Ok(());
    };
    let schedule = &stored.state.schedule;
    store::prune(&engine.context, &schedule.cluster, &schedule.name).await?;
    if let Some(task) = cancel {
        cancel_overdue(engine, task).await;
    }
    match start {
        Some(run) => make(engine, stored, &run).await,
        None => Ok(()),
    }
}

/// It is asked again with every tick until it has ended, so a failure is only logged.
async fn cancel_overdue(engine: &Arc<Engine>, task: model::TaskId) {
    tracing::warn!(task_id = %task, "scheduled backup is cancelled: it has taken longer than its deadline");
    if let Err(error) = control::cancel(engine.clone(), task).await {
        let error = api::error::chain(&error);
        tracing::warn!(task_id = %task, error, "scheduled backup past its deadline could not be cancelled");
    }
}
