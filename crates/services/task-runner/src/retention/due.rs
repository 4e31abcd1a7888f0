//! Retention after the backups of schedules. That it is due is written together with the end of the backup, and forgotten once
//! its task is there: a runner that dies in between lets it run once more, never once less.

use std::sync::Arc;

use model::ClusterName;
use schedule::Schedule;
use state_store::{Entry, Expected, Fence, Write};

use super::policies;
use super::start::start;
use super::store::{DUE, Due, due_key};
use crate::engine::{Engine, decode, encode};
use crate::error::RunnerError;

/// The write that makes retention due after a backup of this schedule.
pub(crate) fn due_after(schedule: &Schedule) -> Result<Write, RunnerError> {
    let key = due_key(&schedule.cluster);
    let due = Due {
        after: schedule.name.clone(),
    };
    let value = encode(&key, &due)?;
    Ok(Write::put(key, value, Expected::Anything))
}

/// Starts the retention that is due. One cluster whose retention cannot be started does not hold up the others.
pub(crate) async fn start_due(engine: &Arc<Engine>, leader: &Fence) -> Result<(), RunnerError> {
    for entry in engine.context.store.list(DUE).await? {
        if engine.drain.is_cancelled() {
            return Ok(());
        }
        let Ok(cluster) = entry.key[DUE.len()..].parse::<ClusterName>() else {
            continue;
        };
        if let Err(error) = start_one(engine, entry, &cluster, leader).await {
            let error = api::error::chain(&error);
            tracing::warn!(cluster_id = %cluster, error, "retention could not be started; another try follows");
        }
    }
    Ok(())
}

async fn start_one(
    engine: &Arc<Engine>,
    entry: Entry,
    cluster: &ClusterName,
    leader: &Fence,
) -> Result<(), RunnerError> {
    let (key, version) = (entry.key.clone(), entry.version);
    let due: Due = decode(entry)?;
    let is_wanted = match policies(&engine.context, cluster).await {
        Ok(policies) => policies.has_for(&due.after),
        Err(RunnerError::RetentionNotSet { .. }) => false,
        Err(error) => return Err(error),
    };
    if is_wanted {
        match start(engine.clone(), cluster.clone(), Some(due.after)).await {
            Ok(task) => {
                tracing::info!(cluster_id = %cluster, task_id = %task, "retention follows a scheduled backup");
            }
            // It may have listed the backups before this one was there: once it has ended, another one follows.
            Err(RunnerError::RetentionRuns { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    // If another backup has ended since, it stays.
    let forget = [Write::delete(key, Expected::Version(version))];
    match engine.context.store.write(&forget, Some(leader)).await {
        Ok(_) | Err(state_store::StateError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
