//! Which target node takes which source node's files: that with the same tokens, datacenter and rack.

use std::collections::{HashMap, HashSet};

use model::plan::RestoreMode;
use model::{NodeDescription, RingMember, ring};

use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;
use crate::wording;

/// A target node and the source node that it stands for.
pub(crate) struct Pair<'a> {
    pub target: &'a NodeDescription,
    pub source: &'a RingMember,
}

/// Pairs the nodes one to one; none where the rings differ, which a restore in place cannot do with.
pub(crate) fn pair<'a>(
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
    let mut sources: HashMap<Place, &RingMember> = HashMap::new();
    for source in source_ring {
        sources.entry(Place::of(source)).or_insert(source);
    }
    let targets: HashSet<Place> = cluster.ring.iter().map(|&m| Place::of(m)).collect();
    let only_source: Vec<&RingMember> = source_ring
        .iter()
        .filter(|source| !targets.contains(&Place::of(source)))
        .collect();
    let only_target: Vec<&&RingMember> = cluster
        .ring
        .iter()
        .filter(|target| !sources.contains_key(&Place::of(target)))
        .collect();
    if !only_source.is_empty() || !only_target.is_empty() {
        if mode == RestoreMode::Online {
            return Vec::new();
        }
        let mut message = String::from("the target's ring is not that of the backup");
        if !only_source.is_empty() {
            let nodes = only_source.iter().map(|member| in_words(member));
            message += &format!(
                "; no target node has the place of the source's {}",
                wording::list(nodes)
            );
        }
        if !only_target.is_empty() {
            let nodes = only_target.iter().map(|member| in_words(member));
            message += &format!(
                "; no source node has the place of the target's {}",
                wording::list(nodes)
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
        let source = sources.get(&Place::of(&target.member)).copied()?;
        Some(Pair { target, source })
    };
    cluster
        .nodes
        .iter()
        .copied()
        .filter_map(source_of)
        .collect()
}

/// The place of a node, whatever its identity.
#[derive(PartialEq, Eq, Hash)]
struct Place<'a> {
    datacenter: &'a str,
    rack: &'a str,
    /// In the order of the ring.
    tokens: Vec<String>,
}

impl<'a> Place<'a> {
    fn of(member: &'a RingMember) -> Self {
        let mut tokens = member.tokens.clone();
        ring::sort_tokens(&mut tokens);
        Self {
            datacenter: &member.datacenter,
            rack: &member.rack,
            tokens,
        }
    }
}

fn in_words(member: &RingMember) -> String {
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
