//! Registered clusters, and what their agents report.

use plan::TextTable;
use views::cluster::{ClusterStateView, ClusterView};

use super::dash;
use crate::human;

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
