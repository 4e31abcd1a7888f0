//! Accepts restores in place a set time after they have succeeded, if a setting asks for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::TaskId;
use model::task::TaskState;

use super::start_found;
use crate::engine::{Engine, TaskRecord};
use crate::error::RunnerError;
use crate::kinds::kept;

/// How often restores that are due are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// Accepts restores that are due until the runner drains; none if the setting is 0.
pub(crate) async fn accept_loop(engine: Arc<Engine>) {
    let hours = engine.context.config.accept_in_place_after_hours;
    if hours == 0 {
        return;
    }
    loop {
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = accept_due(&engine, hours) => {}
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn accept_due(engine: &Arc<Engine>, hours: u64) {
    let records = match engine.context.tasks.all_records().await {
        Ok(records) => records,
        Err(error) => {
            let error = api::error::chain(&error);
            tracing::warn!(error, "restores to accept could not be listed");
            return;
        }
    };
    let now = (engine.context.clock)();
    for record in records.iter().filter(|record| is_due(record, now, hours)) {
        match accept(engine, record.id, hours).await {
            Ok(None) => {}
            Ok(Some(task)) => {
                let cluster = record.cluster.as_str();
                let reason = format!("accept_in_place_after_hours is {hours}");
                chassis::server::note_own_change(
                    "AcceptRestore",
                    &reason,
                    cluster,
                    &task.to_string(),
                    &record.id.to_string(),
                );
                tracing::info!(task_id = %task, restore = %record.id, hours, "restore is accepted by setting");
            }
            // The cluster is busy, for example: it is tried again.
            Err(error) => {
                let error = api::error::chain(&error);
                tracing::info!(restore = %record.id, error, "restore is not accepted yet");
            }
        }
    }
}

/// Whether the old files of a restore have been kept for long enough. One that has not succeeded may need them.
fn is_due(record: &TaskRecord, now: Timestamp, hours: u64) -> bool {
    let kept_for = record
        .finished_at
        .map(|finished| now.duration_since(finished));
    // More hours than fit are never over.
    let limit = i64::try_from(hours)
        .ok()
        .and_then(|hours| hours.checked_mul(3_600))
        .map(SignedDuration::from_secs);
    record.in_place
        && record.state == TaskState::Succeeded
        && matches!((kept_for, limit), (Some(kept_for), Some(limit)) if kept_for >= limit)
}

/// Starts the acceptance of a restore, unless a task has ever tried to accept it or to roll it back: then it is for a user
/// to say how it ends.
async fn accept(
    engine: &Arc<Engine>,
    restore: TaskId,
    hours: u64,
) -> Result<Option<TaskId>, RunnerError> {
    if !engine.context.tasks.ends_of(restore).await?.is_empty() {
        return Ok(None);
    }
    let mut found = kept::find(engine, restore).await?;
    found.kept.accepted_after_hours = Some(hours);
    start_found(engine, found).await.map(Some)
}
