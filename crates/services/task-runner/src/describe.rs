//! The nodes of a cluster as their agents describe them now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use api::RemoteError;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::plan::UnreachableAgent;
use model::ring::fingerprint;
use model::{NodeDescription, RingMember, Schema};
use tokio::time::Instant;

use crate::context::Context;

/// How long nodes that disagree on the schema are left alone before they are asked again.
const AGREEMENT_INTERVAL: Duration = Duration::from_millis(500);

/// What the agents returned, in the order in which they were asked.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
}

/// Asks all agents at once.
pub(crate) async fn describe_all(context: &Context, agents: &[String]) -> Described {
    let each = agents.iter().enumerate();
    let mut replies: FuturesUnordered<_> = each
        .map(|(at, agent)| async move { (at, describe(context, agent).await) })
        .collect();
    let mut rings: Vec<Arc<Vec<RingMember>>> = Vec::new();
    let mut results = BTreeMap::new();
    while let Some((at, mut result)) = replies.next().await {
        if let Ok(node) = &mut result {
            share_ring(&mut rings, node);
        }
        results.insert(at, result);
    }
    let mut described = Described::default();
    for result in results.into_values() {
        match result {
            Ok(node) => described.nodes.push(node),
            Err(unreachable) => described.unreachable.push(unreachable),
        }
    }
    described
}

/// Asks all agents at once, and again until the nodes agree on the schema or `schema_agreement_seconds` have passed: a
/// change of the schema takes some seconds to spread, and a plan would be refused meanwhile.
pub(crate) async fn describe_agreed(context: &Context, agents: &[String]) -> Described {
    let until = Instant::now() + context.config.schema_agreement();
    loop {
        let described = describe_all(context, agents).await;
        if plan::agree_on_schema(&described.nodes) || Instant::now() >= until {
            return described;
        }
        tokio::time::sleep(AGREEMENT_INTERVAL).await;
    }
}

/// Nodes that see the same ring share it as soon as they have replied: a thousand rings of a thousand members would not fit.
fn share_ring(rings: &mut Vec<Arc<Vec<RingMember>>>, node: &mut NodeDescription) {
    Arc::make_mut(&mut node.ring).sort_by_key(|member| member.host_id);
    match rings.iter().find(|ring| **ring == node.ring) {
        Some(ring) => node.ring = ring.clone(),
        None => rings.push(node.ring.clone()),
    }
}

/// The fingerprint of each node's ring. A shared ring is hashed once.
pub(crate) fn fingerprints(nodes: &[NodeDescription]) -> Vec<String> {
    let mut known: HashMap<*const Vec<RingMember>, String> = HashMap::new();
    let each = nodes.iter().map(|node| {
        let of_ring = known.entry(Arc::as_ptr(&node.ring));
        of_ring.or_insert_with(|| fingerprint(&node.ring)).clone()
    });
    each.collect()
}

async fn describe(context: &Context, agent: &str) -> Result<NodeDescription, UnreachableAgent> {
    let fail = |reason: String| UnreachableAgent {
        agent: agent.to_owned(),
        reason,
    };
    let client = context
        .agent(agent)
        .map_err(|error| fail(error.to_string()))?;
    let described = client.describe().await;
    let mut node = described.map_err(|error| fail(why(&error)))?;
    // The agent cannot know by which address it was called; plans name it by this one.
    agent.clone_into(&mut node.agent);
    Ok(node)
}

/// Why an agent did not describe its node, and what to do: only one that did not reply may be down or have another address.
fn why(error: &RemoteError) -> String {
    match &error.hint {
        Some(hint) => format!("{error} ({hint})"),
        None if error.reason.is_empty() => {
            format!("{error} (check that the agent runs and that its address is right)")
        }
        None => error.to_string(),
    }
}

/// The schema of the user keyspaces, from the first node that returns it, healthy ones first.
pub(crate) async fn schema(context: &Context, nodes: &[NodeDescription]) -> Result<Schema, String> {
    let mut reasons = Vec::new();
    let healthy_first = nodes
        .iter()
        .filter(|node| node.unhealthy.is_empty())
        .chain(nodes.iter().filter(|node| !node.unhealthy.is_empty()));
    for node in healthy_first {
        let agent = match context.agent(&node.agent) {
            Ok(agent) => agent,
            Err(error) => {
                reasons.push(error.to_string());
                continue;
            }
        };
        match agent.schema().await {
            Ok(schema) => return Ok(schema),
            Err(error) => reasons.push(format!("{}: {error}", node.agent)),
        }
    }
    if reasons.is_empty() {
        reasons.push("no agent replied".to_owned());
    }
    Err(reasons.join("; "))
}
