//! Finishes a deletion that a run of retention has begun.

use std::time::Duration;

use api::ErrorKind;
use api::clients::{DeleteBackup, OnProgress};
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

/// A call that is held up longer than that deletes nothing any more. Nor does one that is held up for longer than the lease of
/// the task lasts: another runner may have the task by then, and may have decided again.
const BEGIN_WITHIN: Duration = Duration::from_secs(60);

/// What is found of a backup whose deletion may have begun.
pub(super) enum Found {
    /// It is as it was: whether it goes is decided again.
    Untouched,
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
    match delete(context, cluster, deleting, on_progress).await {
        Ok(deletion) => Ok(Found::Finished(deletion)),
        Err(StepError::Remote(error)) if error.kind == ErrorKind::NotFound => Ok(Found::Gone),
        // The storage-catalog has taken the mark back, because the backup is needed after all.
        Err(error) if error.is_refusal() => Ok(Found::Untouched),
        Err(error) => Err(error),
    }
}

/// Deletes a backup on the grounds on which it was decided.
pub(super) async fn delete(
    context: &Context,
    cluster: &ClusterName,
    deleting: &Deleting,
    on_progress: OnProgress<'_>,
) -> Result<Deletion, StepError> {
    let backup = BackupRef {
        cluster: cluster.clone(),
        name: deleting.name.clone(),
    };
    let within = BEGIN_WITHIN.min(context.tasks.lease_ttl());
    let how = DeleteBackup {
        even_if_running: false,
        earlier_are_dead: false,
        started_at: Some(deleting.started_at),
        relies_on: deleting.relies_on.clone(),
        only_garbage: false,
        not_after: (context.clock)().checked_add(within).ok(),
    };
    let deleted = context
        .catalog
        .delete_backup(&backup, how, on_progress)
        .await;
    Ok(deleted?)
}

/// Finishes what a task that is given up has begun. Returns what could not be finished.
pub(super) async fn finish_own(context: &Context, task: &LiveTask) -> Vec<Finding> {
    let limits = RetryLimits::new(&context.config).at_most(FINISH_FOR);
    match retry(limits, || try_finish(context, task)).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::warn!(task_id = %task.record.id, error = error.text(), "deletion not finished");
            vec![perhaps_cut_short(task)]
        }
    }
}

async fn try_finish(context: &Context, task: &LiveTask) -> Result<(), StepError> {
    let cluster = &task.record.cluster;
    let Some(stored) = store::now(context, cluster).await? else {
        return Ok(());
    };
    let Some(deleting) = &stored.now.deleting else {
        return Ok(());
    };
    if stored.now.task != task.record.id {
        return Ok(());
    }
    finish(context, cluster, deleting, &|_| {}).await?;
    let mut done = StoredNow {
        now: stored.now.clone(),
        version: stored.version,
    };
    done.now.deleting = None;
    let write = [store::write_now(cluster, &done)?];
    match context.store.write(&write, None).await {
        // The next run has begun, and has seen to it.
        Ok(_) | Err(state_store::StateError::Conflict { .. }) => Ok(()),
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
