//! Makes all nodes quiet before the first of them stops.
//!
//! One cutoff holds for all nodes, because what one node keeps for another is compared with the other's. So this is one step
//! of the whole cluster, and a try that does not reach every node in time counts for nothing.

use api::clients::RestoreOnNode;
use futures::future::join_all;
use jiff::SignedDuration;
use model::TaskId;
use model::plan::NodePlan;

use super::spec::RestoreSpec;
use crate::context::Context;
use crate::engine::{StepError, agent};

/// Longer ones are refused by agents.
const QUIESCE_SECONDS_MAX: u64 = 600;

/// The reason of an agent that could not do its part well before the cutoff.
const TOO_LATE: &str = "CUTOFF_TOO_LATE";

/// Marks the tables of the restore on every node, and only then cuts clients off. If that fails anywhere, clients are let in
/// again everywhere. Nodes that are too slow for the cutoff get twice the time, up to the most that agents accept.
pub(crate) async fn quiesce(
    spec: &RestoreSpec,
    context: &Context,
    restore: TaskId,
) -> Result<(), StepError> {
    let mut seconds = context.config.quiesce_seconds.min(QUIESCE_SECONDS_MAX);
    loop {
        let result = quiesce_within(spec, context, restore, seconds).await;
        let is_too_late =
            matches!(&result, Err(StepError::Remote(error)) if error.reason == TOO_LATE);
        if !is_too_late || seconds == QUIESCE_SECONDS_MAX {
            return result;
        }
        seconds = (seconds * 2).clamp(1, QUIESCE_SECONDS_MAX);
    }
}

async fn quiesce_within(
    spec: &RestoreSpec,
    context: &Context,
    restore: TaskId,
    seconds: u64,
) -> Result<(), StepError> {
    let result = try_quiesce(spec, context, restore, seconds).await;
    if result.is_err() {
        let nodes = spec.plan().nodes.iter();
        let each = nodes.map(|node| async move {
            if let Err(error) = let_clients_in(context, restore, node).await {
                tracing::warn!(
                    node = node.node,
                    error = error.text(),
                    "clients are not let in"
                );
            }
        });
        join_all(each).await;
    }
    result
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
