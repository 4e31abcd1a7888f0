//! Undoes what a task that is given up has made, as well as it can be undone; what is left over becomes a finding.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use model::Finding;
use plan::codes;

use crate::core::Core;
use crate::made;
use crate::order::Order;
use crate::record::{Ending, Node, TaskRecord, Work, left_to_do};
use crate::retry::{RetryLimits, retry};
use crate::services::Services;
use crate::step_error::StepError;
use crate::steps::{committed, undo};
use crate::superseded;

/// A node that is down keeps what it has; the task does not wait longer for it.
const NODE_RETRY_FOR: Duration = Duration::from_secs(60);

/// Statements that fit into a finding.
const DROPS_MAX: usize = 20;

/// What came of cleaning up.
pub(crate) enum Cleaned {
    Done(Vec<Finding>),
    /// The backup is in the bucket after all: there is nothing to give up, and the task goes on.
    BackupExists,
}

pub(crate) async fn clean(
    core: Arc<Core>,
    record: TaskRecord,
    order: Arc<Order>,
    ending: Ending,
) -> Cleaned {
    match record.is_restore() {
        true => Cleaned::Done(clean_restore(&core.services, &record, &order).await),
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
    on_each_node(services, every_node(record), |agent| {
        undo::clear(services, record, agent)
    })
    .await
    .into_iter()
    .map(|(node, error)| not_cleared(record, &node, &error))
    .collect()
}

async fn clean_restore(services: &Services, record: &TaskRecord, order: &Order) -> Vec<Finding> {
    let limits = RetryLimits::new(&services.config);
    let mut findings = start_again(services, record).await;
    if record.was_attempted(|work| matches!(work, Work::Stage { .. })) {
        let failed = on_each_node(services, every_node(record), |agent| {
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
    findings.extend(what_was_made(services, record, order).await);
    findings
}

/// Starts Cassandra on the nodes on which the restore may have stopped it.
async fn start_again(services: &Services, record: &TaskRecord) -> Vec<Finding> {
    let stopped: Vec<&str> = record
        .attempted(|work| matches!(work, Work::Stop { .. }))
        .map(|step| step.node.as_str())
        .collect();
    let nodes = every_node(record).filter(|node| stopped.contains(&node.address.as_str()));
    let failed = on_each_node(services, nodes, |agent| {
        undo::start_again(services, record, agent)
    })
    .await;
    failed
        .iter()
        .map(|(node, error)| not_started(node, error))
        .collect()
}

/// What the schema step has made stays, because it is not known whether it is in use; after a newer restore it surely is.
async fn what_was_made(services: &Services, record: &TaskRecord, order: &Order) -> Option<Finding> {
    let steps = record.attempted(|work| *work == Work::Schema);
    let statements: Vec<String> = steps
        .flat_map(|step| order.statements(&step.id).to_vec())
        .collect();
    let mut drops = made::drops(&statements);
    let keyspaces = made::keyspaces(&statements);
    if drops.is_empty() && keyspaces.is_empty()
        || superseded::check(services, record).await.is_err()
    {
        return None;
    }
    let number = drops.len();
    drops.truncate(DROPS_MAX);
    let more = match number - drops.len() {
        0 => String::new(),
        more => format!("; and {more} more, which the plan's schema step names"),
    };
    let around = match keyspaces.is_empty() {
        true => String::new(),
        false => format!("; and {} if nothing else is in it", keyspaces.join(", ")),
    };
    Some(left_to_do(
        codes::MADE_AND_KEPT,
        record.task.cluster.as_str(),
        "what was missing and this restore has made stays, without data".to_owned(),
        format!(
            "drop what is not in use: {}{more}{around}",
            drops.join("; ")
        ),
    ))
}

fn every_node(record: &TaskRecord) -> impl Iterator<Item = &Node> {
    record.job.nodes().iter()
}

/// Runs the same on these nodes at once; returns the nodes on which it failed.
async fn on_each_node<'a, F>(
    services: &Services,
    nodes: impl Iterator<Item = &'a Node>,
    undo: impl Fn(&'a str) -> F,
) -> Vec<(String, StepError)>
where
    F: Future<Output = Result<(), StepError>>,
{
    let limits = RetryLimits::new(&services.config).at_most(NODE_RETRY_FOR);
    let undo = &undo;
    let each = nodes.map(|node| async move {
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

fn not_started(node: &str, error: &StepError) -> Finding {
    left_to_do(
        codes::CASSANDRA_NOT_STARTED,
        node,
        format!(
            "Cassandra was drained or stopped on node {node}, and could not be started again: {}",
            error.text()
        ),
        "start Cassandra there as you always do; if its process still runs, it is drained: stop it first".to_owned(),
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
        "until the pin is gone the backup cannot be deleted; UnpinBackup of the storage-catalog releases it".to_owned(),
    )
}
