//! Backups: planned, their names reserved, then begin → snapshot → capture and upload → commit → clear.

mod create;
mod spec;
mod steps;
mod undo;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use model::plan::StepKind;
use model::task::TaskState;
use model::{Finding, TaskId};

use crate::context::Context;
use crate::engine::{
    Failure, Job, Kept, Kind, Kinds, LiveTask, Output, Policy, StepError, StepRun, StepTraits,
    TaskRecord, Touched, Undone, check_ended,
};
use crate::error::RunnerError;
use crate::schedules;

pub(crate) use create::{Created, NewBackup, create};

use spec::{BackupSpec, SPEC};

/// Backups as a kind of task.
pub(crate) struct BackupKind;

#[async_trait]
impl Kind for BackupKind {
    fn policy(&self) -> Policy {
        Policy {
            claims_cluster: true,
            undo_without_claim: true,
            cancel_after_failure: false,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        StepTraits {
            moves_data: step == StepKind::Upload,
            best_effort: step == StepKind::Clear,
            point_of_no_return: step == StepKind::Commit,
            // A backup that fails is given up at once, so nothing is ever left for later.
            makes_something: false,
            starts_over: false,
        }
    }

    fn limited_steps(&self) -> &'static [StepKind] {
        &[StepKind::Upload]
    }

    /// While some nodes have their snapshot and others do not, nothing must change in between. Once all have theirs, and the
    /// schema was read, what others do is not in it.
    fn must_keep_cluster(&self, task: &LiveTask) -> bool {
        task.was_attempted(StepKind::Snapshot) && !self.has_read_cluster(task)
    }

    /// Snapshots that are not whole are soon taken again by a new backup.
    fn may_pause_by_itself(&self, task: &LiveTask) -> bool {
        !self.must_keep_cluster(task)
    }

    fn has_read_cluster(&self, task: &LiveTask) -> bool {
        task.have_all_succeeded(StepKind::Snapshot) && task.have_all_succeeded(StepKind::Capture)
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec: BackupSpec = context.tasks.required_document(record.id, SPEC).await?;
        Ok(Arc::new(BackupJob { spec }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::BackupPastPointOfNoReturn(id)
    }

    /// A schedule that has not noted the end of its run would take the task for one that was never created.
    async fn referred_to(&self, context: &Context) -> Result<BTreeSet<TaskId>, RunnerError> {
        schedules::waited_for(context).await
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)?;
        Err(RunnerError::not_resumable(
            record.id,
            "its backup was given up, and the name with it",
            "make a new backup with `ringkeep backup create`",
        ))
    }

    async fn release(&self, context: &Context, record: &TaskRecord) -> Result<(), StepError> {
        match &record.backup {
            Some(backup) if record.state != TaskState::Succeeded => {
                undo::release(context, backup, record).await
            }
            _ => Ok(()),
        }
    }

    async fn touched(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Touched, RunnerError> {
        if record.state != TaskState::Succeeded {
            return Ok(Touched::Nothing);
        }
        Ok(match context.tasks.document_of(record, SPEC).await? {
            Kept::Document(BackupSpec { selection, .. }) => Touched::Selected(selection),
            Kept::Lost => Touched::Unknown,
            Kept::Forgotten => Touched::Nothing,
        })
    }
}

/// One backup.
pub(crate) struct BackupJob {
    spec: BackupSpec,
}

#[async_trait]
impl Job for BackupJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        steps::run(&self.spec, step).await
    }

    fn failure(&self, _task: &LiveTask, step: StepKind, error: &StepError) -> Failure {
        Failure {
            // A backup that the catalog has refused to begin is not there to be given up.
            clean: !(step == StepKind::Begin && error.is_refusal()),
            what_next: "; make a new backup once the cause is gone".to_owned(),
        }
    }

    fn given_up(&self, task: &LiveTask, at: usize, error: &StepError) -> Finding {
        undo::not_cleared(task, &task.steps[at].node, error)
    }

    fn left_over(&self, task: &LiveTask, forced: bool) -> Vec<Finding> {
        match forced {
            true => undo::left_by_force(task),
            false => Vec::new(),
        }
    }

    async fn undo(
        &self,
        context: &Context,
        _kinds: &Kinds,
        task: &LiveTask,
        reason: &str,
    ) -> Undone {
        undo::undo(&self.spec, context, task, reason).await
    }
}
