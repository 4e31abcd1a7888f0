//! Starts the task that applies the policies of a cluster. Of several one at a time may delete.

use std::sync::Arc;

use model::task::TaskKind;
use model::{ClusterName, TaskId};
use retention::PastRun;
use schedule::ScheduleName;
use state_store::StateError;
use uuid::Uuid;

use super::store::{self, Now, StoredNow};
use crate::engine::{Engine, NewTask, TaskRecord};
use crate::error::RunnerError;

/// How often a start is tried while others start runs at the same time.
const START_TRIES: usize = 10;
/// The name of its request among the documents of the task.
pub(crate) const SPEC: &str = "retention";

/// Starts the task, unless one has not ended. Its id is written down before it is created: a task that finds another id there
/// has lost its place, and deletes nothing.
pub(crate) async fn start(
    engine: Arc<Engine>,
    cluster: ClusterName,
    after: Option<ScheduleName>,
) -> Result<TaskId, RunnerError> {
    let context = &engine.context;
    super::policies(context, &cluster).await?;
    for _ in 0..START_TRIES {
        let before = store::now(context, &cluster).await?;
        if let Some(before) = &before
            && is_at_work(&engine, before.now.task).await?
        {
            let task = before.now.task;
            return Err(RunnerError::RetentionRuns { cluster, task });
        }
        let id = TaskId(Uuid::now_v7());
        let now = StoredNow {
            version: before.as_ref().and_then(|before| before.version),
            now: Now {
                task: id,
                deleting: before.and_then(|before| before.now.deleting),
            },
        };
        let run = PastRun {
            task: id,
            started_at: (context.clock)(),
            finished_at: None,
            after: after.clone(),
            deleted: 0,
            freed_bytes: 0,
            refused: 0,
            state: None,
        };
        let writes = [
            store::write_now(&cluster, &now)?,
            store::write_run(&cluster, &run)?,
        ];
        match context.store.write(&writes, None).await {
            Ok(_) => {}
            Err(StateError::Conflict { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        store::prune(context, &cluster).await?;
        return create(&engine, cluster, id).await;
    }
    Err(RunnerError::RetentionContended(cluster))
}

async fn create(
    engine: &Arc<Engine>,
    cluster: ClusterName,
    id: TaskId,
) -> Result<TaskId, RunnerError> {
    let now = (engine.context.clock)();
    let record = TaskRecord::new(id, TaskKind::Retention, cluster, now);
    let steps = &plan::retention_steps();
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &())])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok(id)
}

/// Whether a task has not ended, or is being created by another runner.
async fn is_at_work(engine: &Engine, id: TaskId) -> Result<bool, RunnerError> {
    let tasks = &engine.context.tasks;
    if let Some(known) = tasks.get(id).await? {
        return Ok(!known.record.state.is_final());
    }
    match tasks.acquire(id, &engine.holder).await {
        Ok(fence) => {
            let known = tasks.get(id).await?;
            tasks.release(&fence).await;
            Ok(known.is_some_and(|known| !known.record.state.is_final()))
        }
        Err(StateError::LeaseHeld { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
