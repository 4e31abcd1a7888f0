//! Deleting a backup: one step, which the storage-catalog can do again from wherever it was cut short.

use std::sync::Arc;

use api::ErrorKind;
use api::clients::{DeleteBackup, FoundBackup, KnownDead};
use async_trait::async_trait;
use jiff::Timestamp;
use model::plan::StepKind;
use model::task::{Deletion, Task, TaskKind, TaskState};
use model::{BackupRef, Finding, TaskId};
use plan::codes;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::engine::{
    Engine, Job, Kind, LiveTask, Output, Policy, StepError, StepRun, StepTraits, TaskRecord,
    check_ended,
};
use crate::error::RunnerError;
use crate::kinds::NamedBackup;
use crate::kinds::named::start_task_on;
use crate::kinds::undo::follow_up;

/// What is deleted, among the task's documents.
const SPEC: &str = "delete";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct DeleteSpec {
    even_if_running: bool,
    #[serde(default)]
    earlier_are_dead: bool,
    /// When the backup that was found was begun: another of its name is not the one that is meant. None if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
}

/// Starts a task that deletes a backup, if there is such a backup. Whether it may be deleted is for the task to find out.
pub(crate) async fn start(
    engine: Arc<Engine>,
    backup: NamedBackup,
    dead: KnownDead,
) -> Result<(TaskId, BackupRef), RunnerError> {
    let FoundBackup { backup, started_at } = backup.find(&engine.context).await?;
    let spec = DeleteSpec {
        even_if_running: dead.maker,
        earlier_are_dead: dead.earlier_deletions,
        started_at,
    };
    let steps = &plan::delete_steps();
    let document = (SPEC, &spec);
    start_task_on(&engine, backup, TaskKind::Delete, steps, document, None).await
}

/// Deletions as a kind of task.
pub(crate) struct DeleteKind;

#[async_trait]
impl Kind for DeleteKind {
    fn policy(&self) -> Policy {
        Policy {
            // The catalog refuses what another task has pinned.
            claims_cluster: false,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        StepTraits {
            point_of_no_return: step == StepKind::Delete,
            ..StepTraits::default()
        }
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec: DeleteSpec = context.tasks.required_document(record.id, SPEC).await?;
        Ok(Arc::new(DeleteJob { spec }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::DeletionHasBegun(id)
    }

    /// What is left of a backup after a deletion that was cut short can only be deleted.
    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)
    }

    async fn add_result(
        &self,
        _context: &Context,
        task: &LiveTask,
        view: &mut Task,
    ) -> Result<(), RunnerError> {
        view.deletion = task.output("delete");
        Ok(())
    }
}

struct DeleteJob {
    spec: DeleteSpec,
}

#[async_trait]
impl Job for DeleteJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        let backup = step.backup()?;
        check_not_made_again(step, &backup).await?;
        let on_progress = |progress| step.report(progress);
        let catalog = &step.context.catalog;
        let how = DeleteBackup {
            even_if_running: self.spec.even_if_running,
            earlier_are_dead: self.spec.earlier_are_dead,
            started_at: self.spec.started_at,
            ..DeleteBackup::default()
        };
        let deleted = catalog.delete_backup(&backup, how, &on_progress).await;
        match deleted {
            Ok(deletion) => Output::of(&deletion),
            // It was there when the task was started: an earlier run has deleted it, and its reply was lost.
            Err(error) if error.kind == ErrorKind::NotFound => Output::of(&Deletion::default()),
            Err(error) => Err(error.into()),
        }
    }

    fn left_over(&self, task: &LiveTask, forced: bool) -> Vec<Finding> {
        let backup = task.record.backup.as_ref();
        match backup.filter(|_| forced && task.record.past_point_of_no_return) {
            None => Vec::new(),
            Some(backup) => vec![follow_up(
                codes::ENDED_BY_FORCE,
                &backup.to_string(),
                "the deletion was ended after it had begun: the backup may lack files already"
                    .to_owned(),
                format!(
                    "`ringkeep task resume {}` goes on with the deletion; do not restore the backup",
                    task.record.id
                ),
            )],
        }
    }
}

/// Refuses to go on if a newer task has made, or makes, a backup of the same name: the one that was meant is gone. Names the
/// task, which the catalog cannot; a task that was created earlier, and has waited for its turn, the catalog finds by when its
/// backup was begun.
async fn check_not_made_again(step: &StepRun, backup: &BackupRef) -> Result<(), StepError> {
    let deletion = step.task_id();
    let records = step.context.tasks.all_records().await?;
    let newer = records.iter().find(|record| {
        record.kind == TaskKind::Backup
            && record.backup.as_ref() == Some(backup)
            && record.id.0 > deletion.0
            && !matches!(record.state, TaskState::Failed | TaskState::Cancelled)
    });
    match newer {
        Some(newer) => Err(StepError::MadeAgain {
            backup: backup.clone(),
            task: newer.id,
        }),
        None => Ok(()),
    }
}
