//! Accepting a restore in place: every node deletes the old files.

mod automatic;

use std::sync::Arc;

use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{TaskKind, TaskState};
use model::{Finding, TaskId};
use plan::codes;

use super::kept::{self, Found, KeptSpec};
use super::restore::finish;
use super::undo::follow_up;
use crate::context::Context;
use crate::engine::{
    Engine, Failure, Job, Kind, Kinds, LiveTask, Output, Policy, StepError, StepRun, StepTraits,
    TaskRecord, Undone, check_ended,
};
use crate::error::RunnerError;

pub(crate) use automatic::accept_loop;

/// Starts the task that deletes the old files of a restore in place; returns the one that there is, if it has not failed.
pub(crate) async fn start(engine: Arc<Engine>, restore: TaskId) -> Result<TaskId, RunnerError> {
    let found = kept::find(&engine, restore).await?;
    start_found(&engine, found).await
}

async fn start_found(engine: &Arc<Engine>, found: Found) -> Result<TaskId, RunnerError> {
    let restore = found.record.id;
    if found.record.state != TaskState::Succeeded {
        return Err(found.refuse(
            "it has not succeeded, and the old files may be needed".to_owned(),
            format!("end it with `ringkeep task resume {restore}`, or take it back with `ringkeep restore rollback {restore}`"),
        ));
    }
    found.check_not(TaskKind::Rollback)?;
    if let Some(id) = kept::under_way(&found, TaskKind::Accept) {
        return Ok(id);
    }
    let steps = plan::accept_steps(&found.kept.addresses());
    kept::create(engine, TaskKind::Accept, &found, &steps).await
}

/// Acceptances as a kind of task.
pub(crate) struct AcceptKind;

#[async_trait]
impl Kind for AcceptKind {
    fn policy(&self) -> Policy {
        Policy {
            // Nobody rolls the restore back meanwhile.
            claims_cluster: true,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        StepTraits {
            point_of_no_return: step == StepKind::Finish,
            ..StepTraits::default()
        }
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let kept = KeptSpec::of(context, record).await?;
        Ok(Arc::new(AcceptJob { kept }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::RestorePastPointOfNoReturn(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)
    }

    /// A rollback needs the old files, or has made them live.
    async fn must_keep(&self, context: &Context, record: &TaskRecord) -> Result<bool, RunnerError> {
        kept::must_keep_end(context, record).await
    }

    async fn check_superseded(
        &self,
        context: &Context,
        _kinds: &Kinds,
        record: &TaskRecord,
    ) -> Result<(), RunnerError> {
        let restore = KeptSpec::of(context, record).await?.restore;
        kept::check_not_changed(context, restore, TaskKind::Rollback).await
    }
}

struct AcceptJob {
    kept: KeptSpec,
}

#[async_trait]
impl Job for AcceptJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        kept::check_before_files(step, self.kept.restore, TaskKind::Rollback).await?;
        let node = self.kept.spec.node(&step.planned().node)?;
        finish(&step.context, self.kept.restore, node, true).await?;
        Ok(Output::NOTHING)
    }

    fn failure(&self, task: &LiveTask, _step: StepKind, _error: &StepError) -> Failure {
        Failure {
            clean: false,
            what_next: format!("; go on with `ringkeep task resume {}`", task.record.id),
        }
    }

    fn closing(&self) -> Vec<Finding> {
        let findings = self.kept.accepted_after_hours.map(|hours| {
            let restore = self.kept.restore;
            follow_up(
                codes::ACCEPTED_BY_SETTING,
                &restore.to_string(),
                format!("ringkeep has accepted restore {restore} {hours} h after it had ended"),
                "accept_in_place_after_hours in [tasks] of the task-runner says when; 0 is never"
                    .to_owned(),
            )
        });
        findings.into_iter().collect()
    }

    fn given_up(&self, _task: &LiveTask, _at: usize, _error: &StepError) -> Finding {
        unreachable!("no step of an acceptance is best effort")
    }

    async fn undo(
        &self,
        _context: &Context,
        _kinds: &Kinds,
        _task: &LiveTask,
        _reason: &str,
    ) -> Undone {
        Undone::Done(Vec::new())
    }
}
