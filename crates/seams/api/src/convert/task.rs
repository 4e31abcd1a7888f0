//! Tasks between wire and model.

mod limits;
mod queue;

use model::BackupRef;
use model::task::{
    Deletion, ShownReport, ShownTask, ShownTaskStep, Step, StepState, Task, TaskKind, TaskState,
};

use super::{
    ConversionError, all, all_into, parsed, parsed_optional, required, time, time_optional, word,
};
use crate::pb::storage_catalog::{VerifyLevel, VerifyReport};
use crate::pb::task_runner as pb;

pub use limits::limits_change;
pub use queue::{priority, queue_options, wire_priority, wire_queue_options};

/// A task for the wire.
pub fn to_wire(task: &Task, eta_seconds: Option<u64>) -> pb::Task {
    pb::Task {
        id: task.id.to_string(),
        kind: pb::TaskKind::from(task.kind) as i32,
        state: pb::TaskState::from(task.state) as i32,
        attempt: task.attempt,
        steps: task.steps.iter().map(step_to_wire).collect(),
        progress: task.progress(),
        eta_seconds: eta_seconds.unwrap_or_default(),
        cluster: task.cluster.to_string(),
        backup: task.backup.clone().map(Into::into),
        created_at: time(task.created_at),
        finished_at: time_optional(task.finished_at),
        error: task.error.clone(),
        findings: all_into(task.findings.clone()),
        verification: task.verification.clone().map(Into::into),
        deletion: task.deletion.map(Into::into),
        retention: task.retention.clone().map(Into::into),
        collection: task.collection.clone().map(Into::into),
        maintenance: task.maintenance.clone(),
        priority: wire_priority(Some(task.priority)) as i32,
        waiting: task.waiting.clone().map(Into::into),
        paused: task.paused.clone().map(Into::into),
        limits: task.limits.map(Into::into),
    }
}

fn step_to_wire(step: &Step) -> pb::TaskStep {
    pb::TaskStep {
        id: step.id.clone(),
        kind: step.kind.clone(),
        node: step.node.clone(),
        state: pb::StepState::from(step.state) as i32,
        bytes_done: step.bytes_done,
        bytes_total: step.bytes_total,
        error: step.error.clone(),
        note: step.note.clone(),
        limits: step.limits.clone().map(Into::into),
    }
}

impl TryFrom<pb::Task> for ShownTask {
    type Error = ConversionError;

    fn try_from(task: pb::Task) -> Result<Self, ConversionError> {
        Ok(Self {
            id: parsed("task.id", &task.id)?,
            kind: word::<pb::TaskKind, _>(task.kind)?,
            state: word::<pb::TaskState, _>(task.state)?,
            attempt: task.attempt,
            cluster: parsed("task.cluster", &task.cluster)?,
            backup: task.backup.map(BackupRef::try_from).transpose()?,
            created_at: parsed_optional("task.created_at", &task.created_at)?,
            finished_at: parsed_optional("task.finished_at", &task.finished_at)?,
            progress: task.progress,
            eta_seconds: (task.eta_seconds > 0).then_some(task.eta_seconds),
            steps: all(task.steps)?,
            error: task.error,
            findings: all(task.findings)?,
            verification: task.verification.map(ShownReport::try_from).transpose()?,
            deletion: task.deletion.map(Deletion::from),
            retention: task.retention.map(TryInto::try_into).transpose()?,
            collection: task.collection.map(TryInto::try_into).transpose()?,
            maintenance: task.maintenance,
            priority: priority(task.priority),
            waiting: task.waiting.map(TryInto::try_into).transpose()?,
            paused: task.paused.map(TryInto::try_into).transpose()?,
            limits: task.limits.map(Into::into),
        })
    }
}

impl TryFrom<pb::TaskStep> for ShownTaskStep {
    type Error = ConversionError;

    fn try_from(step: pb::TaskStep) -> Result<Self, ConversionError> {
        Ok(Self {
            id: step.id,
            kind: step.kind,
            node: step.node,
            state: word::<pb::StepState, _>(step.state)?,
            bytes_done: step.bytes_done,
            bytes_total: step.bytes_total,
            error: step.error,
            note: step.note,
            limits: step.limits.map(Into::into),
        })
    }
}

impl TryFrom<VerifyReport> for ShownReport {
    type Error = ConversionError;

    fn try_from(report: VerifyReport) -> Result<Self, ConversionError> {
        Ok(Self {
            backup: required("report.backup", report.backup)?.try_into()?,
            level: word::<VerifyLevel, _>(report.level)?,
            ok: report.ok,
            objects_checked: report.objects_checked,
            bytes_checked: report.bytes_checked,
            sstables_checked: report.sstables_checked,
            damage: all_into(report.damage),
            not_checked: all_into(report.not_checked),
            sample: report.sample.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<Deletion> for pb::Deletion {
    fn from(deletion: Deletion) -> Self {
        Self {
            deleted_objects: deletion.objects,
            freed_bytes: deletion.bytes,
            versions_remain: deletion.versions_remain,
        }
    }
}

impl From<pb::Deletion> for Deletion {
    fn from(deletion: pb::Deletion) -> Self {
        Self {
            objects: deletion.deleted_objects,
            bytes: deletion.freed_bytes,
            versions_remain: deletion.versions_remain,
        }
    }
}

impl From<TaskKind> for pb::TaskKind {
    fn from(kind: TaskKind) -> Self {
        match kind {
            TaskKind::Backup => Self::Backup,
            TaskKind::Restore => Self::Restore,
            TaskKind::Verify => Self::Verify,
            TaskKind::Delete => Self::Delete,
            TaskKind::Accept => Self::Accept,
            TaskKind::Rollback => Self::Rollback,
            TaskKind::Retention => Self::Retention,
            TaskKind::Collection => Self::Collection,
            TaskKind::Maintenance => Self::Maintenance,
        }
    }
}

impl TryFrom<pb::TaskKind> for TaskKind {
    type Error = ConversionError;

    fn try_from(kind: pb::TaskKind) -> Result<Self, ConversionError> {
        match kind {
            pb::TaskKind::Backup => Ok(Self::Backup),
            pb::TaskKind::Restore => Ok(Self::Restore),
            pb::TaskKind::Verify => Ok(Self::Verify),
            pb::TaskKind::Delete => Ok(Self::Delete),
            pb::TaskKind::Accept => Ok(Self::Accept),
            pb::TaskKind::Rollback => Ok(Self::Rollback),
            pb::TaskKind::Retention => Ok(Self::Retention),
            pb::TaskKind::Collection => Ok(Self::Collection),
            pb::TaskKind::Maintenance => Ok(Self::Maintenance),
            pb::TaskKind::Unspecified => Err(ConversionError::missing("task.kind")),
        }
    }
}

impl From<TaskState> for pb::TaskState {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Pending => Self::Pending,
            TaskState::Running => Self::Running,
            TaskState::Paused => Self::Paused,
            TaskState::Succeeded => Self::Succeeded,
            TaskState::Failed => Self::Failed,
            TaskState::Cancelled => Self::Cancelled,
        }
    }
}

impl TryFrom<pb::TaskState> for TaskState {
    type Error = ConversionError;

    fn try_from(state: pb::TaskState) -> Result<Self, ConversionError> {
        match state {
            pb::TaskState::Pending => Ok(Self::Pending),
            pb::TaskState::Running => Ok(Self::Running),
            pb::TaskState::Paused => Ok(Self::Paused),
            pb::TaskState::Succeeded => Ok(Self::Succeeded),
            pb::TaskState::Failed => Ok(Self::Failed),
            pb::TaskState::Cancelled => Ok(Self::Cancelled),
            pb::TaskState::Unspecified => Err(ConversionError::missing("task.state")),
        }
    }
}

impl From<StepState> for pb::StepState {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Pending => Self::Pending,
            StepState::Running => Self::Running,
            StepState::Succeeded => Self::Succeeded,
            StepState::Failed => Self::Failed,
            StepState::Cancelled => Self::Cancelled,
        }
    }
}

impl TryFrom<pb::StepState> for StepState {
    type Error = ConversionError;

    fn try_from(state: pb::StepState) -> Result<Self, ConversionError> {
        match state {
            pb::StepState::Pending => Ok(Self::Pending),
            pb::StepState::Running => Ok(Self::Running),
            pb::StepState::Succeeded => Ok(Self::Succeeded),
            pb::StepState::Failed => Ok(Self::Failed),
            pb::StepState::Cancelled => Ok(Self::Cancelled),
            pb::StepState::Unspecified => Err(ConversionError::missing("step.state")),
        }
    }
}

#[cfg(test)]
mod tests;
