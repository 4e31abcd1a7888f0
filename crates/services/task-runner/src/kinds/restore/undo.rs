//! Undoes what a restore that is given up has made, as well as it can be undone; what is left over becomes a finding.

use std::collections::BTreeSet;

use model::plan::{NodePlan, StepKind};
use model::{Finding, TaskId};
use plan::codes;

use super::spec::RestoreSpec;
use super::{made, quiesce, steps, superseded};
use crate::context::Context;
use crate::engine::{Kinds, LiveTask, RetryLimits, StepError, TaskStep, retry};
use crate::kinds::undo::{follow_up, on_each};

/// Statements that fit into a finding.
const DROPS_MAX: usize = 20;

pub(super) async fn undo(
    spec: &RestoreSpec,
    context: &Context,
    kinds: &Kinds,
    task: &LiveTask,
) -> Vec<Finding> {
    let mut findings = let_clients_in_again(spec, context, task, task.record.id).await;
    if task.was_attempted(StepKind::TrialSchema) && !task.has_succeeded(StepKind::TrialDrop) {
        findings.extend(drop_trial(spec, context).await);
    }
    if task.was_attempted(StepKind::Stage) {
        findings.extend(remove_staging(spec, context, task, task.record.id).await);
    }
    // Also without its step: a restore that waits for its turn has its backup pinned meanwhile.
    findings.extend(unpin(context, task).await);
    // After a newer restore what was made is surely in use.
    if superseded::check(context, kinds, &task.record)
        .await
        .is_ok()
    {
        findings.extend(made_and_kept(spec, task));
    }
    findings
}

/// Starts Cassandra on the nodes on which the restore may have stopped it, and lets clients in again.
pub(in crate::kinds) async fn let_clients_in_again(
    spec: &RestoreSpec,
    context: &Context,
    task: &LiveTask,
    restore: TaskId,
) -> Vec<Finding> {
    if !task.was_attempted(StepKind::Quiesce) && !task.was_attempted(StepKind::Stop) {
        return Vec::new();
    }
    let nodes = spec.plan().nodes.iter();
    let within = context.config.step_limits.start();
    let failed = on_each(context, within, nodes, |node: &NodePlan| {
        quiesce::let_clients_in(context, restore, node)
    })
    .await;
    let findings = failed.iter();
    let mut findings: Vec<Finding> = findings
        .map(|(node, error)| not_started(&node.node, error))
        .collect();
    if task.was_attempted(StepKind::Stop) {
        findings.push(repair_advised(spec, task.record.cluster.as_str()));
    }
    findings
}

/// Nodes that started with the truncation records of a restore have dropped what other nodes, and their own commit logs,
/// still kept for its tables.
pub(in crate::kinds) fn repair_advised(spec: &RestoreSpec, subject: &str) -> Finding {
    let tables = spec.table_refs();
    let keyspaces: BTreeSet<&str> = tables.iter().map(|table| table.keyspace.as_str()).collect();
    let keyspaces = Vec::from_iter(keyspaces);
    follow_up(
        codes::REPAIR_ADVISED,
        subject,
        "nodes were started while newer writes were kept out of the restored tables: hints for them were dropped, so replicas may differ".to_owned(),
        format!(
            "{}, which does one node after the other",
            plan::wording::repair_command(subject, &keyspaces)
        ),
    )
}

/// Drops the scratch keyspaces of a trial that did not come to its end. One node does it for all.
async fn drop_trial(spec: &RestoreSpec, context: &Context) -> Vec<Finding> {
    let statements = spec.trial_drops();
    let nodes = spec.plan().nodes.iter();
    let within = context.config.clean_up_limit();
    let dropped = on_each(context, within, nodes.clone().take(1), |node: &NodePlan| {
        steps::execute_on(context, node, statements)
    })
    .await;
    let cleared = match dropped.is_empty() {
        true => {
            on_each(context, within, nodes, |node| {
                steps::clear_trial(context, node)
            })
            .await
        }
        false => Vec::new(),
    };
    let failed = dropped.iter().chain(&cleared);
    failed
        .map(|(node, error)| trial_not_dropped(&node.node, statements, error))
        .collect()
}

/// Removes what `restore` has left on the nodes. If the task that is given up is past its point of no return, newer restores
/// have replaced all of its tables, and old files go, too.
pub(in crate::kinds) async fn remove_staging(
    spec: &RestoreSpec,
    context: &Context,
    task: &LiveTask,
    restore: TaskId,
) -> Vec<Finding> {
    let within = context.config.clean_up_limit();
    let failed = on_each(context, within, spec.plan().nodes.iter(), |node| {
        let delete_old_files = task.record.past_point_of_no_return;
        steps::finish(context, restore, node, delete_old_files)
    })
    .await;
    let findings = failed.iter();
    findings
        .map(|(node, error)| not_finished(task, &node.node, error))
        .collect()
}

async fn unpin(context: &Context, task: &LiveTask) -> Option<Finding> {
    let backup = task.record.backup.as_ref()?;
    let limits = RetryLimits::new(&context.config);
    let unpinned = retry(limits, || async {
        let catalog = &context.catalog;
        Ok(catalog.unpin_backup(backup, task.record.id).await?)
    });
    let error = unpinned.await.err()?;
    Some(not_unpinned(task, &error))
}

/// What the schema step has made stays, because it is not known whether it is in use.
fn made_and_kept(spec: &RestoreSpec, task: &LiveTask) -> Option<Finding> {
    let steps = task.attempted(StepKind::Schema);
    let statements: Vec<String> = steps
        .flat_map(|step| spec.statements(&step.id).to_vec())
        .collect();
    let mut drops = made::drops(&statements);
    let keyspaces = made::keyspaces(&statements);
    if drops.is_empty() && keyspaces.is_empty() {
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
    Some(follow_up(
        codes::MADE_AND_KEPT,
        task.record.cluster.as_str(),
        "what was missing and this restore has made stays, without data".to_owned(),
        format!(
            "drop what is not in use: {}{more}{around}",
            drops.join("; ")
        ),
    ))
}

/// The finding for a step that only tidies up and was given up.
pub(super) fn given_up(task: &LiveTask, step: &TaskStep, error: &StepError) -> Finding {
    match step.kind {
        StepKind::Unpin => not_unpinned(task, error),
        _ => not_finished(task, &step.node, error),
    }
}

fn not_started(node: &str, error: &StepError) -> Finding {
    follow_up(
        codes::CASSANDRA_NOT_STARTED,
        node,
        format!(
            "clients were cut off from node {node} or it was stopped, and could not be let in again: {}",
            error.text()
        ),
        "restart Cassandra there as you always do: it lets clients in when it starts".to_owned(),
    )
}

fn trial_not_dropped(node: &str, statements: &[String], error: &StepError) -> Finding {
    follow_up(
        codes::TRIAL_NOT_DROPPED,
        node,
        format!(
            "the scratch keyspaces of the trial, or their folders, could not be removed: {}",
            error.text()
        ),
        format!(
            "run {}, and delete the folders of these keyspaces from the data directories",
            statements.join("; ")
        ),
    )
}

fn not_finished(task: &LiveTask, node: &str, error: &StepError) -> Finding {
    follow_up(
        codes::STAGING_NOT_REMOVED,
        node,
        format!(
            "what restore {} left on the node could not be removed: {}",
            task.record.id,
            error.text()
        ),
        format!(
            "the task-runner removes staged files once the node's agent replies, and never old files of a restore in place; `ringkeep leftovers list {}` shows both",
            task.record.cluster
        ),
    )
}

fn not_unpinned(task: &LiveTask, error: &StepError) -> Finding {
    let backup = task.record.backup.as_ref();
    follow_up(
        codes::PIN_NOT_RELEASED,
        &backup.map(ToString::to_string).unwrap_or_default(),
        format!(
            "the backup is still pinned by task {}: {}",
            task.record.id,
            error.text()
        ),
        "until the pin is gone the backup cannot be deleted; the task-runner releases it once the storage-catalog replies".to_owned(),
    )
}
