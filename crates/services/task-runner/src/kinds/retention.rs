//! Applying retention: one step, which decides by what is in the bucket and deletes one backup after the other.

mod apply;
mod finish;

use std::sync::Arc;

use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{RetentionReport, Task};
use model::{Finding, TaskId};

use crate::context::Context;
use crate::engine::{
    Job, Kind, Kinds, LiveTask, Output, Policy, StepError, StepRun, StepTraits, TaskRecord, Undone,
    check_ended,
};
use crate::error::RunnerError;

/// What goes and what became of it, among the task's documents.
const REPORT: &str = "report";

/// Applying retention as a kind of task.
pub(crate) struct RetentionKind;

#[async_trait]
impl Kind for RetentionKind {
    fn policy(&self) -> Policy {
        Policy {
            // The catalog refuses what another task has pinned or builds on.
            claims_cluster: false,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    /// There is always a way to stop: undoing finishes the deletion that has begun.
    fn traits(&self, _step: StepKind) -> StepTraits {
        StepTraits::default()
    }

    async fn open(
        &self,
        _context: &Context,
        _record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        Ok(Arc::new(RetentionJob))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::UnknownTask(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)?;
        Err(RunnerError::not_resumable(
            record.id,
            "a run of retention decides by what there is when it starts",
            "start another one with `ringkeep retention run`, which also finishes a deletion that was cut short",
        ))
    }

    async fn add_result(
        &self,
        context: &Context,
        task: &LiveTask,
        view: &mut Task,
    ) -> Result<(), RunnerError> {
        let report = context.tasks.document(task.record.id, REPORT).await?;
        view.retention = Some(report.unwrap_or_else(RetentionReport::default));
        Ok(())
    }
}

struct RetentionJob;

#[async_trait]
impl Job for RetentionJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        apply::apply(step).await
    }

    /// A deletion that has begun and was not finished is named.
    async fn undo(
        &self,
        context: &Context,
        _kinds: &Kinds,
        task: &LiveTask,
        _reason: &str,
    ) -> Undone {
        Undone::Done(finish::finish_own(context, task).await)
    }

    fn left_over(&self, task: &LiveTask, _forced: bool) -> Vec<Finding> {
        let was_attempted = task.was_attempted(StepKind::Retain);
        match was_attempted {
            true => vec![finish::perhaps_cut_short(task)],
            false => Vec::new(),
        }
    }
}
