//! Rolling a restore in place back: nodes are made quiet and stopped, the old files are put back, and nodes are started.

use std::sync::Arc;

use api::clients::RestoreOnNode;
use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{TaskKind, TaskState};
use model::{Finding, TaskId};
use plan::codes;

use super::kept::{self, KeptSpec};
use super::restore::left;
use super::restore::{
    CutOff, RestoreJob, check_no_newer_restore, check_rollback, finish, is_last_guard_of_rollback,
    is_rollback_replaced, let_clients_in_again, quiesce, remove_staging, repair_advised,
    start_node, stop_node, try_to_let_clients_in,
};
use super::undo::follow_up;
use crate::context::Context;
use crate::engine::{
    Engine, Failure, Job, Kind, Kinds, LiveTask, Output, Policy, StepError, StepRun, StepTraits,
    TaskRecord, Touched, Undone, check_ended,
};
use crate::error::RunnerError;

/// Starts the task that puts the old files of a restore in place back; returns the one that there is, if it has not failed.
pub(crate) async fn start(engine: Arc<Engine>, restore: TaskId) -> Result<TaskId, RunnerError> {
    let mut found = kept::find(&engine, restore).await?;
    let has_ended = found.record.state.is_final();
    if !has_ended
        || !(found.record.state == TaskState::Succeeded || found.record.past_point_of_no_return)
    {
        return Err(found.refuse(
            "it has not replaced anything, or still runs".to_owned(),
            format!("give it up with `ringkeep task cancel {restore}`, or wait until it has ended"),
        ));
    }
    found.check_not(TaskKind::Accept)?;
    if let Some(id) = kept::under_way(&found, TaskKind::Rollback) {
        return Ok(id);
    }
    if let Some(failed) = found.newest(TaskKind::Rollback)
        && failed.past_point_of_no_return
        && failed.state != TaskState::Cancelled
    {
        return Err(found.refuse(
            format!("task {} has begun to roll it back", failed.id),
            format!("go on with `ringkeep task resume {}`", failed.id),
        ));
    }
    check_no_newer_restore(&engine.context, &engine.kinds, &found.record).await?;
    let task = engine.context.tasks.load(found.record.clone()).await?;
    let stopped = task.was_attempted(StepKind::Swap) && !task.was_attempted(StepKind::Start);
    let not_started = task.nodes_left(StepKind::Stop, StepKind::Start);
    found.kept.not_started = not_started.into_iter().map(str::to_owned).collect();
    let steps = plan::rollback_steps(&found.kept.addresses(), stopped);
    kept::create(&engine, TaskKind::Rollback, &found, &steps).await
}

/// Rollbacks as a kind of task.
pub(crate) struct RollbackKind;

#[async_trait]
impl Kind for RollbackKind {
    fn policy(&self) -> Policy {
        Policy {
            claims_cluster: true,
            undo_without_claim: false,
            cancel_after_failure: true,
        }
    }

    fn traits(&self, step: StepKind) -> StepTraits {
        use StepKind as K;
        StepTraits {
            best_effort: step == K::Finish,
            point_of_no_return: matches!(step, K::SwapBack | K::Start),
            // Clients are cut off until they are let in again, and files wait in the staging folders.
            makes_something: matches!(step, K::Quiesce | K::SwapBack),
            ..StepTraits::default()
        }
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let kept = KeptSpec::of(context, record).await?;
        let cluster = record.cluster.as_str().to_owned();
        let cut_off = CutOff::default();
        Ok(Arc::new(RollbackJob {
            kept,
            cluster,
            cut_off,
        }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::RestorePastPointOfNoReturn(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)
    }

    /// What a newer restore has brought is not replaced by files that are older, and what was accepted is deleted.
    async fn must_keep(&self, context: &Context, record: &TaskRecord) -> Result<bool, RunnerError> {
        kept::must_keep_end(context, record).await
    }

    async fn check_superseded(
        &self,
        context: &Context,
        kinds: &Kinds,
        record: &TaskRecord,
    ) -> Result<(), RunnerError> {
        let KeptSpec { restore, spec, .. } = KeptSpec::of(context, record).await?;
        kept::check_not_changed(context, restore, TaskKind::Accept).await?;
        check_rollback(context, kinds, record, restore, &spec).await
    }

    /// A rollback that newer restores rule out has nothing left to do once they have brought all of its tables.
    async fn is_replaced(
        &self,
        context: &Context,
        kinds: &Kinds,
        record: &TaskRecord,
    ) -> Result<bool, RunnerError> {
        let spec = KeptSpec::of(context, record).await?.spec;
        is_rollback_replaced(context, kinds, record, &spec).await
    }

    async fn is_last_guard(
        &self,
        context: &Context,
        kinds: &Kinds,
        waiting: &TaskRecord,
        candidate: &TaskRecord,
        others: &[&TaskRecord],
    ) -> Result<bool, RunnerError> {
        let KeptSpec { restore, spec, .. } = KeptSpec::of(context, waiting).await?;
        let kept = (restore, &spec);
        is_last_guard_of_rollback(context, kinds, waiting, kept, candidate, others).await
    }

    /// The restore that it takes back, and older ones, are not resumed over what it has put back.
    async fn touched(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Touched, RunnerError> {
        if !record.past_point_of_no_return {
            return Ok(Touched::Nothing);
        }
        let kept = KeptSpec::of(context, record).await?;
        Ok(kept.spec.touched())
    }
}

struct RollbackJob {
    kept: KeptSpec,
    cluster: String,
    cut_off: CutOff,
}

impl RollbackJob {
    /// Nodes that are down are started first, because they get no new record while they are down: except those that the
    /// restore had stopped and could not start. If another one cannot be started either, it stays down.
    async fn quiesce(&self, step: &StepRun) -> Result<Output, StepError> {
        let KeptSpec { restore, spec, .. } = &self.kept;
        let nodes = spec.plan().nodes.iter();
        let nodes = nodes.filter(|node| !self.kept.not_started.contains(&node.node));
        let mut down = try_to_let_clients_in(&step.context, *restore, nodes).await;
        down.extend(self.kept.not_started.iter().cloned());
        quiesce(spec, &step.context, *restore, &self.cut_off).await?;
        // A node without others gets no hints.
        let get_hints = spec.plan().nodes.len() > 1;
        let nodes = down.iter().filter(|_| get_hints);
        Ok(Output {
            findings: nodes.map(|node| newer_writes_possible(node)).collect(),
            ..Output::NOTHING
        })
    }
}

fn newer_writes_possible(node: &str) -> Finding {
    follow_up(
        codes::NEWER_WRITES_POSSIBLE,
        node,
        format!(
            "node {node} could not be started before its old files are put back: hints that other nodes keep for it, of writes since the restore, may be applied to them"
        ),
        format!(
            "if such writes must not return: `nodetool pausehandoff` on the other nodes once they are up, then `nodetool truncatehints {node}` and `nodetool resumehandoff`; hints for other tables go with them, so repair the node afterwards"
        ),
    )
}

#[async_trait]
impl Job for RollbackJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        let KeptSpec { restore, spec, .. } = &self.kept;
        let (restore, planned) = (*restore, step.planned());
        if matches!(planned.kind, StepKind::Quiesce | StepKind::SwapBack) {
            kept::check_before_files(step, restore, TaskKind::Accept).await?;
        }
        let node = || spec.node(&planned.node);
        match planned.kind {
            StepKind::Quiesce => return self.quiesce(step).await,
            StepKind::Stop => stop_node(step, restore, node()?).await?,
            StepKind::SwapBack => {
                let node = node()?;
                let agent = step.agent(&node.agent)?;
                agent.swap_back(restore, node.host_id).await?;
            }
            StepKind::Start => {
                let request = RestoreOnNode {
                    restore,
                    host: node()?.host_id,
                    tables: spec.targets(),
                };
                start_node(&step.context, request, node()?).await?;
            }
            StepKind::Finish => finish(&step.context, restore, node()?, false).await?,
            other => {
                return Err(StepError::incomplete(format!(
                    "a rollback has no step `{other}`"
                )));
            }
        }
        Ok(Output::NOTHING)
    }

    fn failure(&self, task: &LiveTask, _step: StepKind, _error: &StepError) -> Failure {
        let id = task.record.id;
        let what_next = match task.record.past_point_of_no_return {
            true => format!(
                "; go on with `ringkeep task resume {id}`, until which Cassandra may be down on nodes"
            ),
            false => format!(
                "; the restored files are live: go on with `ringkeep task resume {id}`, or give up with `ringkeep task cancel {id}`, which starts Cassandra again if it was stopped, and lets clients in again"
            ),
        };
        Failure {
            clean: false,
            what_next,
        }
    }

    fn given_up(&self, task: &LiveTask, at: usize, error: &StepError) -> Finding {
        RestoreJob::given_up_step(task, at, error)
    }

    fn left_over(&self, task: &LiveTask, forced: bool) -> Vec<Finding> {
        left::of_rollback(task, forced, &self.cut_off.nodes())
    }

    fn runs_again(&self, task: &LiveTask, step: StepKind) -> bool {
        use StepKind as K;
        !task.record.past_point_of_no_return && matches!(step, K::Quiesce | K::Stop | K::Barrier)
    }

    fn closing(&self) -> Vec<Finding> {
        vec![repair_advised(&self.kept.spec, &self.cluster)]
    }

    async fn undo(
        &self,
        context: &Context,
        _kinds: &Kinds,
        task: &LiveTask,
        _reason: &str,
    ) -> Undone {
        let KeptSpec { restore, spec, .. } = &self.kept;
        let mut findings = let_clients_in_again(spec, context, task, *restore).await;
        if task.record.past_point_of_no_return {
            findings.extend(remove_staging(spec, context, task, *restore).await);
        }
        Undone::Done(findings)
    }
}
