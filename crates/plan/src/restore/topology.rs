//! Which target node takes which source node's files: that with the same tokens, datacenter and rack.

use model::{NodeDescription, RingMember, ring};

use super::RestoreMode;
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;
use crate::text;

/// A target node and the source node that it stands for.
pub(super) struct Pair<'a> {
    pub target: &'a NodeDescription,
    pub source: &'a RingMember,
}

/// Pairs the nodes one to one; none where the rings differ, which a restore in place cannot do with.
pub(super) fn pair<'a>(
    name: &str,
    mode: RestoreMode,
    source_ring: &'a [RingMember],
    cluster: &Cluster<'a>,
    findings: &mut Findings,
) -> Vec<Pair<'a>> {
    if cluster.nodes.is_empty() {
        // Nothing is known of the target, and that is said already.
        return Vec::new();
    }
    let in_target = |source: &&RingMember| cluster.ring.iter().any(|&target| same(source, target));
    let in_source = |target: &&&RingMember| source_ring.iter().any(|source| same(source, target));
    let only_source: Vec<&RingMember> = source_ring.iter().filter(|m| !in_target(m)).collect();
    let only_target: Vec<&&RingMember> = cluster.ring.iter().filter(|m| !in_source(m)).collect();
    if !only_source.is_empty() || !only_target.is_empty() {
        if mode == RestoreMode::Online {
            return Vec::new();
        }
        let mut message = String::from("the target's ring is not that of the backup");
        if !only_source.is_empty() {
            let nodes = only_source.iter().map(|member| place(member));
            message += &format!(
                "; no target node has the place of the source's {}",
                text::list(nodes)
            );
        }
        if !only_target.is_empty() {
            let nodes = only_target.iter().map(|member| place(member));
            message += &format!(
                "; no source node has the place of the target's {}",
                text::list(nodes)
            );
        }
        findings.say(
            codes::TOPOLOGY_DIFFERS,
            name,
            message,
            "restore online: then each node gets the data of its own token ranges",
        );
        return Vec::new();
    }
    let source_of = |target: &'a NodeDescription| {
        let source = source_ring
            .iter()
            .find(|source| same(source, &target.member))?;
        Some(Pair { target, source })
    };
    cluster
        .nodes
        .iter()
        .copied()
        .filter_map(source_of)
        .collect()
}

fn same(a: &RingMember, b: &RingMember) -> bool {
    let sorted = |member: &RingMember| {
        let mut tokens = member.tokens.clone();
        ring::sort_tokens(&mut tokens);
        tokens
    };
    a.datacenter == b.datacenter && a.rack == b.rack && sorted(a) == sorted(b)
}

fn place(member: &RingMember) -> String {
    let tokens = match member.tokens.as_slice() {
        [] => "without tokens".to_owned(),
        [token] => format!("token {token}"),
        [first, rest @ ..] => format!("tokens {first} and {} more", rest.len()),
    };
    format!(
        "{} ({}/{}, {tokens})",
        member.address, member.datacenter, member.rack
    )
}
