//! Which members of the ring are there, and whether the nodes agree with each other.
//!
//! What a node that is down was last heard to think is no disagreement, and a row that a removed node left behind is no member:
//! each is reported as what it is, and as nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::plan::UnreachableAgent;
use model::{HostId, NodeDescription, RingMember, Severity, ring};

use super::{Absence, Cluster};
use crate::findings::Findings;
use crate::{codes, wording};

fn is_healthy(node: &&&NodeDescription) -> bool {
    node.unhealthy.is_empty()
}

/// Members of which every node that has them in its tables says that gossip does not know them.
pub(super) fn ghosts(cluster: &Cluster) -> BTreeSet<HostId> {
    let described: BTreeSet<HostId> = cluster.nodes.iter().map(|it| it.member.host_id).collect();
    let told: BTreeSet<HostId> = cluster
        .nodes
        .iter()
        .flat_map(|node| node.peers.ghosts.iter().copied())
        .filter(|host| !described.contains(host))
        .collect();
    let is_ghost = |host: &HostId| {
        let healthy = cluster.nodes.iter().filter(is_healthy);
        let mut knowing = healthy.filter(|node| node.ring.iter().any(|it| it.host_id == *host));
        knowing.all(|node| node.peers.ghosts.contains(host))
    };
    told.into_iter().filter(is_ghost).collect()
}

pub(super) fn check_health(cluster: &Cluster, absence: Absence, findings: &mut Findings) {
    let ill = cluster
        .nodes
        .iter()
        .filter(|node| !node.unhealthy.is_empty());
    for node in ill {
        findings.say_as(
            absence.severity(),
            codes::NODE_UNHEALTHY,
            &node.member.address,
            format!(
                "the node {} is not healthy: {}",
                node.member.address, node.unhealthy
            ),
            "bring the node back; a backup can go without it: --completeness quorum",
        );
    }
}

pub(super) fn check_membership(
    cluster: &Cluster,
    ghosts: &BTreeSet<HostId>,
    unreachable: &[UnreachableAgent],
    absence: Absence,
    findings: &mut Findings,
) {
    for member in undescribed(cluster) {
        if ghosts.contains(&member.host_id) {
            say_ghost(cluster, member, absence, findings);
            continue;
        }
        let hint = match unreachable.is_empty() {
            false => {
                "it may be the node of an agent that did not reply; otherwise register its agent"
                    .to_owned()
            }
            true => format!(
                "register its agent with `ringkeep cluster add`; if the node is gone for good, `nodetool removenode {}` removes it",
                member.host_id
            ),
        };
        findings.say_as(
            absence.severity(),
            codes::RING_MEMBER_WITHOUT_AGENT,
            &member.address,
            format!(
                "no agent describes the ring's member {} in {}/{}",
                member.address, member.datacenter, member.rack
            ),
            hint,
        );
    }
}

/// No command that goes by the host id finds it, because these ask gossip.
fn say_ghost(cluster: &Cluster, member: &RingMember, absence: Absence, findings: &mut Findings) {
    let has_it = |node: &&&NodeDescription| node.peers.ghosts.contains(&member.host_id);
    let nodes = cluster.nodes.iter().filter(has_it);
    let nodes = wording::list(nodes.map(|node| &node.member.address));
    let address = &member.address;
    findings.say_as(
        absence.severity(),
        codes::GHOST_MEMBER,
        address,
        format!("{address} is in the system tables of {nodes}, and gossip knows no such node: a removed node has left it behind"),
        format!("on one node `nodetool assassinate {address}`; if it stays, on each of {nodes}: DELETE FROM system.peers WHERE peer = '{address}', and since 4.0 DELETE FROM system.peers_v2 WHERE peer = '{address}'"),
    );
}

fn undescribed<'a, 'b>(cluster: &'b Cluster<'a>) -> impl Iterator<Item = &'a RingMember> + 'b {
    cluster.ring.iter().copied().filter(|member| {
        let mut nodes = cluster.nodes.iter();
        !nodes.any(|node| node.member.host_id == member.host_id)
    })
}

/// The members that cannot be asked for anything, each with the reason.
pub(super) fn absent<'a>(
    cluster: &Cluster<'a>,
    ghosts: &BTreeSet<HostId>,
    unreachable: &[UnreachableAgent],
) -> Vec<(&'a RingMember, String)> {
    let ill = cluster
        .nodes
        .iter()
        .copied()
        .filter(|node| !node.unhealthy.is_empty());
    let ill = ill.map(|node| (&node.member, node.unhealthy.clone()));
    let undescribed = undescribed(cluster).map(|member| {
        let why = if ghosts.contains(&member.host_id) {
            "gossip does not know it"
        } else if unreachable.is_empty() {
            "no agent describes it"
        } else {
            "its agent did not reply"
        };
        (member, why.to_owned())
    });
    ill.chain(undescribed).collect()
}

pub(super) fn check_agreement(
    name: &str,
    cluster: &Cluster,
    ghosts: &BTreeSet<HostId>,
    findings: &mut Findings,
) {
    let versions = schema_versions(&cluster.nodes);
    if versions.len() > 1 {
        let seen = versions.iter().map(|(version, nodes)| {
            let mut nodes = nodes.clone();
            nodes.dedup();
            format!("{version} seen by {}", wording::list(nodes))
        });
        findings.say(
            codes::SCHEMA_DISAGREEMENT,
            name,
            format!(
                "the nodes do not agree on the schema: {}",
                seen.collect::<Vec<_>>().join("; ")
            ),
            "wait until `nodetool describecluster` shows one version, and plan again",
        );
    }
    let views = ring_views(cluster, ghosts);
    if views.len() > 1 {
        let groups = views.values().map(wording::list);
        findings.say(
            codes::RING_DISAGREEMENT,
            name,
            format!(
                "the nodes do not see the same ring; these agree among themselves: {}",
                groups.collect::<Vec<_>>().join(" | ")
            ),
            "wait until `nodetool status` shows the same on each node, and plan again",
        );
    }
}

/// Whether all nodes that are there see one version of the schema.
pub(crate) fn agree_on_schema(nodes: &[NodeDescription]) -> bool {
    let nodes: Vec<&NodeDescription> = nodes.iter().collect();
    schema_versions(&nodes).len() <= 1
}

/// The schema versions of nodes that are there, each with the nodes that see it.
fn schema_versions<'a>(nodes: &[&'a NodeDescription]) -> BTreeMap<&'a str, Vec<&'a str>> {
    let there: BTreeSet<HostId> = nodes
        .iter()
        .filter(is_healthy)
        .map(|node| node.member.host_id)
        .collect();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes.iter().copied().filter(|node| is_healthy(&node)) {
        let dissenting = node.peers.dissenting.iter();
        let of_there = dissenting.clone().filter(|it| there.contains(&it.host_id));
        // Older agents report all of them, whichever their version.
        let untold = match dissenting.len() {
            0 => node.schema_versions.as_slice(),
            _ => &[],
        };
        let seen = untold
            .iter()
            .chain(of_there.map(|it| &it.version))
            .chain([&node.schema_version]);
        for version in seen.filter(|version| !version.is_empty()) {
            versions
                .entry(version)
                .or_default()
                .push(&node.member.address);
        }
    }
    versions
}

/// The rings that nodes which are there see, by their hashes.
fn ring_views<'a>(
    cluster: &Cluster<'a>,
    ghosts: &BTreeSet<HostId>,
) -> BTreeMap<String, Vec<&'a str>> {
    let mut views: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut known: Option<(&Arc<Vec<RingMember>>, String)> = None;
    for node in cluster
        .nodes
        .iter()
        .copied()
        .filter(|node| is_healthy(&node))
    {
        let view = match &known {
            Some((ring, view)) if Arc::ptr_eq(ring, &node.ring) => view.clone(),
            _ => view_of(&node.ring, ghosts),
        };
        known = Some((&node.ring, view.clone()));
        views.entry(view).or_default().push(&node.member.address);
    }
    views
}

fn view_of(members: &[RingMember], ghosts: &BTreeSet<HostId>) -> String {
    if ghosts.is_empty() {
        return ring::fingerprint(members);
    }
    let members = members.iter();
    let real = members.filter(|member| !ghosts.contains(&member.host_id));
    ring::fingerprint(&real.cloned().collect::<Vec<_>>())
}

/// Nothing of a cluster can be backed up if none of its nodes is healthy.
pub(super) fn refuse_if_none(name: &str, cluster: &Cluster, findings: &mut Findings) {
    if cluster.nodes.is_empty() {
        findings.say_as(
            Severity::Refusal,
            codes::NODE_UNHEALTHY,
            name,
            "no node of the cluster is healthy",
            "bring nodes back: a backup is made of what they hold",
        );
    }
}
