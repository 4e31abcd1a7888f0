//! Sets a task going again that is paused or has ended.

use std::sync::Arc;

use jiff::Timestamp;
use model::TaskId;
use model::task::TaskState;
use state_store::{Fence, StateError};

use super::{LEASE_PAUSE, LEASE_TRIES, change, hand_to_driver, note_end, resumed};
use crate::engine::active::View;
use crate::engine::runner::Engine;
use crate::engine::task::{Reset, TaskRecord};
use crate::error::RunnerError;

/// Sets a paused, failed or cancelled task going again. Steps that have succeeded stay, unless what they made is gone. If
/// another task has its cluster, it waits for that if it is to.
pub(crate) async fn resume(
    engine: Arc<Engine>,
    id: TaskId,
    wait: bool,
) -> Result<Arc<View>, RunnerError> {
    let fence = lease_of_ended(&engine, id).await?;
    let is_newest = async |record: &TaskRecord| check_superseded(&engine, record).await;
    let now = (engine.context.clock)();
    let changed = change(&engine, id, &fence, wait, is_newest, |record| {
        check_resumable(&engine, record)?;
        reset(record, now)
    });
    hand_to_driver(&engine, changed.await, fence).await
}

fn reset(record: &mut TaskRecord, now: Timestamp) -> Result<(), RunnerError> {
    record.state = resumed(record)?;
    record.attempt += 1;
    note_end(record, now);
    record.error = String::new();
    record.ending = None;
    record.paused = None;
    // One that waited again and was paused then has not been set back yet.
    let was_undone = std::mem::take(&mut record.cleaned) || record.reset == Some(Reset::All);
    record.reset = Some(Reset::Unfinished);
    if was_undone {
        record.reset = Some(Reset::All);
        record.past_point_of_no_return = false;
        record.made_something = false;
        record.read_at = None;
    }
    Ok(())
}

/// Any paused task can be resumed; what has ended, as its kind says.
fn check_resumable(engine: &Engine, record: &TaskRecord) -> Result<(), RunnerError> {
    match record.state {
        TaskState::Paused => Ok(()),
        _ => engine.kind(record.kind)?.check_resumable(record),
    }
}

async fn check_superseded(engine: &Engine, record: &TaskRecord) -> Result<(), RunnerError> {
    let kind = engine.kind(record.kind)?;
    kind.check_superseded(&engine.context, &engine.kinds, record)
        .await
}

/// The lease of a task that can be resumed; its last driver may be about to leave.
async fn lease_of_ended(engine: &Engine, id: TaskId) -> Result<Fence, RunnerError> {
    for _ in 0..LEASE_TRIES {
        let record = engine.load(id).await?.record;
        check_resumable(engine, &record)?;
        check_superseded(engine, &record).await?;
        match engine.context.tasks.acquire(id, &engine.holder).await {
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            acquired => return Ok(acquired?),
        }
    }
    Err(RunnerError::DrivenElsewhere(id))
}
