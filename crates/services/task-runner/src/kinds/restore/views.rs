//! Makes the views again, and has them built twice if there are several nodes.
//!
//! Rows of the first build may be lost on a node that learns of a view at that moment: up to Cassandra 4.1 it acknowledges
//! them without keeping them. Once all nodes have ended the first build, all know the views, and none is lost any more.

use api::{Origin, RemoteError};
use futures::future::try_join_all;
use model::TableRef;
use model::plan::NodePlan;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::check::{check_agreement, described};
use super::spec::RestoreSpec;
use super::steps::execute_agreed;
use crate::engine::{StepError, StepRun};

/// The name of the document that says how far the builds are.
const BUILDS: &str = "view-builds";

/// How far the builds are, for the next try: one that has ended is not waited for once more, because nodes may have
/// forgotten it, and one that has begun is not begun again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Builds {
    /// The first has ended on all nodes.
    Once,
    /// The second has begun on all nodes that have forgotten the first.
    Twice,
}

/// Makes the views and waits until they are built: on the one node, or on all.
pub(super) async fn run(spec: &RestoreSpec, step: &StepRun) -> Result<(), StepError> {
    execute_agreed(spec, step).await?;
    let views = &spec.views();
    let planned = step.planned();
    let nodes: Vec<&NodePlan> = match planned.node.as_str() {
        "" => spec.plan().nodes.iter().collect(),
        node => vec![spec.node(node)?],
    };
    if nodes.len() < 2 {
        return await_built(step, &nodes, views).await;
    }
    let before: Option<Builds> = step.document(BUILDS).await?;
    if before.is_none() {
        await_built(step, &nodes, views).await?;
        step.put_document(BUILDS, &Builds::Once).await?;
    }
    if before != Some(Builds::Twice) {
        let forgotten = forget(step, &nodes, views).await?;
        let node = match forgotten.first() {
            Some(node) => node,
            None if before.is_none() => return Ok(()),
            // An earlier try may have been allowed what this one is not.
            None => nodes[0],
        };
        let agent = step.agent(&node.agent)?;
        agent.rebuild_views(node.host_id, views).await?;
        check_agreement(&described(spec, step).await?)?;
        step.put_document(BUILDS, &Builds::Twice).await?;
    }
    await_built(step, &nodes, views).await
}

async fn await_built(
    step: &StepRun,
    nodes: &[&NodePlan],
    views: &[TableRef],
) -> Result<(), StepError> {
    let each = nodes.iter().map(|node| async move {
        let agent = step.agent(&node.agent)?;
        let on_progress = |progress| step.report(progress);
        agent.await_views(node.host_id, views, &on_progress).await?;
        Ok::<(), StepError>(())
    });
    try_join_all(each).await?;
    Ok(())
}

/// Has every node forget that it has built the views; returns those that have.
async fn forget<'a>(
    step: &StepRun,
    nodes: &[&'a NodePlan],
    views: &[TableRef],
) -> Result<Vec<&'a NodePlan>, StepError> {
    let each = nodes.iter().map(|node| async move {
        let agent = step.agent(&node.agent)?;
        let forgotten = agent.forget_built_views(node.host_id, views).await;
        let forgotten = forgotten.or_else(is_unknown)?;
        if !forgotten {
            warn!(
                node = node.node,
                "the node builds the views only once, and rows of them may be lost: its agent may not write to \
                 system.built_views, or is of an earlier release"
            );
        }
        Ok::<_, StepError>(forgotten.then_some(*node))
    });
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

/// An agent of an earlier release does not have the call.
fn is_unknown(error: RemoteError) -> Result<bool, RemoteError> {
    match error.origin {
        Origin::NoSuchService => Ok(false),
        Origin::Service | Origin::Caller => Err(error),
    }
}
