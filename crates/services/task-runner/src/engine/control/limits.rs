//! Changes what a task may take on each node, also while it runs.

use std::sync::Arc;
use std::time::Duration;

use model::TaskId;
use model::task::{LimitsChange, StepLimits, StepState, TaskState};
use state_store::{Expected, Fence, StateError};
use tokio::time::{Instant, sleep};

use super::{LEASE_PAUSE, LEASE_TRIES, get};
use crate::engine::active::{Command, View};
use crate::engine::limit_requests::ask_elsewhere;
use crate::engine::runner::Engine;
use crate::engine::store::Stored;
use crate::engine::task::AskedLimits;
use crate::error::RunnerError;
use crate::events::Event;

/// How long agents have to reply before the task is returned as it is.
const WAIT_FOR: Duration = Duration::from_secs(10);
/// How often the task is read meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Changes the limits of a task, wherever it is driven. Returns it once the agents that move data for it have replied, or after
/// some seconds.
pub(crate) async fn set_limits(
    engine: Arc<Engine>,
    id: TaskId,
    change: LimitsChange,
) -> Result<Arc<View>, RunnerError> {
    let kind = engine.load(id).await?.record.kind;
    if engine.kind(kind)?.limited_steps().is_empty() {
        let why = "tasks of its kind move no data that could be limited";
        return Err(RunnerError::LimitsRefused(id, why));
    }
    keep(&engine, id, change).await?;
    let until = Instant::now() + WAIT_FOR;
    loop {
        let view = get(&engine, id).await?;
        let mut running = view.task.steps.iter();
        let is_open = running.any(|step| {
            let limits = step.limits.as_ref();
            step.state == StepState::Running && limits.is_some_and(StepLimits::is_open)
        });
        if !is_open || Instant::now() >= until {
            return Ok(view);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Returns once the limits are on disk, and their driver has them.
async fn keep(engine: &Arc<Engine>, id: TaskId, change: LimitsChange) -> Result<(), RunnerError> {
    for _ in 0..LEASE_TRIES {
        let asked = engine.active.ask(id, |reply| Command::SetLimits {
            asked: AskedLimits::Here(change),
            reply,
        });
        if let Some(result) = asked.await {
            return result.map(drop);
        }
        let state = engine.load(id).await?.record.state;
        if state.is_final() {
            return Err(RunnerError::TaskEnded { id, state });
        }
        match engine.context.tasks.acquire(id, &engine.holder).await {
            Ok(fence) => {
                if keep_undriven(engine, id, change, fence).await? {
                    return Ok(());
                }
            }
            // Its driver is about to register or has just left.
            Err(StateError::LeaseHeld { .. }) => sleep(LEASE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    ask_elsewhere(engine, id, change).await
}

/// Of a task that nothing drives: a paused one has no driver, and its record is changed here; any other one gets a driver,
/// which is asked next. Whether it is done.
async fn keep_undriven(
    engine: &Arc<Engine>,
    id: TaskId,
    change: LimitsChange,
    fence: Fence,
) -> Result<bool, RunnerError> {
    let stored = match engine.load(id).await {
        Ok(stored) if !stored.record.state.is_final() => stored,
        found => {
            engine.context.tasks.release(&fence).await;
            found?;
            return Ok(false);
        }
    };
    if stored.record.state != TaskState::Paused {
        engine.drive(stored, fence).await?;
        return Ok(false);
    }
    let saved = save_paused(engine, stored, change, &fence).await;
    engine.context.tasks.release(&fence).await;
    saved.map(|()| true)
}

async fn save_paused(
    engine: &Engine,
    stored: Stored,
    change: LimitsChange,
    fence: &Fence,
) -> Result<(), RunnerError> {
    let mut record = stored.record;
    let before = record.limits;
    record.change_limits(&AskedLimits::Here(change));
    let tasks = &engine.context.tasks;
    let mut writes = tasks.record_writes(&record, Expected::Version(stored.version))?;
    let is_new = record.limits != before;
    let event = is_new.then(|| Event::limits_changed(&record, (engine.context.clock)()));
    if let Some(event) = &event {
        writes.extend(tasks.outbox.writes(event)?);
    }
    engine.context.store.write(&writes, Some(fence)).await?;
    if let Some(event) = event {
        event.log();
    }
    Ok(())
}
