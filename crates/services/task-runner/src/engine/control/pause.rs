//! Stops a task at a safe point and keeps it as it is.

use std::sync::Arc;

use model::TaskId;
use model::task::TaskState;
use state_store::StateError;

use super::{LEASE_PAUSE, LEASE_TRIES, get};
use crate::engine::active::{Command, View};
use crate::engine::requests::{Ask, ask_elsewhere};
use crate::engine::runner::Engine;
use crate::error::RunnerError;

/// Text of a reason that is kept.
const REASON_BYTES_MAX: usize = 1 << 10;

/// Pauses a task, wherever it is driven. It goes on with a resume.
pub(crate) async fn pause(
    engine: Arc<Engine>,
    id: TaskId,
    reason: String,
) -> Result<Arc<View>, RunnerError> {
    let why = why(reason);
    for _ in 0..LEASE_TRIES {
        let asked = engine.active.ask(id, |reply| Command::Pause {
            why: why.clone(),
            reply,
        });
        if let Some(result) = asked.await {
            return result;
        }
        match engine.load(id).await?.record.state {
            TaskState::Paused => return get(&engine, id).await,
            state if state.is_final() => return Err(RunnerError::TaskEnded { id, state }),
            _ => {}
        }
        match engine.context.tasks.acquire(id, &engine.holder).await {
            // Nothing drives it: a driver takes it, and is asked then.
            Ok(fence) => {
                let stored = match engine.load(id).await {
                    Ok(stored) if !stored.record.state.is_at_rest() => stored,
                    found => {
                        engine.context.tasks.release(&fence).await;
                        found?;
                        continue;
                    }
                };
                engine.drive(stored, fence).await?;
            }
            // Its driver is about to register or has just left.
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    match ask_elsewhere(&engine, id, Ask::Pause, &why).await? {
        false => Err(RunnerError::DrivenElsewhere(id)),
        true => outcome(&engine, id).await,
    }
}

/// What came of a request to another runner.
async fn outcome(engine: &Engine, id: TaskId) -> Result<Arc<View>, RunnerError> {
    let record = engine.load(id).await?.record;
    let state = record.state;
    if state.is_final() {
        return Err(RunnerError::TaskEnded { id, state });
    }
    if record.ending.is_some() {
        return Err(RunnerError::NotPausable(id, "it is on its way to its end"));
    }
    get(engine, id).await
}

fn why(mut reason: String) -> String {
    if reason.is_empty() {
        return "paused on request".to_owned();
    }
    if reason.len() > REASON_BYTES_MAX {
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        reason.push('…');
    }
    format!("paused on request: {reason}")
}
