//! Whether the data that a restore that has ended would bring back has since been restored or backed up again.
//!
//! Such a restore is not resumed: it would put older rows over newer ones, or count what it had loaded as there although
//! another restore has emptied the table since. What has ended stays so, therefore what is found here holds from then on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::task::{TaskKind, TaskState};
use model::{TableRef, TaskId};

use super::spec::{RestoreSpec, SPEC};
use crate::context::Context;
use crate::engine::{Kinds, TaskRecord, Touched};
use crate::error::RunnerError;

/// Refuses a restore if another task has since dealt with one of its tables. A restore that runs for the first time, or
/// holds its cluster, has no such task.
pub(super) async fn check(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
) -> Result<(), RunnerError> {
    let Some(since) = record.ended() else {
        return Ok(());
    };
    let mine = spec(context, record).await?;
    let mine = mine.map(|spec| tables(&spec.touched()).1);
    let records = context.tasks.all_records().await?;
    for other in newer(&records, record, since).rev() {
        if has_touched(context, kinds, other, mine.as_ref()).await? {
            return Err(RunnerError::Superseded {
                id: record.id,
                newer: other.id,
                kind: other.kind,
                at: other.finished_at.unwrap_or(since),
            });
        }
    }
    Ok(())
}

/// Refuses if a restore or a rollback has since replaced any of its tables: the files that this one has kept are older than
/// what that one has, or has kept.
pub(in crate::kinds) async fn check_no_newer_restore(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
) -> Result<(), RunnerError> {
    let mine = spec(context, record).await?;
    let mine = mine.map(|spec| tables(&spec.touched()).1);
    check_none_since(context, kinds, record, record.id, mine.as_ref()).await
}

/// Refuses a rollback of `restore` if another restore or rollback has since replaced any of its tables.
pub(in crate::kinds) async fn check_rollback(
    context: &Context,
    kinds: &Kinds,
    rollback: &TaskRecord,
    restore: TaskId,
    spec: &RestoreSpec,
) -> Result<(), RunnerError> {
    let mine = tables(&spec.touched()).1;
    check_none_since(context, kinds, rollback, restore, Some(&mine)).await
}

async fn check_none_since(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
    restore: TaskId,
    mine: Option<&BTreeSet<TableRef>>,
) -> Result<(), RunnerError> {
    let records = context.tasks.all_records().await?;
    let newer = records
        .iter()
        .filter(|other| has_replaced(other, record, restore));
    for other in newer.rev() {
        if has_touched(context, kinds, other, mine).await? {
            return Err(RunnerError::Superseded {
                id: record.id,
                newer: other.id,
                kind: other.kind,
                at: other.finished_at.unwrap_or(other.created_at),
            });
        }
    }
    Ok(())
}

/// Whether `other` may have replaced what `restore` has restored or kept; `record` itself does not count.
fn has_replaced(other: &TaskRecord, record: &TaskRecord, restore: TaskId) -> bool {
    other.cluster == record.cluster
        && other.id != record.id
        && other.id.0 > restore.0
        && matches!(other.kind, TaskKind::Restore | TaskKind::Rollback)
}

/// Whether `candidate` is the only task that keeps a failed rollback of `restore` from being resumed.
pub(in crate::kinds) async fn is_last_guard_of_rollback(
    context: &Context,
    kinds: &Kinds,
    rollback: &TaskRecord,
    (restore, spec): (TaskId, &RestoreSpec),
    candidate: &TaskRecord,
    others: &[&TaskRecord],
) -> Result<bool, RunnerError> {
    let mine = tables(&spec.touched()).1;
    if !has_replaced(candidate, rollback, restore)
        || !has_touched(context, kinds, candidate, Some(&mine)).await?
    {
        return Ok(false);
    }
    for other in others {
        if has_replaced(other, rollback, restore)
            && has_touched(context, kinds, other, Some(&mine)).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether restores that have succeeded since have brought all of its tables: then nothing is left that a resume could do.
pub(super) async fn is_replaced(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
) -> Result<bool, RunnerError> {
    match spec(context, record).await? {
        Some(mine) => are_replaced(context, kinds, record, &mine).await,
        None => Ok(false),
    }
}

/// The same for a rollback of a restore.
pub(in crate::kinds) async fn is_rollback_replaced(
    context: &Context,
    kinds: &Kinds,
    rollback: &TaskRecord,
    spec: &RestoreSpec,
) -> Result<bool, RunnerError> {
    are_replaced(context, kinds, rollback, spec).await
}

async fn are_replaced(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
    mine: &RestoreSpec,
) -> Result<bool, RunnerError> {
    let Some(since) = record.ended() else {
        return Ok(false);
    };
    let mut left = tables(&mine.touched()).0;
    let records = context.tasks.all_records().await?;
    let succeeded = |other: &&TaskRecord| other.state == TaskState::Succeeded;
    for other in newer(&records, record, since).filter(succeeded) {
        if let Touched::Tables { loaded, .. } = touched(context, kinds, other).await? {
            left.retain(|table| !loaded.contains(table));
        }
    }
    Ok(left.is_empty())
}

/// Whether `candidate` is the only task that keeps a failed restore from being resumed.
pub(super) async fn is_last_guard(
    context: &Context,
    kinds: &Kinds,
    waiting: &TaskRecord,
    candidate: &TaskRecord,
    others: &[&TaskRecord],
) -> Result<bool, RunnerError> {
    let Some(since) = waiting.ended() else {
        return Ok(false);
    };
    let mine = spec(context, waiting).await?;
    let mine = mine.map(|spec| tables(&spec.touched()).1);
    if !is_newer(candidate, waiting, since)
        || !has_touched(context, kinds, candidate, mine.as_ref()).await?
    {
        return Ok(false);
    }
    for other in others {
        if is_newer(other, waiting, since)
            && has_touched(context, kinds, other, mine.as_ref()).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn newer<'a>(
    records: &'a [TaskRecord],
    restore: &'a TaskRecord,
    since: Timestamp,
) -> impl DoubleEndedIterator<Item = &'a TaskRecord> {
    let others = records.iter();
    others.filter(move |other| is_newer(other, restore, since))
}

fn is_newer(other: &TaskRecord, restore: &TaskRecord, since: Timestamp) -> bool {
    // When one that goes on replaced tables is not known; it may have been since then.
    let goes_on = !other.state.is_final() && other.past_point_of_no_return;
    let saw_later = other.saw_cluster_until().is_some_and(|at| at >= since);
    other.id != restore.id && other.cluster == restore.cluster && (goes_on || saw_later)
}

async fn touched(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
) -> Result<Touched, RunnerError> {
    match kinds.get(&record.kind) {
        Some(kind) => kind.touched(context, record).await,
        None => Ok(Touched::Unknown),
    }
}

/// Whether a task has dealt with any of the tables; without tables, with any at all.
async fn has_touched(
    context: &Context,
    kinds: &Kinds,
    record: &TaskRecord,
    mine: Option<&BTreeSet<TableRef>>,
) -> Result<bool, RunnerError> {
    let touched = touched(context, kinds, record).await?;
    Ok(match mine {
        Some(mine) => touched.meets(mine),
        None => touched != Touched::Nothing,
    })
}

async fn spec(context: &Context, record: &TaskRecord) -> Result<Option<RestoreSpec>, RunnerError> {
    context.tasks.document(record.id, SPEC).await
}

/// The tables that a restore loads, and these with the views over them.
fn tables(touched: &Touched) -> (BTreeSet<TableRef>, BTreeSet<TableRef>) {
    match touched {
        Touched::Tables { loaded, all } => (loaded.clone(), all.clone()),
        Touched::Nothing | Touched::Selected(_) | Touched::Unknown => Default::default(),
    }
}
