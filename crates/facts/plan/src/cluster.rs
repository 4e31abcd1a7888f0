//! The cluster as its agents describe it, and what is wrong with it before anything else is asked.

mod peers;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use cassandra_versions::Confidence;
use model::plan::UnreachableAgent;
use model::{HostId, NodeDescription, RingMember, Severity, ring};

use crate::codes;
use crate::findings::Findings;
use crate::wording;

/// The nodes that make one ring, each once, by address.
pub(crate) struct Cluster<'a> {
    pub nodes: Vec<&'a NodeDescription>,
    /// All members that any of the nodes sees.
    pub ring: Vec<&'a RingMember>,
    /// The members of it that are not healthy, or that no agent describes; each with the reason.
    pub absent: Vec<(&'a RingMember, String)>,
}

/// What it means if a node is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Every node is needed.
    Refused,
    /// The others are taken, and weighed.
    Weighed,
}

impl Absence {
    fn severity(self) -> Severity {
        match self {
            Self::Refused => Severity::Refusal,
            Self::Weighed => Severity::Warning,
        }
    }
}

impl Cluster<'_> {
    /// The hash by which a runner sees that the ring is still the one that was planned for.
    pub fn fingerprint(&self) -> String {
        let ring: Vec<RingMember> = self.ring.iter().map(|&member| member.clone()).collect();
        ring::fingerprint(&ring)
    }
}

/// Makes one cluster of what the agents said, and says what is wrong with it.
pub(crate) fn examine<'a>(
    name: &str,
    nodes: &'a [NodeDescription],
    unreachable: &[UnreachableAgent],
    absence: Absence,
    findings: &mut Findings,
) -> Cluster<'a> {
    for agent in unreachable {
        findings.say_as(
            absence.severity(),
            codes::AGENT_UNREACHABLE,
            &agent.agent,
            format!("the agent {} did not reply: {}", agent.agent, agent.reason),
            "start the agent, or correct its address with `ringkeep cluster add`",
        );
    }
    if nodes.is_empty() && unreachable.is_empty() {
        findings.say(
            codes::AGENT_UNREACHABLE,
            name,
            "the cluster has no agents",
            "register them with `ringkeep cluster add`",
        );
    }
    let mut nodes: Vec<&NodeDescription> = nodes.iter().collect();
    nodes.sort_by(by_address);
    let nodes = one_ring(one_agent_each(nodes, findings), findings);
    let mut ring: BTreeMap<HostId, &RingMember> = BTreeMap::new();
    let mut seen: Option<&Arc<Vec<RingMember>>> = None;
    for node in &nodes {
        if seen.is_some_and(|seen| Arc::ptr_eq(seen, &node.ring)) {
            continue;
        }
        seen = Some(&node.ring);
        for member in node.ring.iter() {
            ring.entry(member.host_id).or_insert(member);
        }
    }
    for node in &nodes {
        // What a node says of itself is newer than what others heard of it.
        ring.insert(node.member.host_id, &node.member);
    }
    let mut ring: Vec<&RingMember> = ring.into_values().collect();
    ring.sort_by(|a, b| address_order(&a.address).cmp(&address_order(&b.address)));
    let mut cluster = Cluster {
        nodes,
        ring,
        absent: Vec::new(),
    };
    let ghosts = peers::ghosts(&cluster);
    peers::check_health(&cluster, absence, findings);
    peers::check_membership(&cluster, &ghosts, unreachable, absence, findings);
    peers::check_agreement(name, &cluster, &ghosts, findings);
    cluster.absent = peers::absent(&cluster, &ghosts, unreachable);
    if absence == Absence::Weighed {
        cluster.nodes.retain(|node| node.unhealthy.is_empty());
        peers::refuse_if_none(name, &cluster, findings);
    }
    cluster
}

/// Whether the nodes that are there agree on the schema, so that [`codes::SCHEMA_DISAGREEMENT`] does not refuse a plan. They
/// do not for some seconds after each change of it.
pub fn agree_on_schema(nodes: &[NodeDescription]) -> bool {
    peers::agree_on_schema(nodes)
}

/// Addresses in the order in which people count them, names after numbers.
pub(crate) fn address_order(address: &str) -> (bool, Option<IpAddr>, &str) {
    let number = address.parse().ok();
    (number.is_none(), number, address)
}

fn by_address(a: &&NodeDescription, b: &&NodeDescription) -> Ordering {
    address_order(&a.member.address).cmp(&address_order(&b.member.address))
}

fn one_agent_each<'a>(
    nodes: Vec<&'a NodeDescription>,
    findings: &mut Findings,
) -> Vec<&'a NodeDescription> {
    let mut once: Vec<&NodeDescription> = Vec::new();
    for node in nodes {
        match once
            .iter()
            .find(|seen| seen.member.host_id == node.member.host_id)
        {
            Some(seen) => findings.say(
                codes::DUPLICATE_AGENT,
                &node.agent,
                format!(
                    "the agents {} and {} describe the same node, {}",
                    seen.agent, node.agent, node.member.host_id
                ),
                "register each node's agent once",
            ),
            None => once.push(node),
        }
    }
    once
}

/// Keeps the largest group of nodes that see each other under one cluster name; says which nodes are of another.
fn one_ring<'a>(
    nodes: Vec<&'a NodeDescription>,
    findings: &mut Findings,
) -> Vec<&'a NodeDescription> {
    let sees = |a: &NodeDescription, b: &NodeDescription| {
        a.ring
            .iter()
            .any(|member| member.host_id == b.member.host_id)
    };
    let mut groups: Vec<Vec<&NodeDescription>> = Vec::new();
    for node in nodes {
        let joins = |other: &&NodeDescription| {
            other.cluster_name == node.cluster_name && (sees(other, node) || sees(node, other))
        };
        // A node that sees two groups joins them into one.
        let (mine, others): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|group| group.iter().any(joins));
        groups = others;
        groups.push(mine.into_iter().flatten().chain([node]).collect());
    }
    for group in &mut groups {
        group.sort_by(by_address);
    }
    // The largest, and among equals that with the lowest address.
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| by_address(&a[0], &b[0])));
    let mut groups = groups.into_iter();
    let kept = groups.next().unwrap_or_default();
    for node in groups.flatten() {
        let first = kept[0];
        findings.say(
            codes::AGENT_OF_ANOTHER_CLUSTER,
            &node.agent,
            format!(
                "the node {} of the cluster \"{}\" is not in one ring with {} of \"{}\"",
                node.member.address, node.cluster_name, first.member.address, first.cluster_name
            ),
            "register each cluster by its own agents",
        );
    }
    kept
}

/// Says where the nodes run different releases: `across_lines` weighs lines that differ, a warning patches that do.
pub(crate) fn check_releases(
    name: &str,
    cluster: &Cluster,
    across_lines: Severity,
    findings: &mut Findings,
) {
    let mut releases: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in &cluster.nodes {
        releases
            .entry(node.release.to_string())
            .or_default()
            .push(&node.member.address);
    }
    if releases.len() < 2 {
        return;
    }
    let first = &cluster.nodes[0].release;
    let one_line = cluster
        .nodes
        .iter()
        .all(|node| node.release.is_same_line(first));
    let severity = if one_line {
        Severity::Warning
    } else {
        across_lines
    };
    let runs = releases
        .iter()
        .map(|(release, nodes)| format!("{release} on {}", wording::list(nodes)));
    findings.say_as(
        severity,
        codes::MIXED_VERSIONS,
        name,
        format!("the nodes run different releases: {}", wording::list(runs)),
        "finish the upgrade first",
    );
}

/// Says which nodes show that they are not what the settings of their agents state.
pub(crate) fn check_products(cluster: &Cluster, severity: Severity, findings: &mut Findings) {
    let contradicted = cluster
        .nodes
        .iter()
        .filter(|node| node.recognition.confidence == Confidence::Contradicted);
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in contradicted {
        let why = node.recognition.contradictions.join(", and ");
        reasons.entry(why).or_default().push(&node.member.address);
    }
    for (why, nodes) in reasons {
        let nodes = wording::list(nodes);
        findings.say_as(
            severity,
            codes::PRODUCT_CONTRADICTED,
            &nodes,
            format!("{nodes} show something else than the settings of their agents state: {why}"),
            "correct `product` and `product_version` in [cassandra] of each of these agents, or remove them, and restart the agents",
        );
    }
}
