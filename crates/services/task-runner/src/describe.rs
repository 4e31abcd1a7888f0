//! What the agents of a cluster say of their nodes, now.

use api::pb::node_agent::{DescribeRequest, GetSchemaRequest};
use api::pb::planner::UnreachableAgent;
use api::pb::types::{NodeDescription, RingMember, Schema};
use futures::future::join_all;
use model::ring::fingerprint;

use crate::services::{DESCRIBE_DEADLINE, SCHEMA_DEADLINE, Services, within};

/// The agents' answers, in the order in which they were asked.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
}

/// Asks all agents at once.
pub(crate) async fn describe_all(services: &Services, agents: &[String]) -> Described {
    let answers = join_all(agents.iter().map(|agent| describe(services, agent))).await;
    let mut described = Described::default();
    for answer in answers {
        match answer {
            Ok(node) => described.nodes.push(node),
            Err(unreachable) => described.unreachable.push(unreachable),
        }
    }
    described
}

async fn describe(services: &Services, agent: &str) -> Result<NodeDescription, UnreachableAgent> {
    let fail = |reason: String| UnreachableAgent {
        agent: agent.to_owned(),
        reason,
    };
    let mut client = services
        .agent(agent)
        .map_err(|error| fail(error.to_string()))?;
    let answer = within(DESCRIBE_DEADLINE, client.describe(DescribeRequest {}))
        .await
        .map_err(|error| fail(error.to_string()))?;
    let mut node = answer
        .node
        .ok_or_else(|| fail("the agent described nothing".to_owned()))?;
    // The agent cannot know by which address it was asked; plans speak of it by this one.
    node.agent = agent.to_owned();
    Ok(node)
}

/// The schema of the user keyspaces, from the first node that can tell.
pub(crate) async fn schema(
    services: &Services,
    nodes: &[NodeDescription],
) -> Result<Schema, String> {
    let mut reasons = Vec::new();
    let healthy_first = nodes
        .iter()
        .filter(|node| node.unhealthy.is_empty())
        .chain(nodes.iter().filter(|node| !node.unhealthy.is_empty()));
    for node in healthy_first {
        let mut client = match services.agent(&node.agent) {
            Ok(client) => client,
            Err(error) => {
                reasons.push(error.to_string());
                continue;
            }
        };
        let request = GetSchemaRequest::default();
        match within(SCHEMA_DEADLINE, client.get_schema(request)).await {
            Ok(answer) => match answer.schema {
                Some(schema) => return Ok(schema),
                None => reasons.push(format!("{} told nothing", node.agent)),
            },
            Err(error) => reasons.push(format!("{}: {error}", node.agent)),
        }
    }
    if reasons.is_empty() {
        reasons.push("no agent answered".to_owned());
    }
    Err(reasons.join("; "))
}

/// The fingerprint of the ring as a node sees it.
pub(crate) fn ring_of(node: &NodeDescription) -> Result<String, api::convert::ConversionError> {
    let ring: Vec<model::RingMember> = api::convert::all(node.ring.clone())?;
    Ok(fingerprint(&ring))
}

/// The node's own entry; an agent that leaves it out describes a node without a name.
pub(crate) fn member(node: &NodeDescription) -> RingMember {
    node.member.clone().unwrap_or_default()
}
