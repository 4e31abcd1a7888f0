//! Restores in place whose old files are still kept on the nodes, and the tasks that end this.
//!
//! A restore in place succeeds with the old files kept. Accepting it deletes them, rolling it back puts them back. Each is a
//! task of its own that keeps what it needs of the restore, and one rules the other out.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::TaskId;
use model::plan::{PlanStep, RestoreMode};
use model::task::{TaskKind, TaskState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::restore::RestoreSpec;
use crate::context::Context;
use crate::engine::{Engine, NewTask, StepError, StepRun, TaskRecord};
use crate::error::RunnerError;

/// The document of a task that accepts a restore or rolls it back.
const SPEC: &str = "kept";

/// What such a task needs of its restore, which may be forgotten before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptSpec {
    /// The restore, by whose id agents know what they keep.
    pub restore: TaskId,
    pub spec: RestoreSpec,
    /// Addresses of the nodes that the restore has stopped and not started again: their files may be bad.
    #[serde(default)]
    pub not_started: BTreeSet<String>,
    /// The hours after which the restore is accepted by a setting, if it is.
    #[serde(default)]
    pub accepted_after_hours: Option<u64>,
}

impl KeptSpec {
    pub async fn of(context: &Context, record: &TaskRecord) -> Result<Self, RunnerError> {
        let spec: Option<Self> = context.tasks.document(record.id, SPEC).await?;
        spec.ok_or_else(|| {
            RunnerError::PlanNotUnderstood(format!("task {} has lost its restore", record.id))
        })
    }

    pub fn addresses(&self) -> Vec<&str> {
        let nodes = self.spec.plan().nodes.iter();
        nodes.map(|node| node.node.as_str()).collect()
    }
}

/// A restore that was found, and the tasks that have accepted it or rolled it back.
pub(super) struct Found {
    pub record: TaskRecord,
    pub kept: KeptSpec,
    others: Vec<TaskRecord>,
}

impl Found {
    /// The newest task of a kind for this restore.
    pub fn newest(&self, kind: TaskKind) -> Option<&TaskRecord> {
        self.others.iter().rfind(|other| other.kind == kind)
    }

    pub fn refuse(&self, why: String, hint: String) -> RunnerError {
        RunnerError::NoWayBack {
            id: self.record.id,
            why,
            hint,
        }
    }

    /// Refuses if a task of this kind has begun to move or to delete files, or is about to.
    pub fn check_not(&self, kind: TaskKind) -> Result<(), RunnerError> {
        check_none(self.record.id, &self.others, kind, may_change)
    }
}

/// Whether a task that ends a restore has moved or deleted files of it. One that was cancelled all the same has left them to
/// newer restores.
fn has_changed(end: &TaskRecord) -> bool {
    end.past_point_of_no_return && end.state != TaskState::Cancelled
}

fn may_change(end: &TaskRecord) -> bool {
    !end.state.is_final() || has_changed(end)
}

fn check_none(
    restore: TaskId,
    ends: &[TaskRecord],
    kind: TaskKind,
    rules_out: fn(&TaskRecord) -> bool,
) -> Result<(), RunnerError> {
    let mut newest_first = ends.iter().rev();
    match newest_first.find(|end| end.kind == kind && rules_out(end)) {
        None => Ok(()),
        Some(other) => Err(RunnerError::NoWayBack {
            id: restore,
            why: format!("task {} {}", other.id, what_does(kind)),
            hint: format!("look at it with `ringkeep task show {}`", other.id),
        }),
    }
}

/// What a task of this kind does to its restore.
fn what_does(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Accept => "deletes its old files, or has done so",
        _ => "rolls it back, or has done so",
    }
}

/// Refuses to go on with the end of a restore if a task of the other kind has moved or deleted files of it. Asked before
/// files are touched, because that task may have run since this one was made or has failed.
pub(super) async fn check_not_changed(
    context: &Context,
    restore: TaskId,
    by: TaskKind,
) -> Result<(), RunnerError> {
    let ends = context.tasks.ends_of(restore).await?;
    check_none(restore, &ends, by, has_changed)
}

/// The same for a step that is about to move or to delete files.
pub(super) async fn check_before_files(
    step: &StepRun,
    restore: TaskId,
    by: TaskKind,
) -> Result<(), StepError> {
    match check_not_changed(&step.context, restore, by).await {
        Ok(()) => Ok(()),
        Err(RunnerError::NoWayBack { why, .. }) => Err(StepError::PlanOutdated { why }),
        Err(error) => Err(StepError::Read(Box::new(error))),
    }
}

/// Finds a restore in place, whatever has become of it.
pub(super) async fn find(engine: &Engine, id: TaskId) -> Result<Found, RunnerError> {
    let record = engine.load(id).await?.record;
    let refused = |why: &str, hint: &str| RunnerError::NoWayBack {
        id,
        why: why.to_owned(),
        hint: hint.to_owned(),
    };
    if record.kind != TaskKind::Restore {
        return Err(refused(
            "it is no restore",
            "`ringkeep task list` shows which tasks are",
        ));
    }
    let spec = RestoreSpec::of(&engine.context, &record).await?;
    if spec.plan().mode != RestoreMode::InPlace {
        return Err(refused(
            "it was not in place, so no old files are kept",
            "restore another backup, or the snapshots that Cassandra has taken of what was emptied",
        ));
    }
    let others = engine.context.tasks.ends_of(id).await?;
    let kept = KeptSpec {
        restore: id,
        spec,
        not_started: BTreeSet::new(),
        accepted_after_hours: None,
    };
    Ok(Found {
        record,
        kept,
        others,
    })
}

/// Whether the old files of a restore that has succeeded wait to be accepted or rolled back.
pub(super) async fn waits(context: &Context, restore: TaskId) -> Result<bool, RunnerError> {
    let ends = context.tasks.ends_of(restore).await?;
    let is_over = |end: &TaskRecord| {
        let replaced = end.state == TaskState::Cancelled && end.past_point_of_no_return;
        end.state == TaskState::Succeeded || replaced
    };
    Ok(!ends.iter().any(is_over))
}

/// The rollback of the restore that is under way, or has stopped half-way: it needs what the restore has left.
pub(crate) async fn rollback_in_part(
    context: &Context,
    restore: TaskId,
) -> Result<Option<TaskId>, RunnerError> {
    let in_part = |end: &TaskRecord| {
        end.kind == TaskKind::Rollback && end.state != TaskState::Succeeded && may_change(end)
    };
    let ends = context.tasks.ends_of(restore).await?;
    let found = ends.iter().rfind(|end| in_part(end));
    Ok(found.map(|end| end.id))
}

/// The task of this kind that runs or has succeeded: to ask again is to ask for that one.
pub(super) fn under_way(found: &Found, kind: TaskKind) -> Option<TaskId> {
    let newest = found.newest(kind)?;
    let ended_badly = matches!(newest.state, TaskState::Failed | TaskState::Cancelled);
    (!ended_badly).then_some(newest.id)
}

/// Makes and drives a task for the restore.
pub(super) async fn create(
    engine: &Arc<Engine>,
    kind: TaskKind,
    found: &Found,
    steps: &[PlanStep],
) -> Result<TaskId, RunnerError> {
    let id = TaskId(Uuid::now_v7());
    let now = (engine.context.clock)();
    let record = TaskRecord {
        backup: found.record.backup.clone(),
        restore: Some(found.record.id),
        pauses: engine.context.config.pause_when_retries_run_out && kind == TaskKind::Rollback,
        ..TaskRecord::new(id, kind, found.record.cluster.clone(), now)
    };
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &found.kept)])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok(id)
}

/// Ends are forgotten after their restore and never before it: they say what may still be done with it.
pub(super) async fn must_keep_end(
    context: &Context,
    end: &TaskRecord,
) -> Result<bool, RunnerError> {
    match end.restore {
        Some(restore) => Ok(context.tasks.get(restore).await?.is_some()),
        None => Ok(false),
    }
}
