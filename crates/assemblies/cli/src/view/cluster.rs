//! Registered clusters, and what their agents say.

use api::pb::planner::UnreachableAgent;
use api::pb::task_runner as pb;
use api::pb::types::NodeDescription;
use plan::TextTable;
use serde::Serialize;

use super::{ReleaseView, dash, some};
use crate::human;

#[derive(Debug, Clone, Serialize)]
pub struct ClusterView {
    pub name: String,
    pub agents: Vec<String>,
}

impl From<&pb::Cluster> for ClusterView {
    fn from(cluster: &pb::Cluster) -> Self {
        Self {
            name: cluster.name.clone(),
            agents: cluster.agents.clone(),
        }
    }
}

pub fn list_text(clusters: &[ClusterView]) -> String {
    let mut table = TextTable::new(&["NAME", ">AGENTS", "ADDRESSES"]);
    for cluster in clusters {
        table.row([
            cluster.name.clone(),
            cluster.agents.len().to_string(),
            cluster.agents.join(", "),
        ]);
    }
    table.render()
}

/// A cluster with what its agents say now.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterStateView {
    pub name: String,
    pub agents: Vec<String>,
    pub nodes: Vec<ClusterNodeView>,
    pub unreachable: Vec<UnreachableView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ClusterNodeView {
    pub agent: String,
    /// The address.
    pub node: String,
    pub host_id: String,
    pub datacenter: String,
    pub rack: String,
    pub tokens: Vec<String>,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    pub release: Option<ReleaseView>,
    pub healthy: bool,
    /// Why it is not healthy.
    pub detail: Option<String>,
    pub tables: u64,
    pub live_bytes: u64,
    pub free_bytes: u64,
    pub can_restart: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct UnreachableView {
    pub agent: String,
    pub reason: String,
}

impl From<&pb::GetClusterResponse> for ClusterStateView {
    fn from(response: &pb::GetClusterResponse) -> Self {
        let cluster = response.cluster.clone().unwrap_or_default();
        Self {
            name: cluster.name,
            agents: cluster.agents,
            nodes: response.nodes.iter().map(ClusterNodeView::from).collect(),
            unreachable: response
                .unreachable
                .iter()
                .map(UnreachableView::from)
                .collect(),
        }
    }
}

impl From<&NodeDescription> for ClusterNodeView {
    fn from(node: &NodeDescription) -> Self {
        let member = node.member.clone().unwrap_or_default();
        Self {
            agent: node.agent.clone(),
            node: member.address,
            host_id: member.host_id,
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
            cluster_name: node.cluster_name.clone(),
            release: node.release.as_ref().map(ReleaseView::from),
            healthy: node.unhealthy.is_empty(),
            detail: some(&node.unhealthy),
            tables: node.tables.len() as u64,
            live_bytes: node.tables.iter().map(|table| table.live_bytes).sum(),
            free_bytes: node.data_directories.iter().map(|dir| dir.free_bytes).sum(),
            can_restart: node.can_restart,
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

pub fn state_text(cluster: &ClusterStateView) -> String {
    let mut table = TextTable::new(&[
        "AGENT",
        "NODE",
        "DATACENTER",
        "RACK",
        "RELEASE",
        ">DATA",
        ">FREE",
        "STATE",
    ]);
    for node in &cluster.nodes {
        let release = node.release.as_ref();
        table.row([
            node.agent.clone(),
            node.node.clone(),
            node.datacenter.clone(),
            node.rack.clone(),
            release.map_or("-".into(), |r| format!("{} {}", r.product, r.version)),
            human::bytes(node.live_bytes),
            human::bytes(node.free_bytes),
            match &node.detail {
                None => "healthy".into(),
                Some(detail) => format!("unhealthy: {detail}"),
            },
        ]);
    }
    for agent in &cluster.unreachable {
        let none = || dash(None);
        table.row([
            agent.agent.clone(),
            none(),
            none(),
            none(),
            none(),
            none(),
            none(),
            format!("does not answer: {}", agent.reason),
        ]);
    }
    format!("cluster {}\n\n{}", cluster.name, table.render())
}
