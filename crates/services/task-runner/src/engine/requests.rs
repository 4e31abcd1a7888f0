//! Requests for a task that another runner drives: `requests/<id>` holds the last one, until its driver has dealt with it.
//! Changes of limits have a key of their own, so that they never replace a cancellation.
//!
//! The caller's runner writes the request and reads the task until it shows. A request that is old by then counts for
//! nothing: a runner that starts later must not do what its user has long given up on.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use model::TaskId;
use model::task::TaskState;
use serde::{Deserialize, Serialize};
use state_store::{Change, Entry, Expected, StateError};
use tokio::time::{Instant, sleep};

use super::active::Command;
use super::documents::{decode, encode};
use super::limit_requests;
use super::runner::Engine;
use super::task::TaskRecord;
use crate::error::RunnerError;

pub(super) const REQUESTS: &str = "requests/";
/// How long a caller waits for the task's driver.
pub(super) const WAIT_FOR: Duration = Duration::from_secs(15);
/// How often the task is read meanwhile.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A request that is older, or from so far in the future, counts for nothing. Clocks of runners differ by less.
pub(super) const LASTS: SignedDuration = SignedDuration::from_secs(60);
/// Before a watch that has ended is begun again.
const PAUSE: Duration = Duration::from_secs(1);

/// What a driver elsewhere is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ask {
    Cancel,
    EndByForce,
    Pause,
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    ask: Ask,
    asked_at: Timestamp,
    /// Why, for people; not of every request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

/// Asks the driver of a task, and returns once the task shows that it has heard; false if it has not in time.
pub(super) async fn ask_elsewhere(
    engine: &Engine,
    id: TaskId,
    ask: Ask,
    why: &str,
) -> Result<bool, RunnerError> {
    let store = &engine.context.store;
    let key = key(id);
    let asked_at = (engine.context.clock)();
    let why = why.to_owned();
    let value = encode(&key, &Request { ask, asked_at, why })?;
    let version = store.put(&key, value, Expected::Anything, None).await?;
    let until = Instant::now() + WAIT_FOR;
    let has_heard = loop {
        let stored = engine.load(id).await?;
        if ask.shows(&stored.record) {
            break true;
        }
        if Instant::now() >= until {
            break false;
        }
        sleep(LOOK_EVERY).await;
    };
    match store.delete(&key, Expected::Version(version), None).await {
        // Its driver has deleted it, or another caller has asked since.
        Ok(()) | Err(StateError::Conflict { .. }) => Ok(has_heard),
        Err(error) => Err(error.into()),
    }
}

impl Ask {
    /// Whether the task is as it was asked for, or can no longer become so.
    fn shows(self, record: &TaskRecord) -> bool {
        let is_ending = match self {
            Self::Cancel => record.ending.is_some() || record.past_point_of_no_return,
            Self::EndByForce => record.ending.as_ref().is_some_and(|ending| ending.forced),
            Self::Pause => record.ending.is_some() || record.state == TaskState::Paused,
        };
        is_ending || record.state.is_final()
    }
}

/// Hands requests to the drivers here, until the runner drains.
pub(super) async fn requests_loop(engine: Arc<Engine>) {
    while !engine.drain.is_cancelled() {
        tokio::select! {
            () = engine.drain.cancelled() => return,
            watched = watch(&engine) => {
                if let Err(error) = watched {
                    let error = api::error::chain(&error);
                    tracing::debug!(error, "requests of other runners not watched");
                }
            }
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = sleep(PAUSE) => {}
        }
    }
}

async fn watch(engine: &Engine) -> Result<(), StateError> {
    let store = &engine.context.store;
    let mut changes = store.watch(REQUESTS).await?;
    for entry in store.list(REQUESTS).await? {
        hand_over(engine, entry).await?;
    }
    while let Some(change) = changes.next().await {
        match change {
            Change::Put(entry) => hand_over(engine, entry).await?,
            Change::Deleted { .. } => {}
            Change::Missed => {
                for entry in store.list(REQUESTS).await? {
                    hand_over(engine, entry).await?;
                }
            }
        }
    }
    Ok(())
}

/// If the task is driven here. What comes of it shows in the task.
async fn hand_over(engine: &Engine, entry: Entry) -> Result<(), StateError> {
    if let Some(id) = limit_requests::task_of(&entry.key) {
        return limit_requests::hand_over(engine, id, entry).await;
    }
    let version = entry.version;
    let key = entry.key.clone();
    let id = key.strip_prefix(REQUESTS).and_then(|id| id.parse().ok());
    let (Some(id), Ok(request)) = (id, decode::<Request>(entry)) else {
        tracing::warn!(key, "request of another runner cannot be read");
        return Ok(());
    };
    if !engine.active.is_driven(id) {
        return Ok(());
    }
    let age = (engine.context.clock)().duration_since(request.asked_at);
    if age.abs() > LASTS {
        let (asked_at, age_seconds) = (request.asked_at, age.as_secs());
        tracing::warn!(task_id = %id, %asked_at, age_seconds, "request of another runner ignored for its age: it was given up, or the clocks differ");
        return Ok(());
    }
    if !is_current(engine, &key, version).await? {
        return Ok(());
    }
    let asked = engine.active.ask(id, |reply| match request.ask {
        Ask::Cancel => Command::Cancel { reply },
        Ask::EndByForce => Command::EndByForce { reply },
        Ask::Pause => Command::Pause {
            why: request.why,
            reply,
        },
    });
    if let Some(Err(error)) = asked.await {
        let error = api::error::chain(&error);
        tracing::info!(task_id = %id, error, "request of another runner refused");
    }
    // Unless it was asked again meanwhile. If this fails, the request grows old.
    let store = &engine.context.store;
    let _ = store.delete(&key, Expected::Version(version), None).await;
    Ok(())
}

/// The change may have come late, and the request have been given up meanwhile.
pub(super) async fn is_current(
    engine: &Engine,
    key: &str,
    version: u64,
) -> Result<bool, StateError> {
    let current = engine.context.store.get(key).await?;
    Ok(current.is_some_and(|current| current.version == version))
}

fn key(id: TaskId) -> String {
    format!("{REQUESTS}{id}")
}
