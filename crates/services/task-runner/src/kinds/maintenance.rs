//! Maintenance: commands on the nodes of a cluster, rack by rack, each node's agent doing its own.

mod names;
mod nodes;
mod spec;
mod start;

use std::sync::Arc;

use api::clients::RunMaintenance;
use async_trait::async_trait;
use model::TaskId;
use model::plan::StepKind;

use crate::context::Context;
use crate::engine::{
    Failure, Job, Kind, LiveTask, Output, Policy, StepError, StepRun, StepTraits, TaskRecord,
    check_ended,
};
use crate::error::RunnerError;

pub(crate) use names::{Document, find};
pub(crate) use start::{CONCURRENCY_MAX, JOBS_MAX, NewMaintenance, Started, start};

use spec::{MaintenanceSpec, SPEC};

/// Maintenance as a kind of task.
pub(crate) struct MaintenanceKind;

#[async_trait]
impl Kind for MaintenanceKind {
    fn policy(&self) -> Policy {
        Policy {
            // Compactions would take the SSTables of a restore from under it, and a restart its node.
            claims_cluster: true,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        StepTraits {
            moves_data: step == StepKind::Maintain,
            ..StepTraits::default()
        }
    }

    /// It would keep its cluster, and one that has failed goes on by a resume as well.
    fn may_pause_by_itself(&self, _task: &LiveTask) -> bool {
        false
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec: MaintenanceSpec = context.tasks.required_document(record.id, SPEC).await?;
        let id = record.id;
        Ok(Arc::new(MaintenanceJob { id, spec }))
    }

    /// No step of it is one.
    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::UnknownTask(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)
    }

    /// As long as its name is taken, so that the same document finds it and runs nothing again.
    async fn must_keep(&self, context: &Context, record: &TaskRecord) -> Result<bool, RunnerError> {
        names::is_taken_by(context, record).await
    }
}

struct MaintenanceJob {
    id: TaskId,
    spec: MaintenanceSpec,
}

#[async_trait]
impl Job for MaintenanceJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        let planned = step.planned();
        let (job, node) = self.spec.part(&planned.id)?;
        let run = RunMaintenance {
            task: self.id,
            step: planned.id.clone(),
            host: node.host_id,
            job: job.clone(),
        };
        let agent = step.agent(&node.agent)?;
        agent
            .run_maintenance(run, &|progress| step.report(progress))
            .await?;
        Ok(Output::NOTHING)
    }

    fn failure(&self, task: &LiveTask, _step: StepKind, _error: &StepError) -> Failure {
        Failure {
            clean: false,
            what_next: format!(
                "; the nodes after it were not touched: go on with `ringkeep task resume {}` once the cause is gone",
                task.record.id
            ),
        }
    }
}
