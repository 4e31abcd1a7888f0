//! Stops a task at a safe point.

use std::sync::Arc;

use model::TaskId;
use model::task::TaskState;
use state_store::{Fence, StateError};

use super::{LEASE_PAUSE, LEASE_TRIES, change, get, hand_to_driver, note_end, resumed};
use crate::engine::active::{Command, View};
use crate::engine::requests::{Ask, ask_elsewhere};
use crate::engine::runner::Engine;
use crate::engine::task::{Ending, Outcome, TaskRecord};
use crate::error::RunnerError;

/// Stops a task at a safe point. A failed task with leftovers is given up, if its kind allows it: they are undone.
pub(crate) async fn cancel(engine: Arc<Engine>, id: TaskId) -> Result<Arc<View>, RunnerError> {
    for _ in 0..LEASE_TRIES {
        let asked = engine.active.ask(id, |reply| Command::Cancel { reply });
        if let Some(result) = asked.await {
            return result;
        }
        let state = engine.load(id).await?.record.state;
        match state {
            TaskState::Cancelled => return get(&engine, id).await,
            TaskState::Succeeded => return Err(RunnerError::TaskEnded { id, state }),
            TaskState::Failed | TaskState::Pending | TaskState::Running | TaskState::Paused => {}
        }
        match engine.context.tasks.acquire(id, &engine.holder).await {
            Ok(fence) => return give_up(&engine, id, fence).await,
            // Its driver is about to register or has just left.
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    match ask_elsewhere(&engine, id, Ask::Cancel, "").await? {
        false => Err(RunnerError::DrivenElsewhere(id)),
        true => outcome(&engine, id).await,
    }
}

/// What came of a request to another runner.
async fn outcome(engine: &Engine, id: TaskId) -> Result<Arc<View>, RunnerError> {
    let record = engine.load(id).await?.record;
    let state = record.state;
    if record.ending.is_none() && record.past_point_of_no_return && !state.is_final() {
        return Err(engine.kind(record.kind)?.past_point_of_no_return(id));
    }
    match state {
        TaskState::Succeeded => Err(RunnerError::TaskEnded { id, state }),
        _ => get(engine, id).await,
    }
}

/// Sends a task without a driver to its end as cancelled. A failed one that has passed its point of no return has nothing
/// left to do once others have done all of it.
async fn give_up(engine: &Arc<Engine>, id: TaskId, fence: Fence) -> Result<Arc<View>, RunnerError> {
    let is_replaced = match is_replaced(engine, id).await {
        Ok(is_replaced) => is_replaced,
        Err(error) => return hand_to_driver(engine, Err(error), fence).await,
    };
    let any = async |_: &TaskRecord| Ok(());
    let changed = change(engine, id, &fence, false, any, |record| {
        mark_cancelled(engine, record, is_replaced)
    });
    hand_to_driver(engine, changed.await, fence).await
}

async fn is_replaced(engine: &Engine, id: TaskId) -> Result<bool, RunnerError> {
    let record = engine.load(id).await?.record;
    if record.state != TaskState::Failed {
        return Ok(false);
    }
    let kind = engine.kind(record.kind)?;
    kind.is_replaced(&engine.context, &engine.kinds, &record)
        .await
}

fn mark_cancelled(
    engine: &Engine,
    record: &mut TaskRecord,
    is_replaced: bool,
) -> Result<(), RunnerError> {
    let (id, state) = (record.id, record.state);
    let kind = engine.kind(record.kind)?;
    if state == TaskState::Failed {
        let may_cancel = kind.policy().cancel_after_failure;
        if may_cancel && record.past_point_of_no_return && !is_replaced {
            return Err(kind.past_point_of_no_return(id));
        }
        if !may_cancel || !record.has_leftovers() {
            return Err(RunnerError::TaskEnded { id, state });
        }
        record.state = resumed(record)?;
        note_end(record, (engine.context.clock)());
    } else if state.is_final() {
        return Err(RunnerError::TaskEnded { id, state });
    } else if record.ending.is_some() {
        return Ok(());
    } else if record.past_point_of_no_return {
        return Err(kind.past_point_of_no_return(id));
    }
    if state == TaskState::Paused {
        record.state = resumed(record)?;
        record.paused = None;
        // What it has left is about to be undone.
        record.has_findings = false;
    }
    record.ending = Some(Ending {
        outcome: Outcome::Cancelled,
        reason: "cancelled on request".to_owned(),
        clean: record.may_have_made(),
        forced: false,
    });
    Ok(())
}
