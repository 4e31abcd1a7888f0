//! Registered clusters, and what their agents report.

use model::plan::UnreachableAgent;
use model::{Cluster, ClusterNode, ClusterState, ShownRecognition};
use serde::Serialize;

use crate::{ReleaseView, UNKNOWN, some};

/// A cluster as it is registered.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterView {
    /// Its name here and in the bucket.
    pub name: String,
    /// host:port of each agent.
    pub agents: Vec<String>,
}

/// A cluster with what its agents report now.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterStateView {
    /// Its name here and in the bucket.
    pub name: String,
    /// host:port of each agent.
    pub agents: Vec<String>,
    /// One for each agent that replied.
    pub nodes: Vec<ClusterNodeView>,
    /// The other agents.
    pub unreachable: Vec<UnreachableView>,
}

/// A node of a cluster.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterNodeView {
    /// host:port of its agent.
    pub agent: String,
    /// The address.
    pub node: String,
    /// Cassandra's host id, a UUID.
    pub host_id: String,
    /// As the ring has it.
    pub datacenter: String,
    /// As the ring has it.
    pub rack: String,
    /// Decimal, ascending.
    pub tokens: Vec<String>,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    /// Null for a product that this release does not know.
    pub release: Option<ReleaseView>,
    /// How its product was recognised.
    pub recognition: RecognitionView,
    /// Whether it can be backed up and restored now.
    pub healthy: bool,
    /// Why it is not healthy.
    pub detail: Option<String>,
    /// How many tables it has in user keyspaces.
    pub tables: u64,
    /// Live data on this node.
    pub live_bytes: u64,
    /// Free on all its data directories.
    pub free_bytes: u64,
    /// Whether the agent can stop and start Cassandra: needed to restore in place.
    pub can_restart: bool,
}

/// How the product of a node was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecognitionView {
    /// `stated` by the settings of the agent, `reported` by the node, `inferred` from what was seen, `contradicted`,
    /// `unknown_build`, `not_reported` by the agent, or `unknown`.
    pub confidence: &'static str,
    /// What was seen that tells products apart.
    pub seen: Vec<String>,
    /// What contradicts what else was seen or stated.
    pub contradictions: Vec<String>,
}

/// An agent that did not reply.
#[derive(Debug, Clone, Serialize)]
pub struct UnreachableView {
    /// host:port.
    pub agent: String,
    /// Why not.
    pub reason: String,
}

impl From<&Cluster> for ClusterView {
    fn from(cluster: &Cluster) -> Self {
        Self {
            name: cluster.name.to_string(),
            agents: cluster.agents.clone(),
        }
    }
}

impl From<&ClusterState> for ClusterStateView {
    fn from(state: &ClusterState) -> Self {
        let unreachable = state.unreachable.iter();
        Self {
            name: state.cluster.name.to_string(),
            agents: state.cluster.agents.clone(),
            nodes: state.nodes.iter().map(ClusterNodeView::from).collect(),
            unreachable: unreachable.map(UnreachableView::from).collect(),
        }
    }
}

impl From<&ClusterNode> for ClusterNodeView {
    fn from(node: &ClusterNode) -> Self {
        let member = node.member.clone();
        Self {
            agent: node.agent.clone(),
            node: member.address,
            host_id: member.host_id.to_string(),
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
            cluster_name: node.cluster_name.clone(),
            release: node.release.as_ref().map(ReleaseView::from),
            recognition: RecognitionView::from(&node.recognition),
            healthy: node.unhealthy.is_empty(),
            detail: some(&node.unhealthy),
            tables: node.tables,
            live_bytes: node.live_bytes,
            free_bytes: node.free_bytes,
            can_restart: node.can_restart,
        }
    }
}

impl From<&ShownRecognition> for RecognitionView {
    fn from(recognition: &ShownRecognition) -> Self {
        Self {
            confidence: recognition.confidence.map_or(UNKNOWN, |it| it.as_str()),
            seen: recognition.seen.clone(),
            contradictions: recognition.contradictions.clone(),
        }
    }
}

impl From<&UnreachableAgent> for UnreachableView {
    fn from(unreachable: &UnreachableAgent) -> Self {
        Self {
            agent: unreachable.agent.clone(),
            reason: unreachable.reason.clone(),
        }
    }
}
