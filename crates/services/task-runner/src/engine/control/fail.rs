//! Ends a task as it is, with nothing undone.

use std::sync::Arc;

use model::TaskId;
use model::task::{TaskEvent, TaskState, next_state};
use state_store::{Expected, Fence, StateError};

use super::{LEASE_PAUSE, LEASE_TRIES, get, resumed};
use crate::engine::active::{Command, View};
use crate::engine::driver::Driver;
use crate::engine::requests::{Ask, ask_elsewhere};
use crate::engine::runner::Engine;
use crate::engine::store::Stored;
use crate::engine::task::Ending;
use crate::error::RunnerError;
use crate::events::Event;

/// Ends an unfinished task as failed, wherever it is; its findings report what it leaves behind. Only with `force`, because
/// nothing is undone. A task that has failed already stays as it is.
pub(crate) async fn fail(
    engine: Arc<Engine>,
    id: TaskId,
    force: bool,
) -> Result<Arc<View>, RunnerError> {
    for _ in 0..LEASE_TRIES {
        let record = engine.load(id).await?.record;
        match record.state {
            TaskState::Failed => return get(&engine, id).await,
            state @ (TaskState::Cancelled | TaskState::Succeeded) => {
                return Err(RunnerError::TaskEnded { id, state });
            }
            TaskState::Pending | TaskState::Running | TaskState::Paused if !force => {
                return Err(RunnerError::ForceNeeded {
                    id,
                    may_cancel: !record.past_point_of_no_return,
                });
            }
            TaskState::Pending | TaskState::Running | TaskState::Paused => {}
        }
        let asked = engine.active.ask(id, |reply| Command::EndByForce { reply });
        if let Some(result) = asked.await {
            return result;
        }
        match engine.context.tasks.acquire(id, &engine.holder).await {
            Ok(fence) => {
                let ended = end(&engine, id, &fence).await;
                if ended.is_err() {
                    engine.context.tasks.release(&fence).await;
                }
                return ended;
            }
            // Its driver is about to register or has just left.
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    match ask_elsewhere(&engine, id, Ask::EndByForce, "").await? {
        false => Err(RunnerError::DrivenElsewhere(id)),
        true => outcome(&engine, id).await,
    }
}

/// What came of a request to another runner.
async fn outcome(engine: &Engine, id: TaskId) -> Result<Arc<View>, RunnerError> {
    let state = engine.load(id).await?.record.state;
    match state {
        TaskState::Succeeded | TaskState::Cancelled => Err(RunnerError::TaskEnded { id, state }),
        TaskState::Failed | TaskState::Pending | TaskState::Running | TaskState::Paused => {
            get(engine, id).await
        }
    }
}

/// Ends a task that nothing drives.
async fn end(engine: &Arc<Engine>, id: TaskId, fence: &Fence) -> Result<Arc<View>, RunnerError> {
    let tasks = &engine.context.tasks;
    let Stored {
        mut record,
        version,
    } = engine.load(id).await?;
    if record.state.is_final() {
        tasks.release(fence).await;
        return get(engine, id).await;
    }
    record.ending = Some(Ending::by_force(&record));
    if record.state == TaskState::Paused {
        record.state = resumed(&record)?;
        record.paused = None;
        // Those of its end say more.
        record.has_findings = false;
    }
    let expected = Expected::Version(version);
    let version = tasks.save_record(&record, expected, fence).await?;
    let stored = Stored { record, version };
    match Driver::open(engine.clone(), stored.clone(), fence.clone()).await {
        Ok(driver) => {
            let view = driver.view();
            engine.spawn(driver.drive());
            Ok(view)
        }
        Err(error) => end_undriven(engine, stored, fence, &error).await,
    }
}

/// Ends a task that cannot be driven, because what is kept of it cannot be read.
async fn end_undriven(
    engine: &Engine,
    stored: Stored,
    fence: &Fence,
    error: &RunnerError,
) -> Result<Arc<View>, RunnerError> {
    let tasks = &engine.context.tasks;
    let Stored {
        mut record,
        version,
    } = stored;
    let error = api::error::chain(error);
    record.state = next_state(record.state, TaskEvent::Fail)
        .map_err(|error| RunnerError::PlanNotUnderstood(error.to_string()))?;
    record.finished_at = Some((engine.context.clock)());
    record.error =
        format!("ended by force on request; what it has left is not known, because {error}");
    let expected = Expected::Version(version);
    tasks.save_end(&record, expected, fence).await?;
    if let Some(event) = Event::ended(&record) {
        event.log();
    }
    tasks.unclaim(&record.cluster, record.id, fence).await?;
    tasks.release(fence).await;
    tracing::warn!(task_id = %record.id, error, "task ended that could not be driven");
    let task = crate::engine::task::LiveTask::new(record, Vec::new());
    Ok(View::of(&task))
}
