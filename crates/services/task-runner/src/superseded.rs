//! Whether what a restore that has ended would bring back has since been restored or backed up again.
//!
//! Such a restore is not resumed: it would put older rows over newer ones, or count what it had loaded as there although
//! another restore has emptied the table since. What has ended stays so, therefore what is found here holds from then on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::TableRef;
use model::task::TaskState;

use crate::error::RunnerError;
use crate::order::{ORDER, Order};
use crate::record::{Job, TaskRecord};
use crate::services::Services;
use crate::store::TaskStore;

/// Refuses a restore of which another task has since dealt with a table. A restore that runs for the first time, or
/// holds its cluster, has no such task.
pub(crate) async fn check(services: &Services, record: &TaskRecord) -> Result<(), RunnerError> {
    let Some(since) = ended(record) else {
        return Ok(());
    };
    let mine = order(&services.tasks, record).await?;
    let tables = mine.map(|order| all_tables(&order));
    for other in newer(&services.tasks.list().await?, record, since).rev() {
        if is_about(&services.tasks, other, tables.as_ref()).await? {
            return Err(RunnerError::Superseded {
                id: record.task.id,
                newer: other.task.id,
                kind: other.task.kind,
                at: other.task.finished_at.unwrap_or(since),
            });
        }
    }
    Ok(())
}

/// Whether restores that have succeeded since have brought all of its tables: then nothing is left that a resume could do.
pub(crate) async fn is_replaced(
    services: &Services,
    record: &TaskRecord,
) -> Result<bool, RunnerError> {
    let mine = order(&services.tasks, record).await?;
    let (Some(since), Some(mine)) = (ended(record), mine) else {
        return Ok(false);
    };
    let mut left = loaded_tables(&mine);
    let records = services.tasks.list().await?;
    let succeeded = |other: &&TaskRecord| other.task.state == TaskState::Succeeded;
    for other in newer(&records, record, since).filter(succeeded) {
        if let Some(order) = order(&services.tasks, other).await? {
            let brought = loaded_tables(&order);
            left.retain(|table| !brought.contains(table));
        }
    }
    Ok(left.is_empty())
}

/// Whether a task that is to be forgotten is the only one that keeps a failed restore from being resumed.
pub(crate) async fn is_last_word(
    tasks: &TaskStore,
    record: &TaskRecord,
    waiting: &[&TaskRecord],
    kept: &[&TaskRecord],
) -> Result<bool, RunnerError> {
    for restore in waiting {
        let Some(since) = ended(restore) else {
            continue;
        };
        let tables = order(tasks, restore).await?.map(|order| all_tables(&order));
        let one = std::slice::from_ref(record);
        if newer(one, restore, since).next().is_none()
            || !is_about(tasks, record, tables.as_ref()).await?
        {
            continue;
        }
        let mut has_another = false;
        for other in kept {
            let one = std::slice::from_ref(*other);
            has_another |= newer(one, restore, since).next().is_some()
                && is_about(tasks, other, tables.as_ref()).await?;
        }
        if !has_another {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the restore last had its cluster to itself. Between the first end and a resume nothing newer has succeeded, or
/// there would have been none.
fn ended(record: &TaskRecord) -> Option<Timestamp> {
    record.first_ended.or(record.task.finished_at)
}

fn newer<'a>(
    records: &'a [TaskRecord],
    restore: &'a TaskRecord,
    since: Timestamp,
) -> impl DoubleEndedIterator<Item = &'a TaskRecord> {
    records.iter().filter(move |other| {
        other.task.id != restore.task.id
            && other.task.cluster == restore.task.cluster
            && has_touched(other)
            && other.task.finished_at.is_some_and(|at| at >= since)
    })
}

/// Whether the task has ended and what it was about is no longer as it was before: also a restore that failed may have
/// emptied tables, and loaded some of the nodes.
fn has_touched(other: &TaskRecord) -> bool {
    match other.task.state {
        TaskState::Succeeded => true,
        TaskState::Failed | TaskState::Cancelled => other.is_restore() && other.past_return,
        TaskState::Pending | TaskState::Running | TaskState::Paused => false,
    }
}

/// Whether a task deals with any of the tables; a restore whose tables are not known may be of any.
async fn is_about(
    tasks: &TaskStore,
    record: &TaskRecord,
    tables: Option<&BTreeSet<TableRef>>,
) -> Result<bool, RunnerError> {
    let Some(tables) = tables else {
        return Ok(true);
    };
    if let Job::Backup(job) = &record.job {
        let selected = |table: &TableRef| job.selection.contains(&table.keyspace, &table.table);
        return Ok(tables.iter().any(selected));
    }
    let other = order(tasks, record).await?;
    Ok(other.is_none_or(|other| !all_tables(&other).is_disjoint(tables)))
}

async fn order(tasks: &TaskStore, record: &TaskRecord) -> Result<Option<Order>, RunnerError> {
    match record.is_restore() {
        true => tasks.document(record.task.id, ORDER).await,
        false => Ok(None),
    }
}

fn loaded_tables(order: &Order) -> BTreeSet<TableRef> {
    let tables = order.tables.iter().map(|table| table.table.clone());
    tables.collect()
}

fn all_tables(order: &Order) -> BTreeSet<TableRef> {
    let mut tables = loaded_tables(order);
    tables.extend(order.views.iter().cloned());
    tables
}
