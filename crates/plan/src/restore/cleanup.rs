//! SSTables that cannot be cut to the ranges of a node, because nobody but Cassandra can read them.

use std::collections::BTreeSet;

use cassandra_formats::token::TokenRanges;
use model::manifest::{NodeSstables, TableSstables};

use super::moves::{Group, Moves};
use super::rings::Rings;
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, text};

/// Says where encrypted SSTables leave rows on nodes that do not own them.
pub(super) fn check(
    sstables: &[NodeSstables],
    moves: &Moves,
    rings: Option<&Rings>,
    cluster: &Cluster,
    wanted: impl Fn(&str, &str) -> bool,
    findings: &mut Findings,
) {
    let (Moves::ByRange(groups), Some(rings)) = (moves, rings) else {
        return;
    };
    let mut tables: BTreeSet<String> = BTreeSet::new();
    let mut keyspaces: BTreeSet<&str> = BTreeSet::new();
    let mut nodes: BTreeSet<usize> = BTreeSet::new();
    for group in groups {
        let is_encrypted = |table: &&TableSstables| {
            let (keyspace, name) = (&table.table.keyspace, &table.table.table);
            let mut facts = table.sstables.iter();
            group.keyspaces.contains(keyspace)
                && wanted(keyspace, name)
                && facts.any(|facts| facts.encryption.is_some())
        };
        // A cluster may have many nodes and ranges, and encrypted tables are rare.
        let mut partial: Option<BTreeSet<usize>> = None;
        for node in sstables {
            let encrypted: Vec<&TableSstables> = node.tables.iter().filter(is_encrypted).collect();
            let Some(source) = rings.source.index_of(node.host_id) else {
                continue;
            };
            if encrypted.is_empty() {
                continue;
            }
            let partial = partial.get_or_insert_with(|| holding_a_part(group, rings));
            let takers: Vec<usize> = partial
                .iter()
                .copied()
                .filter(|target| {
                    group
                        .mapping
                        .shares_of(*target)
                        .iter()
                        .any(|it| it.source == source)
                })
                .collect();
            if !takers.is_empty() {
                tables.extend(encrypted.iter().map(|table| table.table.to_string()));
                keyspaces.extend(encrypted.iter().map(|table| table.table.keyspace.as_str()));
                nodes.extend(takers);
            }
        }
    }
    if nodes.is_empty() {
        return;
    }
    let is_named = |at: Option<usize>| at.is_some_and(|at| nodes.contains(&at));
    let named = cluster
        .nodes
        .iter()
        .filter(|node| is_named(rings.target.index_of(node.member.host_id)));
    let nodes = text::list(named.map(|node| &node.member.address));
    let tables = text::list(tables);
    let keyspaces: Vec<&str> = keyspaces.into_iter().collect();
    findings.say(
        codes::CLEANUP_REQUIRED,
        &tables,
        format!("encrypted SSTables of {tables} cannot be cut, and are loaded whole: {nodes} then hold rows that are not their own"),
        keyspaces
            .iter()
            .map(|keyspace| format!("`nodetool cleanup {keyspace}` on {nodes}"))
            .collect::<Vec<_>>()
            .join(", "),
    );
}

/// The target nodes that do not hold all of the ring themselves.
fn holding_a_part(group: &Group, rings: &Rings) -> BTreeSet<usize> {
    let holds_a_part = |target: &usize| {
        let shares = group.mapping.shares_of(*target).iter();
        let all = shares.flat_map(|share| share.ranges.iter().cloned());
        !TokenRanges::new(all).is_whole_ring()
    };
    (0..rings.target.len()).filter(holds_a_part).collect()
}
