//! Deletes what was decided, and finishes a deletion that a run of retention has begun.

use std::time::Duration;

use api::ErrorKind;
use api::clients::{DeleteBackup, OnProgress};
use jiff::Timestamp;
use model::task::Deletion;
use model::{BackupRef, BackupState, ClusterName, Finding};
use plan::codes;

use crate::context::Context;
use crate::engine::{LiveTask, RetryLimits, StepError, retry};
use crate::kinds::undo::follow_up;
use crate::retention;
use crate::retention::store::{self, Deleting, StoredNow};

/// How long a task that is cancelled tries to finish its deletion. One that gets further is not cut off.
const FINISH_FOR: Duration = Duration::from_secs(60);

/// A call that is held up longer than that deletes nothing any more.
const BEGIN_WITHIN: Duration = Duration::from_secs(60);

/// The reason of the storage-catalog's refusal to finish a deletion that has left nothing but its mark.
const NOT_BEGUN: &str = "DELETION_NOT_BEGUN";

/// What is found of a backup whose deletion may have begun.
pub(super) enum Found {
    /// It is as it was: whether it goes is decided again. A request to delete it may still arrive until its time is over.
    Untouched,
    /// Its deletion has begun and cannot be finished now.
    Refused,
    /// Nothing is left of it.
    Gone,
    /// This is what was left.
    Finished(Deletion),
}

/// Finishes a deletion if it has begun.
pub(super) async fn finish(
    context: &Context,
    cluster: &ClusterName,
    deleting: &Deleting,
    on_progress: OnProgress<'_>,
) -> Result<Found, StepError> {
    let listed = retention::list(context, cluster).await?;
    let mut listed = listed.iter();
    let found = listed.find(|summary| summary.backup.name == deleting.name);
    match found.map(|summary| summary.state) {
        None => return Ok(Found::Gone),
        Some(Some(BackupState::Deleting)) => {}
        Some(_) => return Ok(Found::Untouched),
    }
    match finish_begun(context, cluster, deleting, on_progress).await {
        Ok(deletion) => Ok(Found::Finished(deletion)),
        Err(StepError::Remote(error)) if error.kind == ErrorKind::NotFound => Ok(Found::Gone),
        // Nothing of it is gone, and the storage-catalog has taken the mark back.
        Err(StepError::Remote(error)) if error.reason == NOT_BEGUN => Ok(Found::Untouched),
        Err(error) if error.is_refusal() => Ok(Found::Refused),
        Err(error) => Err(error),
    }
}

/// The time after which a request to delete must not begin that is sent under a lease with so much time left: another runner
/// may have the task by then, and may have decided again.
pub(super) fn not_after(context: &Context, lease_left: Duration) -> Option<Timestamp> {
    let within = BEGIN_WITHIN.min(lease_left);
    (context.clock)().checked_add(within).ok()
}

/// How long a request to delete that was sent on these grounds may still begin.
pub(super) fn may_begin_for(context: &Context, deleting: &Deleting) -> Duration {
    let left = deleting
        .not_after
        .map(|time| time.duration_since((context.clock)()));
    // Another runner's clock may have been ahead.
    let left = left.and_then(|left| Duration::try_from(left).ok());
    left.unwrap_or_default().min(BEGIN_WITHIN)
}

/// Deletes a backup on the grounds on which it was decided, which have been written down before.
pub(super) async fn delete(
    context: &Context,
    cluster: &ClusterName,
    deleting: &Deleting,
    on_progress: OnProgress<'_>,
) -> Result<Deletion, StepError> {
    send(context, cluster, how(deleting), on_progress, deleting).await
}

/// Finishes a deletion that has begun. If it has left a mark only, the policies may not let the backup go any more.
async fn finish_begun(
    context: &Context,
    cluster: &ClusterName,
    deleting: &Deleting,
    on_progress: OnProgress<'_>,
) -> Result<Deletion, StepError> {
    let how = DeleteBackup {
        only_if_begun: true,
        not_after: not_after(context, context.tasks.lease_ttl()),
        ..how(deleting)
    };
    send(context, cluster, how, on_progress, deleting).await
}

fn how(deleting: &Deleting) -> DeleteBackup {
    DeleteBackup {
        started_at: Some(deleting.started_at),
        relies_on: deleting.relies_on.clone(),
        not_after: deleting.not_after,
        ..DeleteBackup::default()
    }
}

async fn send(
    context: &Context,
    cluster: &ClusterName,
    how: DeleteBackup,
    on_progress: OnProgress<'_>,
    deleting: &Deleting,
) -> Result<Deletion, StepError> {
    let backup = BackupRef {
        cluster: cluster.clone(),
        name: deleting.name.clone(),
    };
    let catalog = &context.catalog;
    Ok(catalog.delete_backup(&backup, how, on_progress).await?)
}

/// Finishes what a task that is given up has begun. Returns what could not be finished.
pub(super) async fn finish_own(context: &Context, task: &LiveTask) -> Vec<Finding> {
    let limits = RetryLimits::new(&context.config).at_most(FINISH_FOR);
    match retry(limits, || try_finish(context, task)).await {
        Ok(true) => Vec::new(),
        Ok(false) => vec![perhaps_cut_short(task)],
        Err(error) => {
            tracing::warn!(task_id = %task.record.id, error = error.text(), "deletion not finished");
            vec![perhaps_cut_short(task)]
        }
    }
}

/// Returns whether no deletion is left that may begin, or go on, when this task has ended.
async fn try_finish(context: &Context, task: &LiveTask) -> Result<bool, StepError> {
    let cluster = &task.record.cluster;
    let Some(stored) = store::now(context, cluster).await? else {
        return Ok(true);
    };
    let Some(deleting) = &stored.now.deleting else {
        return Ok(true);
    };
    if stored.now.task != task.record.id {
        return Ok(true);
    }
    let found = finish(context, cluster, deleting, &|_| {}).await?;
    if matches!(found, Found::Untouched) && !may_begin_for(context, deleting).is_zero() {
        // It stays written down, so that the next run looks for it.
        return Ok(false);
    }
    let mut done = StoredNow {
        now: stored.now.clone(),
        version: stored.version,
    };
    done.now.deleting = None;
    let write = [store::write_now(cluster, &done)?];
    match context.store.write(&write, None).await {
        // The next run has begun, and has seen to it.
        Ok(_) | Err(state_store::StateError::Conflict { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The finding for a task that may have left a deletion half done.
pub(super) fn perhaps_cut_short(task: &LiveTask) -> Finding {
    let cluster = &task.record.cluster;
    follow_up(
        codes::DELETION_CUT_SHORT,
        cluster.as_str(),
        "retention was ended while it may have been deleting a backup".to_owned(),
        format!(
            "`ringkeep retention run {cluster}` finishes a deletion that was cut short; `ringkeep backup list {cluster}` shows a backup that is being deleted, and `ringkeep backup delete` finishes it"
        ),
    )
}
