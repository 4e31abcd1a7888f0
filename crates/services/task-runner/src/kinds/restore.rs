//! Restores: planned from what is now, started as the plan that was shown, and carried out step by step.

mod check;
pub(super) mod left;
mod made;
mod plans;
mod quiesce;
mod renamed;
mod same;
mod spec;
mod sstables;
mod start;
mod steps;
mod superseded;
mod undo;
mod views;

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
use crate::kinds::kept;

pub(crate) use start::{NewRestore, StartFrom, show, start};

pub(super) use quiesce::{CutOff, quiesce, try_to_let_clients_in};
pub(super) use spec::RestoreSpec;
pub(super) use steps::{finish, start as start_node, stop as stop_node};
pub(super) use superseded::{
    check_no_newer_restore, check_rollback, is_last_guard_of_rollback, is_rollback_replaced,
};
pub(super) use undo::{let_clients_in_again, remove_staging, repair_advised};

use spec::SPEC;

/// Restores as a kind of task.
pub(crate) struct RestoreKind;

#[async_trait]
impl Kind for RestoreKind {
    fn policy(&self) -> Policy {
        Policy {
            claims_cluster: true,
            // Everything that is staged stays for a resume.
            undo_without_claim: false,
            cancel_after_failure: true,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        use StepKind as K;
        StepTraits {
            moves_data: matches!(step, K::Stage | K::Trial | K::Load | K::UpgradeSstables),
            best_effort: matches!(step, K::Finish | K::Unpin),
            point_of_no_return: is_point_of_no_return(step),
            makes_something: step == K::Pin,
            starts_over: false,
        }
    }

    fn limited_steps(&self) -> &'static [StepKind] {
        &[StepKind::Stage]
    }

    /// Until something but the pin and the staged files is there, others do not meet it; a resume compares with them.
    fn must_keep_cluster(&self, task: &LiveTask) -> bool {
        let harmless = [StepKind::Pin, StepKind::Stage, StepKind::Barrier];
        !task.has_attempted_only(&harmless)
    }

    fn holds_while_waiting(&self) -> bool {
        true
    }

    /// Retention would delete a backup that is not pinned.
    async fn hold(&self, context: &Context, record: &TaskRecord) -> Result<(), StepError> {
        match &record.backup {
            Some(backup) => Ok(context.catalog.pin_backup(backup, record.id).await?),
            None => Ok(()),
        }
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec = RestoreSpec::of(context, record).await?;
        Ok(Arc::new(RestoreJob {
            id: record.id,
            spec,
            cut_off: CutOff::default(),
            accept_after_hours: context.config.accept_in_place_after_hours,
        }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::RestorePastPointOfNoReturn(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)?;
        if record.state == TaskState::Failed && record.cleaned {
            return Err(RunnerError::not_resumable(
                record.id,
                "its plan no longer fits the cluster",
                "plan the restore again with `ringkeep restore plan`, and start the new plan",
            ));
        }
        Ok(())
    }

    async fn check_superseded(
        &self,
        context: &Context,
        kinds: &Kinds,
        record: &TaskRecord,
    ) -> Result<(), RunnerError> {
        superseded::check(context, kinds, record).await
    }

    async fn is_replaced(
        &self,
        context: &Context,
        kinds: &Kinds,
        record: &TaskRecord,
    ) -> Result<bool, RunnerError> {
        superseded::is_replaced(context, kinds, record).await
    }

    async fn is_last_guard(
        &self,
        context: &Context,
        kinds: &Kinds,
        waiting: &TaskRecord,
        candidate: &TaskRecord,
        others: &[&TaskRecord],
    ) -> Result<bool, RunnerError> {
        superseded::is_last_guard(context, kinds, waiting, candidate, others).await
    }

    async fn release(&self, context: &Context, record: &TaskRecord) -> Result<(), StepError> {
        match &record.backup {
            Some(backup) => Ok(context.catalog.unpin_backup(backup, record.id).await?),
            None => Ok(()),
        }
    }

    /// A restore in place is accepted or rolled back by its task.
    async fn must_keep(&self, context: &Context, record: &TaskRecord) -> Result<bool, RunnerError> {
        let is_kept = record.in_place && record.state == TaskState::Succeeded;
        Ok(is_kept && kept::waits(context, record.id).await?)
    }

    /// A restore that has not succeeded may have emptied tables, too, and loaded some of the nodes: also one that goes on.
    async fn touched(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Touched, RunnerError> {
        if record.state != TaskState::Succeeded && !record.past_point_of_no_return {
            return Ok(Touched::Nothing);
        }
        Ok(match context.tasks.document_of(record, SPEC).await? {
            Kept::Document(spec) => RestoreSpec::touched(&spec),
            Kept::Lost => Touched::Unknown,
            Kept::Forgotten => Touched::Nothing,
        })
    }
}

/// Whether only forward is left once a step of this kind has started.
fn is_point_of_no_return(step: StepKind) -> bool {
    use StepKind as K;
    matches!(step, K::Replace | K::Load | K::Swap | K::Start)
}

/// Whether it changes the target: then it waits until all is staged and the cluster was compared with the plan again.
fn changes_target(step: StepKind) -> bool {
    is_point_of_no_return(step)
        || matches!(step, StepKind::Schema | StepKind::Quiesce | StepKind::Stop)
}

/// One restore.
pub(crate) struct RestoreJob {
    id: TaskId,
    spec: RestoreSpec,
    cut_off: CutOff,
    /// The setting; 0: never.
    accept_after_hours: u64,
}

impl RestoreJob {
    /// The finding for a step that only tidies up and was given up.
    pub fn given_up_step(task: &LiveTask, at: usize, error: &StepError) -> Finding {
        undo::given_up(task, &task.steps[at], error)
    }
}

#[async_trait]
impl Job for RestoreJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        steps::run(&self.spec, &self.cut_off, step).await?;
        Ok(Output::NOTHING)
    }

    fn failure(&self, task: &LiveTask, _step: StepKind, error: &StepError) -> Failure {
        // Everything that is staged stays for a resume, unless no resume can use it.
        if error.is_outdated() && !task.record.past_point_of_no_return {
            return Failure {
                clean: true,
                what_next: String::new(),
            };
        }
        Failure {
            clean: false,
            what_next: what_next(task),
        }
    }

    fn while_paused(&self, task: &LiveTask) -> String {
        match left::stopped(task) {
            Some(nodes) => format!("Cassandra is stopped on {nodes} until the task goes on"),
            None => String::new(),
        }
    }

    fn given_up(&self, task: &LiveTask, at: usize, error: &StepError) -> Finding {
        Self::given_up_step(task, at, error)
    }

    /// The cluster is compared again when the task is adopted before anything was replaced. Nodes that may have been made
    /// quiet are made quiet and stopped again until one may have been swapped, because clients may have written to those
    /// that were started since. This does not depend on the point of no return: views are dropped before nodes are quiet.
    ///
    /// An unfinished trial begins again, because scratch tables may be half filled, or gone.
    fn runs_again(&self, task: &LiveTask, step: StepKind) -> bool {
        use StepKind as K;
        let can_go_back = !task.record.past_point_of_no_return;
        match step {
            K::TrialSchema => can_go_back && !task.has_succeeded(K::TrialDrop),
            K::Check => can_go_back,
            K::Quiesce | K::Stop | K::Barrier => {
                task.was_attempted(K::Quiesce) && !task.was_attempted(K::Swap)
            }
            _ => false,
        }
    }

    fn left_over(&self, task: &LiveTask, forced: bool) -> Vec<Finding> {
        left::left_over(&self.spec, task, forced, &self.cut_off.nodes())
    }

    fn closing(&self) -> Vec<Finding> {
        self.spec.closing(self.id, self.accept_after_hours)
    }

    async fn undo(
        &self,
        context: &Context,
        kinds: &Kinds,
        task: &LiveTask,
        _reason: &str,
    ) -> Undone {
        Undone::Done(undo::undo(&self.spec, context, kinds, task).await)
    }
}

fn what_next(task: &LiveTask) -> String {
    let id = task.record.id;
    let stopped = left::stopped(task);
    if task.record.past_point_of_no_return {
        let down = match stopped {
            None => String::new(),
            Some(nodes) => format!(", until which Cassandra is stopped on {nodes}"),
        };
        return format!("; go on with `ringkeep task resume {id}`{down}");
    }
    let starts = match stopped {
        None if task.was_attempted(StepKind::Quiesce) => ", which lets clients in again".to_owned(),
        None => String::new(),
        Some(nodes) => {
            format!(", which starts Cassandra again on {nodes}, and lets clients in again")
        }
    };
    format!(
        "; nothing was replaced yet: go on with `ringkeep task resume {id}`, or give up with `ringkeep task cancel {id}`{starts}"
    )
}
