//! What a restore that has failed leaves on the nodes and in the bucket, by what its steps have done.

use std::collections::BTreeSet;

use model::Finding;
use model::plan::StepKind;
use plan::codes;

use super::spec::RestoreSpec;
use crate::engine::LiveTask;
use crate::kinds::undo::follow_up;

/// Nodes and tables that fit into a message.
const NAMED_MAX: usize = 20;

/// What a user must know of a restore that has failed; all that it leaves, if it was ended by force.
pub(super) fn left_over(
    spec: &RestoreSpec,
    task: &LiveTask,
    forced: bool,
    cut_off: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(cassandra_stopped(task));
    findings.extend(scratch_keyspaces(spec, task));
    findings.extend(clients_cut_off(task, forced, cut_off));
    if forced {
        findings.extend(half_restored(spec, task));
        findings.extend(on_nodes(task));
        findings.extend(pinned(task));
    }
    findings
}

/// What a user must know of a rollback that has failed or was ended by force.
pub(in crate::kinds) fn of_rollback(
    task: &LiveTask,
    forced: bool,
    cut_off: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut nodes = task.nodes_left(StepKind::Stop, StepKind::Start);
    nodes.extend(task.nodes_left(StepKind::SwapBack, StepKind::Start));
    nodes.sort_unstable();
    nodes.dedup();
    let mut findings = Vec::new();
    if !nodes.is_empty() {
        findings.push(follow_up(
            codes::CASSANDRA_STOPPED,
            task.record.cluster.as_str(),
            format!(
                "the rollback has not started Cassandra again on {}",
                nodes_named(&nodes)
            ),
            format!("`ringkeep task resume {}` goes on", task.record.id),
        ));
    }
    findings.extend(clients_cut_off(task, forced, cut_off));
    findings
}

/// A step that was ended by force could not let clients in again, and one that has failed has tried it: `cut_off` are the
/// nodes on which that failed.
fn clients_cut_off(task: &LiveTask, forced: bool, cut_off: &BTreeSet<String>) -> Option<Finding> {
    let is_quiescing = task.was_attempted(StepKind::Quiesce)
        && !task.was_attempted(StepKind::Stop)
        && !task.has_succeeded(StepKind::Start);
    if !is_quiescing || !forced && cut_off.is_empty() {
        return None;
    }
    let nodes: Vec<&String> = cut_off.iter().collect();
    let message = if forced {
        "clients may be cut off on all nodes of the task".to_owned()
    } else {
        format!(
            "clients were cut off, and could not be let in again on {}",
            named("node", &nodes)
        )
    };
    let id = task.record.id;
    Some(follow_up(
        codes::CLIENTS_CUT_OFF,
        task.record.cluster.as_str(),
        message,
        format!(
            "`ringkeep task resume {id}` goes on, `ringkeep task cancel {id}` lets them in again; by hand: `nodetool enablebinary` on each node"
        ),
    ))
}

/// The nodes on which the restore has stopped Cassandra, or has begun to, and not started it again.
pub(super) fn stopped(task: &LiveTask) -> Option<String> {
    let nodes = task.nodes_left(StepKind::Stop, StepKind::Start);
    (!nodes.is_empty()).then(|| nodes_named(&nodes))
}

fn cassandra_stopped(task: &LiveTask) -> Option<Finding> {
    let nodes = stopped(task)?;
    let id = task.record.id;
    let swapped = task.nodes_left(StepKind::Swap, StepKind::Start);
    let (files, hint) = match swapped.is_empty() {
        true => (
            "its files are as they were".to_owned(),
            format!(
                "`ringkeep task resume {id}` goes on; `ringkeep task cancel {id}` goes back: it starts Cassandra with its old data"
            ),
        ),
        false => (
            format!("on {} files were swapped", nodes_named(&swapped)),
            format!(
                "`ringkeep task resume {id}` goes on: it swaps what is left and starts Cassandra; `ringkeep restore rollback {id}` puts the old files back and starts Cassandra on them"
            ),
        ),
    };
    Some(follow_up(
        codes::CASSANDRA_STOPPED,
        task.record.cluster.as_str(),
        format!(
            "the restore has stopped Cassandra on {nodes}, and has not started it again; {files}"
        ),
        hint,
    ))
}

fn scratch_keyspaces(spec: &RestoreSpec, task: &LiveTask) -> Option<Finding> {
    let is_left =
        task.was_attempted(StepKind::TrialSchema) && !task.has_succeeded(StepKind::TrialDrop);
    let id = task.record.id;
    is_left.then(|| {
        follow_up(
            codes::TRIAL_NOT_DROPPED,
            task.record.cluster.as_str(),
            "scratch keyspaces of the trial load may still be there, and outdate plans that are made meanwhile"
                .to_owned(),
            format!(
                "`ringkeep task cancel {id}` drops them, and `ringkeep task resume {id}` tries again; by hand: {}",
                spec.trial_drops().join("; ")
            ),
        )
    })
}

fn half_restored(spec: &RestoreSpec, task: &LiveTask) -> Option<Finding> {
    if !task.record.past_point_of_no_return {
        return None;
    }
    let id = task.record.id;
    let tables: Vec<String> = spec.table_refs().iter().map(ToString::to_string).collect();
    Some(follow_up(
        codes::ENDED_BY_FORCE,
        task.record.cluster.as_str(),
        format!(
            "the restore was ended after it had begun to replace data: {} may hold the backup's data on some nodes, and on others none or what was there before",
            named("table", &tables)
        ),
        format!(
            "`ringkeep task resume {id}` goes on, or restore these tables again; until then do not keep backups of them as good ones"
        ),
    ))
}

fn on_nodes(task: &LiveTask) -> Option<Finding> {
    let id = task.record.id;
    let mut left = Vec::new();
    for (what, begun, ended) in [
        ("staged files", StepKind::Stage, StepKind::Finish),
        (
            "old files that were moved aside",
            StepKind::Swap,
            StepKind::Finish,
        ),
        (
            "compaction may be off for tables that were being loaded",
            StepKind::Load,
            StepKind::Load,
        ),
    ] {
        let nodes = task.nodes_left(begun, ended);
        if !nodes.is_empty() {
            left.push(format!("{what}, on {}", nodes_named(&nodes)));
        }
    }
    if left.is_empty() {
        return None;
    }
    Some(follow_up(
        codes::LEFT_ON_NODES,
        task.record.cluster.as_str(),
        format!("the restore leaves {}", left.join("; ")),
        format!(
            "`ringkeep task resume {id}` uses it; once newer restores have brought all of its tables, `ringkeep task cancel {id}` removes it"
        ),
    ))
}

fn pinned(task: &LiveTask) -> Option<Finding> {
    if !task.record.made_something {
        return None;
    }
    let backup = task.record.backup.as_ref()?;
    let id = task.record.id;
    Some(follow_up(
        codes::PIN_NOT_RELEASED,
        &backup.to_string(),
        format!("the backup stays pinned by task {id}, so that it can be resumed"),
        "until the pin is gone the backup cannot be deleted; the task's end by `task resume` or `task cancel` releases it"
            .to_owned(),
    ))
}

fn nodes_named(nodes: &[&str]) -> String {
    named("node", nodes)
}

fn named<T: AsRef<str>>(what: &str, names: &[T]) -> String {
    let some: Vec<&str> = names.iter().take(NAMED_MAX).map(AsRef::as_ref).collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    let more = match names.len() - some.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}{plural} {}{more}", some.join(", "))
}
