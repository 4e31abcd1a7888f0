//! Changes of limits of a task that another runner drives: `requests/<id>/limits` holds those that its driver has not done.
//!
//! Each has an identity, which the driver keeps with the limits: so the caller knows that its change was made, and one that
//! is still there after a crash is not made again. Runners of earlier releases cannot read the key, and leave it.

use std::time::Duration;

use model::TaskId;
use model::task::LimitsChange;
use serde::{Deserialize, Serialize};
use state_store::{Entry, Expected, StateError};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::active::Command;
use super::documents::{decode, encode};
use super::requests::{LASTS, LOOK_EVERY, REQUESTS, WAIT_FOR, is_current};
use super::runner::Engine;
use super::task::{AskedLimits, LimitsRequest, REQUESTS_MAX, TaskRecord};
use crate::error::RunnerError;

const LIMITS: &str = "/limits";
/// A request that was not made by then is written again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Waiting {
    requests: Vec<LimitsRequest>,
}

/// The task whose requests to change limits are under this key.
pub(super) fn task_of(key: &str) -> Option<TaskId> {
    let id = key.strip_prefix(REQUESTS)?.strip_suffix(LIMITS)?;
    id.parse().ok()
}

/// Asks the driver of a task, and returns once the task shows that the change was made.
pub(super) async fn ask_elsewhere(
    engine: &Engine,
    id: TaskId,
    change: LimitsChange,
) -> Result<(), RunnerError> {
    let request = Uuid::new_v4();
    let made = wait(engine, id, request, change).await;
    // If this fails, it grows old.
    let withdrawn = edit(engine, id, |waiting| {
        waiting.requests.retain(|other| other.id != request);
    });
    if let Err(error) = withdrawn.await {
        let error = api::error::chain(&error);
        tracing::debug!(task_id = %id, error, "request to change limits not withdrawn");
    }
    made
}

async fn wait(
    engine: &Engine,
    id: TaskId,
    request: Uuid,
    change: LimitsChange,
) -> Result<(), RunnerError> {
    let until = Instant::now() + WAIT_FOR;
    let mut asked: Option<(u64, Instant)> = None;
    loop {
        let record = engine.load(id).await?.record;
        if record.limits_history.requests.contains(&request) {
            return Ok(());
        }
        let state = record.state;
        if state.is_final() {
            return Err(RunnerError::TaskEnded { id, state });
        }
        if record.ending.is_some() {
            let why = "it is on its way to its end";
            return Err(RunnerError::LimitsRefused(id, why));
        }
        if Instant::now() >= until {
            return Err(RunnerError::DrivenElsewhere(id));
        }
        let revision = record.limits_history.revision;
        // Asked again if another change came first, because the driver has ignored it then; and after a while, because the task
        // may have got another driver, which has not seen it.
        let is_asked = asked.is_some_and(|(of, at)| of == revision && at.elapsed() < AGAIN_AFTER);
        if !is_asked && add(engine, &record, request, change).await? {
            asked = Some((revision, Instant::now()));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Adds a request to those that wait. False if it has to be tried again: there are too many, or another caller was faster.
async fn add(
    engine: &Engine,
    record: &TaskRecord,
    request: Uuid,
    change: LimitsChange,
) -> Result<bool, RunnerError> {
    let asked_at = (engine.context.clock)();
    let history = &record.limits_history;
    let mut is_added = false;
    let is_written = edit(engine, record.id, |waiting| {
        let requests = &mut waiting.requests;
        requests.retain(|other| {
            let age = asked_at.duration_since(other.asked_at);
            other.id != request && history.admits(other) && age.abs() <= LASTS
        });
        is_added = requests.len() < REQUESTS_MAX;
        if is_added {
            requests.push(LimitsRequest {
                id: request,
                change,
                revision: history.revision,
                asked_at,
            });
        }
    });
    Ok(is_written.await? && is_added)
}

/// Changes the requests that wait, unless another does at the same time; returns whether it was done.
async fn edit(
    engine: &Engine,
    id: TaskId,
    edit: impl FnOnce(&mut Waiting),
) -> Result<bool, RunnerError> {
    let store = &engine.context.store;
    let key = format!("{REQUESTS}{id}{LIMITS}");
    let entry = store.get(&key).await?;
    let expected = match &entry {
        Some(entry) => Expected::Version(entry.version),
        None => Expected::Absent,
    };
    let is_there = entry.is_some();
    // What cannot be read is of no use to its driver either, and is replaced.
    let mut waiting: Waiting = entry
        .and_then(|entry| decode(entry).ok())
        .unwrap_or_default();
    edit(&mut waiting);
    let written = match waiting.requests.is_empty() {
        true if !is_there => return Ok(true),
        true => store.delete(&key, expected, None).await,
        false => {
            let value = encode(&key, &waiting)?;
            store.put(&key, value, expected, None).await.map(drop)
        }
    };
    match written {
        Ok(()) => Ok(true),
        Err(StateError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// If the task is driven here. What comes of it shows in the task.
pub(super) async fn hand_over(engine: &Engine, id: TaskId, entry: Entry) -> Result<(), StateError> {
    let (key, version) = (entry.key.clone(), entry.version);
    let Ok(waiting) = decode::<Waiting>(entry) else {
        tracing::warn!(key, "request of another runner cannot be read");
        return Ok(());
    };
    if !engine.active.is_driven(id) || !is_current(engine, &key, version).await? {
        return Ok(());
    }
    let now = (engine.context.clock)();
    let (fresh, old): (Vec<_>, Vec<_>) = waiting
        .requests
        .into_iter()
        .partition(|request| now.duration_since(request.asked_at).abs() <= LASTS);
    if !old.is_empty() {
        let requests = old.len();
        tracing::warn!(task_id = %id, requests, "requests of other runners to change limits ignored for their age: they were given up, or the clocks differ");
    }
    let asked = engine.active.ask(id, |reply| Command::SetLimits {
        asked: AskedLimits::Elsewhere(fresh),
        reply,
    });
    match asked.await {
        // Its driver has just left; the next one is asked when they are written again.
        None => return Ok(()),
        Some(Ok(_)) => {}
        Some(Err(error)) => {
            let error = api::error::chain(&error);
            tracing::info!(task_id = %id, error, "request of another runner refused");
        }
    }
    // Unless it was asked again meanwhile. If this fails, it is ignored when it is seen again.
    let store = &engine.context.store;
    let _ = store.delete(&key, Expected::Version(version), None).await;
    Ok(())
}
