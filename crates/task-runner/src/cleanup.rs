//! Undoes what a task that is given up has made, as well as it can be undone; what is left over becomes a finding.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use model::Finding;
use plan::codes;

use crate::core::Core;
use crate::record::{Ending, TaskRecord, Work, left_to_do};
use crate::retry::{RetryLimits, retry};
use crate::services::Services;
use crate::step_error::StepError;
use crate::steps::{committed, undo};

/// A node that is down keeps what it has; the task does not wait longer for it.
const NODE_RETRY_FOR: Duration = Duration::from_secs(60);

/// What came of cleaning up.
pub(crate) enum Cleaned {
    Done(Vec<Finding>),
    /// The backup is in the bucket after all: there is nothing to give up, and the task goes on.
    BackupExists,
}

pub(crate) async fn clean(core: Arc<Core>, record: TaskRecord, ending: Ending) -> Cleaned {
    match record.is_restore() {
        true => Cleaned::Done(clean_restore(&core.services, &record).await),
        false => clean_backup(&core.services, &record, &ending).await,
    }
}

async fn clean_backup(services: &Services, record: &TaskRecord, ending: &Ending) -> Cleaned {
    let limits = RetryLimits::new(&services.config);
    let backup = record.task.backup.to_string();
    let mut findings = Vec::new();
    if record.was_attempted(|work| *work == Work::Commit) {
        match retry(limits, || committed(services, record)).await {
            Ok(true) => return Cleaned::BackupExists,
            Ok(false) => {}
            // Abandoning is refused by the catalog where the backup exists, so going on does no harm.
            Err(error) => {
                tracing::warn!(task_id = %record.task.id, error = error.text(), "commit remains unknown")
            }
        }
    }
    if record.was_attempted(|work| matches!(work, Work::Snapshot { .. })) {
        findings.extend(clear_snapshots(services, record).await);
    }
    let abandoned = retry(limits, || undo::abandon(services, record, &ending.reason)).await;
    if let Err(error) = abandoned {
        findings.push(left_to_do(
            codes::BACKUP_NOT_ABANDONED,
            &backup,
            format!("the backup could not be marked as failed: {}", error.text()),
            "delete it with `ringkeep backup delete` once the storage-catalog answers".to_owned(),
        ));
    }
    Cleaned::Done(findings)
}

async fn clear_snapshots(services: &Services, record: &TaskRecord) -> Vec<Finding> {
    on_each_node(services, record, |agent| {
        undo::clear(services, record, agent)
    })
    .await
    .into_iter()
    .map(|(node, error)| not_cleared(record, &node, &error))
    .collect()
}

async fn clean_restore(services: &Services, record: &TaskRecord) -> Vec<Finding> {
    let limits = RetryLimits::new(&services.config);
    let mut findings = Vec::new();
    if record.was_attempted(|work| matches!(work, Work::Stage { .. })) {
        let failed = on_each_node(services, record, |agent| {
            undo::finish(services, record, agent)
        })
        .await;
        findings.extend(
            failed
                .iter()
                .map(|(node, error)| not_finished(record, node, error)),
        );
    }
    if record.was_attempted(|work| *work == Work::Pin)
        && let Err(error) = retry(limits, || undo::unpin(services, record)).await
    {
        findings.push(not_unpinned(record, &error));
    }
    findings
}

/// Runs the same on all nodes at once; answers the nodes on which it failed.
async fn on_each_node<'a, F>(
    services: &Services,
    record: &'a TaskRecord,
    undo: impl Fn(&'a str) -> F,
) -> Vec<(String, StepError)>
where
    F: Future<Output = Result<(), StepError>>,
{
    let limits = RetryLimits::new(&services.config).at_most(NODE_RETRY_FOR);
    let undo = &undo;
    let each = record.job.nodes().iter().map(|node| async move {
        let done = retry(limits, || undo(&node.agent)).await;
        done.err().map(|error| (node.address.clone(), error))
    });
    join_all(each).await.into_iter().flatten().collect()
}

/// The finding for a step that only tidies up and was given up.
pub(crate) fn given_up(record: &TaskRecord, at: usize, error: &StepError) -> Finding {
    let step = &record.task.steps[at];
    match &step.work {
        Work::Clear { .. } => not_cleared(record, &step.node, error),
        Work::Unpin => not_unpinned(record, error),
        _ => not_finished(record, &step.node, error),
    }
}

fn not_cleared(record: &TaskRecord, node: &str, error: &StepError) -> Finding {
    left_to_do(
        codes::SNAPSHOT_NOT_CLEARED,
        node,
        format!("the snapshot is still on the node: {}", error.text()),
        format!(
            "run `nodetool clearsnapshot -t {}` there",
            record.snapshot_tag()
        ),
    )
}

fn not_finished(record: &TaskRecord, node: &str, error: &StepError) -> Finding {
    left_to_do(
        codes::STAGING_NOT_REMOVED,
        node,
        format!(
            "what restore {} left on the node could not be removed: {}",
            record.task.id,
            error.text()
        ),
        "remove the restore's staging folder from the data directories".to_owned(),
    )
}

fn not_unpinned(record: &TaskRecord, error: &StepError) -> Finding {
    left_to_do(
        codes::PIN_NOT_RELEASED,
        &record.task.backup.to_string(),
        format!(
            "the backup is still pinned by task {}: {}",
            record.task.id,
            error.text()
        ),
        "until the pin is gone the backup cannot be deleted".to_owned(),
    )
}
