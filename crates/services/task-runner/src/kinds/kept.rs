//! Restores in place whose old files are still kept on the nodes, and the tasks that end this.
//!
//! A restore in place succeeds with the old files kept. Accepting it deletes them, rolling it back puts them back. Each is a
//! task of its own that keeps what it needs of the restore, and one rules the other out.

use std::sync::Arc;

use model::TaskId;
use model::plan::{PlanStep, RestoreMode};
use model::task::{TaskKind, TaskState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::restore::RestoreSpec;
use crate::context::Context;
use crate::engine::{Engine, NewTask, TaskRecord};
use crate::error::RunnerError;

/// The document of a task that accepts a restore or rolls it back.
const SPEC: &str = "kept";

/// What such a task needs of its restore, which may be forgotten before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptSpec {
    /// The restore, by whose id agents know what they keep.
    pub restore: TaskId,
    pub spec: RestoreSpec,
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

    /// Refuses if a task of this kind has begun to move or to delete files.
    pub fn check_not(&self, kind: TaskKind, what: &str) -> Result<(), RunnerError> {
        let begun = |other: &&TaskRecord| {
            other.kind == kind && (!other.state.is_final() || other.past_point_of_no_return)
        };
        match self.others.iter().rfind(begun) {
            None => Ok(()),
            Some(other) => Err(self.refuse(
                format!("task {} {what}", other.id),
                format!("look at it with `ringkeep task show {}`", other.id),
            )),
        }
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
    let others = ends_of(&engine.context, id).await?;
    let kept = KeptSpec { restore: id, spec };
    Ok(Found {
        record,
        kept,
        others,
    })
}

/// The tasks that accept a restore or roll it back, oldest first.
async fn ends_of(context: &Context, restore: TaskId) -> Result<Vec<TaskRecord>, RunnerError> {
    let mut ends = Vec::new();
    for record in context.tasks.all_records().await? {
        let is_end = matches!(record.kind, TaskKind::Accept | TaskKind::Rollback);
        if is_end && KeptSpec::of(context, &record).await?.restore == restore {
            ends.push(record);
        }
    }
    ends.sort_by_key(|record| record.id.0);
    Ok(ends)
}

/// Whether the old files of a restore that has succeeded wait to be accepted or rolled back.
pub(super) async fn waits(context: &Context, restore: TaskId) -> Result<bool, RunnerError> {
    let ends = ends_of(context, restore).await?;
    Ok(!ends.iter().any(|end| end.state == TaskState::Succeeded))
}

/// Whether a rollback of the restore is under way, or has stopped half-way: it needs the old files.
pub(crate) async fn is_rolled_back_in_part(
    context: &Context,
    restore: TaskId,
) -> Result<bool, RunnerError> {
    let in_part = |end: &TaskRecord| {
        end.kind == TaskKind::Rollback
            && (!end.state.is_final()
                || end.state != TaskState::Succeeded && end.past_point_of_no_return)
    };
    Ok(ends_of(context, restore).await?.iter().any(in_part))
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
        ..TaskRecord::new(id, kind, found.record.cluster.clone(), now)
    };
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &found.kept)])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok(id)
}
