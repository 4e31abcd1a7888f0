//! Verifying a backup: one step, in which the storage-catalog reads the backup back.

use std::sync::Arc;

use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{Priority, Task, TaskKind};
use model::{BackupRef, SampleParts, TaskId, VerifyLevel, VerifyReport};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::engine::{
    Engine, Job, Kind, LiveTask, Mover, Output, Policy, StepError, StepRun, StepTraits, TaskRecord,
    check_ended,
};
use crate::error::RunnerError;
use crate::kinds::NamedBackup;

/// What is verified, among the task's documents.
const SPEC: &str = "verify";
/// What was found: it may list much damage.
const REPORT: &str = "report";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct VerifySpec {
    level: VerifyLevel,
    /// Absent in tasks of an earlier release: all is read.
    #[serde(default)]
    sample: Option<SampleParts>,
}

/// Starts a task that verifies a backup, if there is such a backup.
pub(crate) async fn start(
    engine: Arc<Engine>,
    backup: NamedBackup,
    level: VerifyLevel,
    sample: Option<SampleParts>,
    priority: Option<Priority>,
) -> Result<(TaskId, BackupRef), RunnerError> {
    backup
        .start_task(
            &engine,
            TaskKind::Verify,
            &plan::verify_steps(),
            (SPEC, &VerifySpec { level, sample }),
            priority,
        )
        .await
}

/// Verifications as a kind of task.
pub(crate) struct VerifyKind;

#[async_trait]
impl Kind for VerifyKind {
    fn policy(&self) -> Policy {
        Policy {
            // It only reads the bucket.
            claims_cluster: false,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        StepTraits {
            starts_over: step == StepKind::Verify,
            ..StepTraits::default()
        }
    }

    fn limited_steps(&self) -> &'static [StepKind] {
        &[StepKind::Verify]
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec: VerifySpec = context.tasks.required_document(record.id, SPEC).await?;
        Ok(Arc::new(VerifyJob(spec)))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::UnknownTask(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)?;
        Err(RunnerError::not_resumable(
            record.id,
            "a verification starts from the beginning",
            "verify the backup again with `ringkeep backup verify`",
        ))
    }

    async fn add_result(
        &self,
        context: &Context,
        task: &LiveTask,
        view: &mut Task,
    ) -> Result<(), RunnerError> {
        let report: Option<Option<VerifyReport>> =
            context.tasks.document(task.record.id, REPORT).await?;
        view.verification = report.flatten();
        Ok(())
    }
}

struct VerifyJob(VerifySpec);

#[async_trait]
impl Job for VerifyJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        let backup = step.backup()?;
        let on_progress = |progress| step.report(progress);
        // So that the report of an earlier try is not taken for that of this one.
        step.put_document(REPORT, &None::<VerifyReport>).await?;
        let catalog = &step.context.catalog;
        let task = step.task_id();
        let VerifySpec { level, sample } = self.0;
        let verify = catalog.verify_backup(&backup, level, sample, task, &on_progress);
        let mover = Mover::Verifies(catalog.clone());
        let report = step.limited(mover, verify).await?;
        step.put_document(REPORT, &Some(&report)).await?;
        if report.ok {
            return Ok(Output::NOTHING);
        }
        Err(StepError::Damaged {
            what: damage(&report),
        })
    }
}

fn damage(report: &VerifyReport) -> String {
    let first = report.damage.first();
    let first = first.map(|damage| format!("{}: {}", damage.object, damage.what));
    match report.damage.len() {
        0 => "the backup".to_owned(),
        1 => first.unwrap_or_default(),
        number => format!("{} and {} more", first.unwrap_or_default(), number - 1),
    }
}
