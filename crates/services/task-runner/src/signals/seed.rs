//! Fills in, once, what an earlier release has not kept of the tasks that ended: `seeded/ended`.
//!
//! Only what is missing is written, because tasks end meanwhile, on this runner and on others. The mark comes last: if the
//! runner dies before, all of it is done again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use state_store::{Expected, StateError, Write};

use crate::engine::{Engine, Leading, TaskRecord};
use crate::error::RunnerError;

const SEEDED: &str = "seeded/ended";

/// Returns whether it is done. Only one runner of several does it.
pub(super) async fn seed(engine: &Arc<Engine>) -> Result<bool, RunnerError> {
    let store = &engine.context.store;
    if store.get(SEEDED).await?.is_some() {
        return Ok(true);
    }
    let Some(leading) = Leading::take(engine, SEEDED).await? else {
        return Ok(false);
    };
    let done = leading.during(engine, fill_in(engine)).await;
    let done = match done {
        Ok(Some(Ok(()))) => {
            let mark = Write::put(SEEDED, Value::Null, Expected::Anything);
            let marked = store.write(&[mark], Some(&leading.fence)).await;
            marked.map(|_| true).map_err(RunnerError::from)
        }
        Ok(Some(Err(error))) => Err(error),
        Ok(None) => Ok(false),
        Err(error) => Err(error.into()),
    };
    leading.release(engine).await;
    done
}

async fn fill_in(engine: &Engine) -> Result<(), RunnerError> {
    let tasks = &engine.context.tasks;
    let records = tasks.all_records().await?;
    let ended = records.iter().filter(|record| record.state.is_final());
    for record in last_of_each(ended.clone()).into_values() {
        absent(engine, tasks.ended_write(record, Expected::Absent)?).await?;
    }
    for restore in ended {
        let Some(write) = tasks.unaccepted_write(restore, Expected::Absent)? else {
            continue;
        };
        if waits_for_user(engine, restore).await? {
            absent(engine, Some(write)).await?;
            // A task that has ended since has deleted it before it was written.
            if !waits_for_user(engine, restore).await? {
                tasks.forget_unaccepted(restore.id).await?;
            }
        }
    }
    Ok(())
}

/// False if a record that decides about it cannot be read: that must not hold up everything else.
async fn waits_for_user(engine: &Engine, restore: &TaskRecord) -> Result<bool, RunnerError> {
    match engine.context.tasks.waits_for_user(restore.id).await {
        Err(RunnerError::Unreadable { .. }) => Ok(false),
        other => other,
    }
}

/// The last task of each cluster, kind and end.
fn last_of_each<'a>(
    ended: impl Iterator<Item = &'a TaskRecord>,
) -> BTreeMap<(&'a str, &'static str, &'static str), &'a TaskRecord> {
    let mut last: BTreeMap<_, &TaskRecord> = BTreeMap::new();
    for record in ended {
        let (kind, state) = (record.kind.as_str(), record.state.as_str());
        let kept = last
            .entry((record.cluster.as_str(), kind, state))
            .or_insert(record);
        if record.finished_at > kept.finished_at {
            *kept = record;
        }
    }
    last
}

/// Writes it unless something is there.
async fn absent(engine: &Engine, write: Option<Write>) -> Result<(), StateError> {
    let Some(write) = write else {
        return Ok(());
    };
    match engine.context.store.write(&[write], None).await {
        Ok(_) | Err(StateError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
