//! Makes all nodes quiet before the first of them stops.
//!
//! One cutoff holds for all nodes, because what one node keeps for another is compared with the other's. So this is one step
//! of the whole cluster, and a try that does not reach every node in time counts for nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use api::clients::RestoreOnNode;
use futures::future::join_all;
use jiff::SignedDuration;
use model::TaskId;
use model::plan::NodePlan;

use super::spec::RestoreSpec;
use crate::context::Context;
use crate::engine::{StepError, agent};
use crate::kinds::undo::on_each;

/// Longer ones are refused by agents.
const QUIESCE_SECONDS_MAX: u64 = 600;

/// The reason of an agent that could not do its part well before the cutoff.
const TOO_LATE: &str = "CUTOFF_TOO_LATE";

/// The nodes on which clients could not be let in again after a try that has failed. Kept in memory only: a runner that dies
/// runs the step again.
#[derive(Default)]
pub(in crate::kinds) struct CutOff(Mutex<BTreeSet<String>>);

impl CutOff {
    pub fn nodes(&self) -> BTreeSet<String> {
        let nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.clone()
    }

    fn set(&self, nodes: BTreeSet<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }
}

/// Marks the tables of the restore on every node, and only then cuts clients off. Nodes that are too slow for the cutoff get
/// twice the time, up to the most that agents accept: marking lets clients in again where they are cut off already. If it
/// fails otherwise anywhere, clients are let in again everywhere.
pub(crate) async fn quiesce(
    spec: &RestoreSpec,
    context: &Context,
    restore: TaskId,
    cut_off: &CutOff,
) -> Result<(), StepError> {
    cut_off.set(BTreeSet::new());
    let mut seconds = context.config.quiesce_seconds.min(QUIESCE_SECONDS_MAX);
    let failed = loop {
        let Err(error) = try_quiesce(spec, context, restore, seconds).await else {
            return Ok(());
        };
        let is_too_late = matches!(&error, StepError::Remote(error) if error.reason == TOO_LATE);
        if !is_too_late || seconds == QUIESCE_SECONDS_MAX {
            break error;
        }
        seconds = (seconds * 2).clamp(1, QUIESCE_SECONDS_MAX);
    };
    let nodes = spec.plan().nodes.iter();
    cut_off.set(try_to_let_clients_in(context, restore, nodes).await);
    Err(failed)
}

/// Lets clients in again on these nodes, as well as it can be done; returns those on which it failed.
pub(crate) async fn try_to_let_clients_in<'a>(
    context: &Context,
    restore: TaskId,
    nodes: impl Iterator<Item = &'a NodePlan>,
) -> BTreeSet<String> {
    let within = context.config.step_limits.start();
    let failed = on_each(context, within, nodes, |node: &NodePlan| {
        let_clients_in(context, restore, node)
    });
    let mut names = BTreeSet::new();
    for (node, error) in failed.await {
        let error = error.text();
        tracing::warn!(node = node.node, error, "clients are not let in");
        names.insert(node.node.clone());
    }
    names
}

async fn try_quiesce(
    spec: &RestoreSpec,
    context: &Context,
    restore: TaskId,
    seconds: u64,
) -> Result<(), StepError> {
    let cutoff = (context.clock)() + SignedDuration::from_secs(seconds.cast_signed());
    on_all(spec, |node| async move {
        let request = RestoreOnNode {
            restore,
            host: node.host_id,
            tables: spec.targets(),
        };
        let agent = agent(context, &node.agent)?;
        Ok(agent.mark_truncated(request, cutoff).await?)
    })
    .await?;
    on_all(spec, |node| async move {
        let agent = agent(context, &node.agent)?;
        Ok(agent.cut_clients_off(node.host_id, cutoff).await?)
    })
    .await
}

/// Waits for every node, also if one fails: what is still under way must not meet what comes next.
async fn on_all<'a, F>(
    spec: &'a RestoreSpec,
    call: impl Fn(&'a NodePlan) -> F,
) -> Result<(), StepError>
where
    F: Future<Output = Result<(), StepError>>,
{
    let ended = join_all(spec.plan().nodes.iter().map(call)).await;
    ended.into_iter().collect()
}

/// Lets clients in again on all nodes; fails if one of them cannot.
pub(super) async fn let_clients_in_everywhere(
    spec: &RestoreSpec,
    context: &Context,
    restore: TaskId,
) -> Result<(), StepError> {
    on_all(spec, |node| let_clients_in(context, restore, node)).await
}

/// Lets clients in again on a node, and takes back what was marked there.
pub(crate) async fn let_clients_in(
    context: &Context,
    restore: TaskId,
    node: &NodePlan,
) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent.let_clients_in(restore, node.host_id).await?)
}
