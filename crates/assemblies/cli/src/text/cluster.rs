//! Registered clusters, and what their agents report.

use std::fmt::Write;

use plan::TextTable;
use views::cluster::{ClusterNodeView, ClusterStateView, ClusterView};

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
        table.row([
            node.agent.clone(),
            node.node.clone(),
            node.datacenter.clone(),
            node.rack.clone(),
            release(node),
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
            format!("does not reply: {}", agent.reason),
        ]);
    }
    let products = products_text(&cluster.nodes);
    format!("cluster {}\n\n{}{products}", cluster.name, table.render())
}

/// How the products were recognised, once for all nodes of which the same was seen.
fn products_text(nodes: &[ClusterNodeView]) -> String {
    let mut groups: Vec<(&ClusterNodeView, Vec<&str>)> = Vec::new();
    for node in nodes
        .iter()
        .filter(|node| !node.recognition.seen.is_empty())
    {
        let is_like = |seen: &ClusterNodeView| {
            seen.recognition == node.recognition && release(seen) == release(node)
        };
        match groups.iter_mut().find(|(first, _)| is_like(first)) {
            Some((_, nodes)) => nodes.push(&node.node),
            None => groups.push((node, vec![&node.node])),
        }
    }
    let mut text = String::new();
    for (node, nodes) in groups {
        let known = &node.recognition;
        let _ = writeln!(
            text,
            "\n{} on {}\n  {}: {}",
            release(node),
            nodes.join(", "),
            known.confidence.replace('_', " "),
            known.seen.join(", ")
        );
        for why in &known.contradictions {
            let _ = writeln!(text, "  contradiction: {why}");
        }
    }
    text
}

fn release(node: &ClusterNodeView) -> String {
    let release = node.release.as_ref();
    release.map_or("-".into(), |r| format!("{} {}", r.product, r.version))
}
