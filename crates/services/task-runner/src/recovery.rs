//! Takes up what is unfinished and driven by nobody, at the start and ever after, and forgets what ended long ago.

use std::sync::Arc;
use std::time::Duration;

use model::TaskId;
use state_store::StateError;

use crate::core::Core;
use crate::error::RunnerError;
use crate::record::TaskRecord;
use crate::superseded;

/// How often tasks that nobody drives are looked for: ones that another runner or a fault of the store has left.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks for unfinished tasks until the runner drains.
pub(crate) async fn watch_over(core: Arc<Core>) {
    loop {
        if let Err(error) = take_up_all(&core).await {
            tracing::error!(
                error = api::error::chain(&error),
                "tasks could not be looked through"
            );
        }
        tokio::select! {
            () = core.drain.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn take_up_all(core: &Arc<Core>) -> Result<(), RunnerError> {
    for record in core.services.tasks.list().await? {
        let id = record.task.id;
        if record.task.state.is_final() || core.board.is_driven(id) || core.drain.is_cancelled() {
            continue;
        }
        if let Err(error) = take_up(core, id).await {
            tracing::error!(task_id = %id, error = api::error::chain(&error), "task could not be taken up");
        }
    }
    Ok(())
}

/// Takes up a task unless somebody drives it.
async fn take_up(core: &Arc<Core>, id: TaskId) -> Result<(), RunnerError> {
    let tasks = &core.services.tasks;
    let fence = match tasks.acquire(id, &core.holder).await {
        Ok(fence) => fence,
        Err(StateError::LeaseHeld { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // Read again under the lease: only now nobody else writes it.
    let stored = match tasks.get(id).await {
        Ok(stored) => stored,
        Err(error) => {
            tasks.release(&fence).await;
            return Err(error);
        }
    };
    match stored {
        Some(stored) if !stored.record.task.state.is_final() => {
            tracing::info!(task_id = %id, "task taken up");
            core.drive(stored, fence).await
        }
        _ => {
            tasks.release(&fence).await;
            Ok(())
        }
    }
}

/// Forgets the oldest of the tasks that have ended, beyond what is to be kept. A failed restore that still holds on to
/// its backup stays, because only it can let go; so does the task by which such a restore must not be resumed.
pub(crate) async fn prune(core: &Arc<Core>) {
    if let Err(error) = try_prune(core).await {
        tracing::warn!(error = api::error::chain(&error), "old tasks not forgotten");
    }
}

async fn try_prune(core: &Arc<Core>) -> Result<(), RunnerError> {
    let tasks = &core.services.tasks;
    let records = tasks.list().await?;
    let ended = records.iter().filter(|record| record.task.state.is_final());
    let (waiting, ended): (Vec<&TaskRecord>, Vec<&TaskRecord>) =
        ended.partition(|record| record.holds_on());
    let surplus = ended
        .len()
        .saturating_sub(core.services.config.keep_finished_tasks);
    let (old, kept) = ended.split_at(surplus);
    for record in old {
        let id = record.task.id;
        if superseded::is_last_word(tasks, record, &waiting, kept).await? {
            continue;
        }
        let Ok(fence) = tasks.acquire(id, &core.holder).await else {
            // Somebody is at it, perhaps to resume it.
            continue;
        };
        // Read again under the lease, as it may have been resumed and have ended anew.
        let stored = tasks.get(id).await?;
        if stored.is_some_and(|stored| stored.record == **record) {
            tasks.remove(id, &fence).await?;
        }
        tasks.release(&fence).await;
    }
    Ok(())
}
