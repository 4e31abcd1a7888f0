//! Undoes what a backup that is given up has made.

use api::ErrorKind;
use model::plan::{PlannedNode, StepKind};
use model::{BackupRef, Finding, TaskId};
use plan::codes;

use super::spec::{BackupSpec, snapshot_tag};
use super::steps;
use crate::context::Context;
use crate::engine::{LiveTask, RetryLimits, StepError, TaskRecord, Undone, retry};
use crate::kinds::undo::{follow_up, on_each};

pub(super) async fn undo(
    spec: &BackupSpec,
    context: &Context,
    task: &LiveTask,
    reason: &str,
) -> Undone {
    let Some(backup) = &task.record.backup else {
        return Undone::Done(Vec::new());
    };
    let limits = RetryLimits::new(&context.config);
    if task.was_attempted(StepKind::Commit) {
        match retry(limits, || is_committed(context, backup)).await {
            Ok(true) => return Undone::Succeeded(StepKind::Commit),
            Ok(false) => {}
            // The catalog refuses to abandon a backup that exists, so going on does no harm.
            Err(error) => {
                tracing::warn!(task_id = %task.record.id, error = error.text(), "commit remains unknown")
            }
        }
    }
    let mut findings = Vec::new();
    if task.was_attempted(StepKind::Snapshot) {
        findings.extend(clear_snapshots(spec, context, task).await);
    }
    let id = task.record.id;
    let abandoned = retry(limits, || abandon(context, backup, id, reason)).await;
    if let Err(error) = abandoned {
        findings.push(follow_up(
            codes::BACKUP_NOT_ABANDONED,
            &backup.to_string(),
            format!("the backup could not be marked as failed: {}", error.text()),
            "delete it with `ringkeep backup delete` once the storage-catalog replies".to_owned(),
        ));
    }
    Undone::Done(findings)
}

async fn clear_snapshots(spec: &BackupSpec, context: &Context, task: &LiveTask) -> Vec<Finding> {
    let within = context.config.clean_up_limit();
    let failed = on_each(context, within, spec.nodes.iter(), |node: &PlannedNode| {
        steps::clear(context, task.record.id, node)
    })
    .await;
    let findings = failed.iter();
    findings
        .map(|(node, error)| not_cleared(task, &node.address, error))
        .collect()
}

/// Gives the backup up. One that the catalog does not know needs no giving up.
async fn abandon(
    context: &Context,
    backup: &BackupRef,
    task: TaskId,
    reason: &str,
) -> Result<(), StepError> {
    match context.catalog.abandon_backup(backup, task, reason).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Gives up the backup of a task that has ended. What the catalog refuses to give up is complete or another task's.
pub(super) async fn release(
    context: &Context,
    backup: &BackupRef,
    record: &TaskRecord,
) -> Result<(), StepError> {
    match abandon(context, backup, record.id, &record.error).await {
        Err(error) if error.is_refusal() => Ok(()),
        abandoned => abandoned,
    }
}

/// Whether the backup exists, if the reply to its commit was lost.
async fn is_committed(context: &Context, backup: &BackupRef) -> Result<bool, StepError> {
    let found = context
        .catalog
        .get_backup(Some(&backup.cluster), &backup.name)
        .await;
    match found {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::NotFound | ErrorKind::FailedPrecondition
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// The finding for a snapshot that is left over.
pub(super) fn not_cleared(task: &LiveTask, node: &str, error: &StepError) -> Finding {
    snapshot_left(task, node, &error.text())
}

fn snapshot_left(task: &LiveTask, node: &str, why: &str) -> Finding {
    follow_up(
        codes::SNAPSHOT_NOT_CLEARED,
        node,
        format!("the snapshot is still on the node: {why}"),
        format!(
            "the task-runner removes it once the node's agent replies; or run `nodetool clearsnapshot -t {}` there",
            snapshot_tag(task.record.id)
        ),
    )
}

/// What a backup that is ended by force leaves: its snapshots, and its name as if it were still being made.
pub(super) fn left_by_force(task: &LiveTask) -> Vec<Finding> {
    let why = "its task was ended by force";
    let nodes = task.nodes_left(StepKind::Snapshot, StepKind::Clear);
    let nodes = nodes.into_iter();
    let mut findings: Vec<Finding> = nodes.map(|node| snapshot_left(task, node, why)).collect();
    if let Some(backup) = &task.record.backup {
        findings.push(follow_up(
            codes::BACKUP_NOT_ABANDONED,
            &backup.to_string(),
            format!("the backup was not marked as failed, because {why}"),
            "if `ringkeep backup list` shows it as running, delete it with `ringkeep backup delete --even-if-running`"
                .to_owned(),
        ));
    }
    findings
}
