//! Adopts what is unfinished and driven by nothing, at the start and from time to time, and forgets what ended long ago.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::TaskId;
use model::task::{Paused, TaskEvent, next_state};
use state_store::{Expected, Fence, StateError};

use super::driver::Driver;
use super::runner::Engine;
use super::store::Stored;
use super::task::TaskRecord;
use crate::error::RunnerError;
use crate::events::Event;

/// How often tasks without a driver are looked for: ones that another runner or a fault of the store has left.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Adopts unfinished tasks until the runner drains.
pub(super) async fn recovery_loop(engine: Arc<Engine>) {
    loop {
        if let Err(error) = remove_orphans(&engine).await {
            tracing::warn!(
                error = api::error::chain(&error),
                "documents without a task not removed"
            );
        }
        if let Err(error) = adopt_all(&engine).await {
            tracing::error!(
                error = api::error::chain(&error),
                "unfinished tasks could not be listed"
            );
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn adopt_all(engine: &Arc<Engine>) -> Result<(), RunnerError> {
    let paused = engine.context.tasks.paused().await?;
    for id in engine.context.tasks.unfinished().await? {
        let is_left_alone = paused.contains(&id) || engine.active.is_driven(id);
        if is_left_alone || engine.drain.is_cancelled() {
            continue;
        }
        if let Err(error) = adopt(engine, id).await {
            tracing::error!(task_id = %id, error = api::error::chain(&error), "task could not be adopted");
        }
    }
    Ok(())
}

/// Adopts a task unless another driver has it.
async fn adopt(engine: &Arc<Engine>, id: TaskId) -> Result<(), RunnerError> {
    let tasks = &engine.context.tasks;
    let fence = match tasks.acquire(id, &engine.holder).await {
        Ok(fence) => fence,
        Err(StateError::LeaseHeld { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // Read under the lease: only now no other driver writes it.
    let stored = match tasks.get(id).await {
        Ok(stored) => stored,
        Err(error) => {
            tasks.release(&fence).await;
            return Err(error);
        }
    };
    match stored {
        Some(stored) if !stored.record.state.is_at_rest() => {
            tracing::info!(task_id = %id, "task adopted");
            match Driver::open(engine.clone(), stored.clone(), fence.clone()).await {
                Ok(driver) => {
                    engine.spawn(driver.drive());
                    Ok(())
                }
                Err(error) => {
                    let set_aside = set_aside(engine, stored, &fence, &error).await;
                    tasks.release(&fence).await;
                    set_aside?;
                    Err(error)
                }
            }
        }
        _ => {
            tasks.release(&fence).await;
            Ok(())
        }
    }
}

/// Pauses a task that waits for its turn and cannot be driven, because what is kept of it cannot be read: all that come after
/// it would wait for ever. It has no cluster to keep. A runner of another release may be able to read it.
async fn set_aside(
    engine: &Engine,
    stored: Stored,
    fence: &Fence,
    error: &RunnerError,
) -> Result<(), RunnerError> {
    let Stored {
        mut record,
        version,
    } = stored;
    if record.waiting.is_none() || matches!(error, RunnerError::State(_)) {
        return Ok(());
    }
    let (id, now) = (record.id, (engine.context.clock)());
    let error = api::error::chain(error);
    record.state = next_state(record.state, TaskEvent::Pause)
        .map_err(|error| RunnerError::PlanNotUnderstood(error.to_string()))?;
    record.paused = Some(Paused {
        since: now,
        why: format!(
            "it cannot be driven: {error}; end it with `ringkeep task fail {id} --force` unless a task-runner of another release can read it"
        ),
        gave_up: true,
        keeps_cluster: false,
    });
    record.first_ended.get_or_insert(now);
    let expected = Expected::Version(version);
    engine
        .context
        .tasks
        .save_record(&record, expected, fence)
        .await?;
    if let Some(event) = Event::paused(&record) {
        event.log();
    }
    engine.context.tasks.turns.notify_waiters();
    Ok(())
}

/// Removes documents whose task was never created or is half removed, because its runner died in the middle.
async fn remove_orphans(engine: &Arc<Engine>) -> Result<(), RunnerError> {
    let tasks = &engine.context.tasks;
    for id in tasks.announced().await? {
        let Ok(fence) = tasks.acquire(id, &engine.holder).await else {
            // Another runner is creating it.
            continue;
        };
        // Read under the lease: it may have been created meanwhile.
        if tasks.get(id).await?.is_none() {
            tasks.remove(id, &fence).await?;
        }
        tasks.release(&fence).await;
    }
    Ok(())
}

/// Forgets the oldest of the tasks that have ended, beyond what is to be kept. A failed task that still has leftovers stays,
/// because only it can undo them; so does the task by which such a one, or a paused one that gave its cluster
/// up, must not be resumed.
pub(super) async fn prune(engine: &Arc<Engine>) {
    if let Err(error) = try_prune(engine).await {
        tracing::warn!(error = api::error::chain(&error), "old tasks not forgotten");
    }
}

async fn try_prune(engine: &Arc<Engine>) -> Result<(), RunnerError> {
    let tasks = &engine.context.tasks;
    let records = tasks.all_records().await?;
    let (ended, unfinished): (Vec<&TaskRecord>, Vec<&TaskRecord>) =
        records.iter().partition(|record| record.state.is_final());
    let (mut waiting, ended): (Vec<&TaskRecord>, Vec<&TaskRecord>) =
        ended.into_iter().partition(|record| record.has_leftovers());
    let gave_up = unfinished.into_iter();
    waiting.extend(gave_up.filter(|record| record.first_ended.is_some()));
    let surplus = ended
        .len()
        .saturating_sub(engine.context.config.keep_finished_tasks);
    let (old, kept) = ended.split_at(surplus);
    let mut referred_to = BTreeSet::new();
    for kind in old.iter().map(|record| record.kind).collect::<HashSet<_>>() {
        referred_to.extend(engine.kind(kind)?.referred_to(&engine.context).await?);
    }
    for record in old {
        let kind = engine.kind(record.kind)?;
        if referred_to.contains(&record.id)
            || is_last_guard(engine, &waiting, record, kept).await?
            || kind.must_keep(&engine.context, record).await?
        {
            continue;
        }
        let Ok(fence) = tasks.acquire(record.id, &engine.holder).await else {
            // Another caller is about to resume it.
            continue;
        };
        // Read again under the lease, as it may have been resumed and have ended again.
        let stored = tasks.get(record.id).await?;
        if stored.is_some_and(|stored| stored.record == **record) {
            tasks.remove(record.id, &fence).await?;
        }
        tasks.release(&fence).await;
    }
    Ok(())
}

async fn is_last_guard(
    engine: &Engine,
    waiting: &[&TaskRecord],
    candidate: &TaskRecord,
    kept: &[&TaskRecord],
) -> Result<bool, RunnerError> {
    for failed in waiting {
        let kind = engine.kind(failed.kind)?;
        let guards = kind.is_last_guard(&engine.context, &engine.kinds, failed, candidate, kept);
        if guards.await? {
            return Ok(true);
        }
    }
    Ok(false)
}
