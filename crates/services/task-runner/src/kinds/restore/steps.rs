//! The steps of a restore.

use api::clients::{RESTAGE_NEEDED, RestoreOnNode, StageRestore, TryLoad};
use futures::future::try_join_all;
use model::TaskId;
use model::plan::{NodePlan, StepKind};
use tracing::warn;

use super::check::{check, check_agreement, check_ring, described};
use super::quiesce::{CutOff, let_clients_in_everywhere, quiesce};
use super::spec::RestoreSpec;
use super::views;
use crate::context::Context;
use crate::engine::{Mover, StepError, StepRun, agent};

/// Runs a step once.
pub(super) async fn run(
    spec: &RestoreSpec,
    cut_off: &CutOff,
    step: &StepRun,
) -> Result<(), StepError> {
    let planned = step.planned();
    let node = || spec.node(&planned.node);
    match planned.kind {
        StepKind::Pin => pin(step).await,
        StepKind::Stage => stage(spec, step, node()?).await,
        StepKind::TrialSchema => execute(spec, step).await,
        StepKind::Trial => trial(spec, step, node()?).await,
        StepKind::TrialDrop => drop_trial(spec, step).await,
        StepKind::Check => check_reachable(spec, step).await,
        StepKind::Schema | StepKind::Replace => execute_agreed(spec, step).await,
        StepKind::Load => load(spec, step, node()?).await,
        StepKind::Quiesce => quiesce_started(spec, cut_off, step).await,
        StepKind::Stop => stop(step, step.task_id(), node()?).await,
        StepKind::Swap => swap(spec, step, node()?).await,
        StepKind::Start => start(&step.context, on_node(spec, step, node()?), node()?).await,
        StepKind::UpgradeSstables => upgrade_sstables(spec, step, node()?).await,
        StepKind::Views => views::run(spec, step).await,
        StepKind::Finish => finish(&step.context, step.task_id(), node()?, false).await,
        StepKind::Unpin => {
            let catalog = &step.context.catalog;
            Ok(catalog
                .unpin_backup(&step.backup()?, step.task_id())
                .await?)
        }
        other => Err(StepError::incomplete(format!(
            "a restore has no step `{other}`"
        ))),
    }
}

/// Nodes that were made quiet or stopped cannot be asked by CQL, so clients are let in again first.
async fn check_reachable(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    if step.was_attempted(StepKind::Quiesce) {
        let_clients_in_everywhere(spec, &step.context, step.task_id()).await?;
    }
    check(spec, step).await
}

/// Agents do not mark a node that is down and has this restore's marks of an earlier try, so the new cutoff would not hold
/// there: after a stop all nodes are started first. Nothing is swapped yet, else this step would not run.
async fn quiesce_started(
    spec: &RestoreSpec,
    cut_off: &CutOff,
    step: &StepRun,
) -> Result<(), StepError> {
    let (context, restore) = (&step.context, step.task_id());
    if step.was_attempted(StepKind::Stop) {
        let_clients_in_everywhere(spec, context, restore).await?;
    }
    quiesce(spec, context, restore, cut_off).await
}

async fn pin(step: &StepRun) -> Result<(), StepError> {
    let catalog = &step.context.catalog;
    Ok(catalog.pin_backup(&step.backup()?, step.task_id()).await?)
}

async fn stage(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> Result<(), StepError> {
    let request = StageRestore {
        restore: step.task_id(),
        host: node.host_id,
        backup: step.backup()?,
        sources: spec.sources_of(node)?,
        tables: spec.targets(),
        taking: spec.taking_of(node),
        mode: spec.plan().mode,
    };
    let agent = step.agent(&node.agent)?;
    let on_progress = |progress| step.report(progress);
    let stage = agent.stage_restore(request, &on_progress);
    let mover = Mover::Downloads(agent.clone(), node.host_id);
    step.limited(mover, stage).await
}

async fn trial(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> Result<(), StepError> {
    let request = TryLoad {
        restore: step.task_id(),
        host: node.host_id,
        tables: spec.plan().trials.clone(),
    };
    let agent = step.agent(&node.agent)?;
    let on_progress = |progress| step.report(progress);
    let tried = agent.try_load(request, &on_progress).await;
    let Err(error) = tried.map_err(StepError::from) else {
        return Ok(());
    };
    // A plan that is made while scratch keyspaces are there is outdated once they are gone.
    if !error.is_retryable() {
        tidy_trial(spec, &step.context).await;
    }
    Err(error)
}

/// Drops the scratch keyspaces of a trial that has failed; a resume makes them again.
async fn tidy_trial(spec: &RestoreSpec, context: &Context) {
    let Some(first) = spec.plan().nodes.first() else {
        return;
    };
    if let Err(error) = execute_on(context, first, spec.trial_drops()).await {
        warn!(error = error.text(), "scratch keyspaces were not dropped");
        return;
    }
    for node in &spec.plan().nodes {
        if let Err(error) = clear_trial(context, node).await {
            warn!(
                node = node.node,
                error = error.text(),
                "folders of scratch keyspaces stay"
            );
        }
    }
}

/// Drops the scratch keyspaces, and has every node delete what Cassandra leaves of them.
async fn drop_trial(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    execute(spec, step).await?;
    let nodes = spec.plan().nodes.iter();
    try_join_all(nodes.map(|node| clear_trial(&step.context, node))).await?;
    Ok(())
}

fn on_node(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> RestoreOnNode {
    RestoreOnNode {
        restore: step.task_id(),
        host: node.host_id,
        tables: spec.targets(),
    }
}

/// Runs the step's statements on one node, always the same one: if an earlier try still runs over there, it is that agent
/// that knows.
async fn execute(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    let planned = step.planned();
    let statements = spec.statements(&planned.id);
    if statements.is_empty() {
        return Ok(());
    }
    let node = match planned.node.as_str() {
        "" => spec.plan().nodes.first(),
        node => Some(spec.node(node)?),
    };
    let node = node.ok_or_else(|| StepError::incomplete("a restore into no nodes"))?;
    execute_on(&step.context, node, statements).await
}

/// Changes the schema. Nothing is dropped, emptied, loaded or counted on before every node has the change.
pub(super) async fn execute_agreed(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    execute(spec, step).await?;
    check_agreement(&described(spec, step).await?)
}

async fn load(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> Result<(), StepError> {
    match load_staged(spec, step, node).await {
        // Once: what is lost again and again needs a person.
        Err(StepError::Remote(error)) if error.reason == RESTAGE_NEEDED => {
            warn!(node = node.node, error = %error, "SSTables are staged again");
            stage(spec, step, node).await?;
            load_staged(spec, step, node).await?;
        }
        result => result?,
    }
    check_ring(spec, step, node).await
}

async fn load_staged(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> Result<(), StepError> {
    let agent = step.agent(&node.agent)?;
    Ok(agent
        .load_staged(on_node(spec, step, node), &|progress| step.report(progress))
        .await?)
}

/// Drains and stops Cassandra.
pub(in crate::kinds) async fn stop(
    step: &StepRun,
    restore: TaskId,
    node: &NodePlan,
) -> Result<(), StepError> {
    let agent = step.agent(&node.agent)?;
    Ok(agent.stop_cassandra(restore, node.host_id).await?)
}

async fn swap(spec: &RestoreSpec, step: &StepRun, node: &NodePlan) -> Result<(), StepError> {
    let agent = step.agent(&node.agent)?;
    Ok(agent.swap_staged(on_node(spec, step, node)).await?)
}

/// Starts Cassandra; it must have opened all of the request's tables.
pub(in crate::kinds) async fn start(
    context: &Context,
    request: RestoreOnNode,
    node: &NodePlan,
) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent.start_cassandra(request).await?)
}

async fn upgrade_sstables(
    spec: &RestoreSpec,
    step: &StepRun,
    node: &NodePlan,
) -> Result<(), StepError> {
    let agent = step.agent(&node.agent)?;
    let tables = spec.table_refs();
    Ok(agent
        .upgrade_sstables(node.host_id, &tables, &|progress| step.report(progress))
        .await?)
}

/// Runs statements on one node.
pub(super) async fn execute_on(
    context: &Context,
    node: &NodePlan,
    statements: &[String],
) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent.execute_cql(node.host_id, statements).await?)
}

/// Has a node delete what is left of scratch keyspaces.
pub(super) async fn clear_trial(context: &Context, node: &NodePlan) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent.clear_trial(node.host_id).await?)
}

/// Removes what the restore has left on a node; the files that it has replaced only if asked to.
pub(in crate::kinds) async fn finish(
    context: &Context,
    restore: TaskId,
    node: &NodePlan,
    delete_old_files: bool,
) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent
        .finish_restore(restore, node.host_id, delete_old_files)
        .await?)
}
