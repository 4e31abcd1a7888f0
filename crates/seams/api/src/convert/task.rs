//! Tasks between wire and model.

use model::task::{Deletion, Step, StepState, Task, TaskKind, TaskState};
use model::{BackupRef, VerifyReport};

use super::{ConversionError, all, all_into, parsed, parsed_optional, time, time_optional};
use crate::pb::task_runner as pb;

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
    }
}

impl TryFrom<pb::Task> for Task {
    type Error = ConversionError;

    fn try_from(task: pb::Task) -> Result<Self, ConversionError> {
        let kind = TaskKind::try_from(task.kind())?;
        let state = TaskState::try_from(task.state())?;
        let backup = task.backup.map(BackupRef::try_from).transpose()?;
        Ok(Self {
            id: parsed("task.id", &task.id)?,
            kind,
            state,
            attempt: task.attempt,
            cluster: parsed("task.cluster", &task.cluster)?,
            backup,
            created_at: parsed("task.created_at", &task.created_at)?,
            finished_at: parsed_optional("task.finished_at", &task.finished_at)?,
            steps: all(task.steps)?,
            error: task.error,
            findings: all(task.findings)?,
            verification: task.verification.map(VerifyReport::try_from).transpose()?,
            deletion: task.deletion.map(Deletion::from),
        })
    }
}

impl TryFrom<pb::TaskStep> for Step {
    type Error = ConversionError;

    fn try_from(step: pb::TaskStep) -> Result<Self, ConversionError> {
        let state = StepState::try_from(step.state())?;
        Ok(Self {
            id: step.id,
            kind: step.kind,
            node: step.node,
            state,
            bytes_done: step.bytes_done,
            bytes_total: step.bytes_total,
            error: step.error,
            note: step.note,
        })
    }
}

impl From<Deletion> for pb::Deletion {
    fn from(deletion: Deletion) -> Self {
        Self {
            deleted_objects: deletion.objects,
            freed_bytes: deletion.bytes,
        }
    }
}

impl From<pb::Deletion> for Deletion {
    fn from(deletion: pb::Deletion) -> Self {
        Self {
            objects: deletion.deleted_objects,
            bytes: deletion.freed_bytes,
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
            pb::TaskKind::Unspecified => Err(ConversionError::missing("task.kind")),
        }
    }
}

impl From<TaskState> for pb::TaskState {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Pending => Self::Pending,
            TaskState::Running => Self::Running,
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
mod tests {
    use model::TaskId;

    use super::*;

    fn a_task() -> Task {
        let at = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        Task {
            id: TaskId(uuid::Uuid::from_u128(7)),
            kind: TaskKind::Restore,
            state: TaskState::Failed,
            attempt: 2,
            cluster: "into".parse().expect("a name"),
            backup: Some(BackupRef {
                cluster: "from".parse().expect("a name"),
                name: "nightly".parse().expect("a name"),
            }),
            created_at: at,
            finished_at: Some(at),
            steps: vec![Step {
                id: "stage-10.0.0.1".into(),
                kind: "stage".into(),
                node: "10.0.0.1".into(),
                state: StepState::Failed,
                bytes_done: 5,
                bytes_total: 10,
                error: "the disk is full".into(),
                note: "ks.t".into(),
            }],
            error: "step `stage-10.0.0.1` failed".into(),
            findings: Vec::new(),
            verification: None,
            deletion: Some(Deletion {
                objects: 3,
                bytes: 9,
            }),
        }
    }

    #[test]
    fn a_task_survives_the_wire() {
        let wire = to_wire(&a_task(), Some(3));
        assert_eq!(wire.eta_seconds, 3);
        assert!((wire.progress - 0.5).abs() < 1e-9);
        assert_eq!(Task::try_from(wire), Ok(a_task()));
    }

    #[test]
    fn a_running_task_has_no_end() {
        let mut task = a_task();
        task.finished_at = None;
        let wire = to_wire(&task, None);
        assert_eq!((wire.finished_at.as_str(), wire.eta_seconds), ("", 0));
        assert_eq!(Task::try_from(wire), Ok(task));
    }

    #[test]
    fn a_state_that_is_not_set_is_refused() {
        let wire = pb::Task {
            state: 0,
            ..to_wire(&a_task(), None)
        };
        assert!(Task::try_from(wire).is_err());
    }
}
