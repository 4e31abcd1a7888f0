//! Replication fitted to a target.

use std::collections::BTreeMap;

use cassandra_schema::{Schema, TargetDatacenters, replication_for};
use proptest::collection::btree_map;
use proptest::prelude::*;

#[track_caller]
fn check(replication: &str, target: &TargetDatacenters, expected: &str, said: &[&str]) {
    let text = format!("CREATE KEYSPACE \"K\" WITH replication = {{{replication}}}");
    let (schema, problems) = Schema::parse_text(&text);
    assert_eq!(problems, []);
    let adjusted = replication_for(&schema.keyspaces[0], target);
    assert_eq!(
        adjusted.cql,
        format!("ALTER KEYSPACE \"K\" WITH replication = {{{expected}}}")
    );
    let found: Vec<String> = adjusted.changes.iter().map(ToString::to_string).collect();
    assert_eq!(found, said);
    assert_eq!(adjusted.changed, expected != replication);
    assert_eq!(schema.keyspaces[0] != adjusted.keyspace, adjusted.changed);
}

fn target(nodes: &[(&str, u32)], renamed: &[(&str, &str)]) -> TargetDatacenters {
    let nodes = nodes.iter().map(|(name, nodes)| (name.to_string(), *nodes));
    let renamed = renamed.iter().map(|(a, b)| (a.to_string(), b.to_string()));
    TargetDatacenters {
        nodes: nodes.collect(),
        renamed: renamed.collect::<BTreeMap<_, _>>(),
        has_everywhere: false,
    }
}

const NETWORK: &str = "'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc2': '2'";

#[test]
fn what_fits_is_kept() {
    check(
        NETWORK,
        &target(&[("dc1", 3), ("dc2", 5)], &[]),
        NETWORK,
        &[],
    );
    let simple = "'class': 'SimpleStrategy', 'replication_factor': '3'";
    check(simple, &target(&[("x", 2), ("y", 1)], &[]), simple, &[]);
}

#[test]
fn datacenters_are_renamed_merged_and_left() {
    check(
        NETWORK,
        &target(&[("east", 3), ("dc2", 3)], &[("dc1", "east")]),
        "'class': 'NetworkTopologyStrategy', 'dc2': '2', 'east': '3'",
        &["datacenter dc1 becomes east"],
    );
    check(
        NETWORK,
        &target(&[("dc2", 3)], &[]),
        "'class': 'NetworkTopologyStrategy', 'dc2': '2'",
        &["datacenter dc1 with 3 replicas is left out"],
    );
    check(
        NETWORK,
        &target(&[("x", 3)], &[("dc1", "x"), ("dc2", "x")]),
        "'class': 'NetworkTopologyStrategy', 'x': '3'",
        &[
            "datacenter dc1 becomes x",
            "datacenter dc2 becomes x",
            "several datacenters become x with 3 replicas",
        ],
    );
    check(
        NETWORK,
        &target(&[("x", 3)], &[]),
        "'class': 'NetworkTopologyStrategy'",
        &[
            "datacenter dc1 with 3 replicas is left out",
            "datacenter dc2 with 2 replicas is left out",
            "no datacenter of the target holds the keyspace",
        ],
    );
}

#[test]
fn datacenters_that_swap_their_names_keep_their_replicas() {
    check(
        NETWORK,
        &target(&[("dc1", 5), ("dc2", 5)], &[("dc1", "dc2"), ("dc2", "dc1")]),
        "'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '3'",
        &["datacenter dc1 becomes dc2", "datacenter dc2 becomes dc1"],
    );
}

#[test]
fn more_replicas_than_nodes_are_kept_and_said() {
    check(
        NETWORK,
        &target(&[("dc1", 1), ("dc2", 2)], &[]),
        NETWORK,
        &["3 replicas are wanted, and dc1 has 1 nodes"],
    );
    let simple = "'class': 'SimpleStrategy', 'replication_factor': '3'";
    check(
        simple,
        &target(&[("x", 1)], &[]),
        simple,
        &["3 replicas are wanted, and the cluster has 1 nodes"],
    );
}

#[test]
fn everywhere_becomes_a_replica_on_each_node_where_it_is_not_known() {
    let everywhere = "'class': 'org.apache.cassandra.locator.EverywhereStrategy'";
    let mut ring = target(&[("dc1", 3), ("dc2", 1)], &[]);
    check(
        everywhere,
        &ring,
        "'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc2': '1'",
        &["every node keeps a replica, counted as of now"],
    );
    ring.has_everywhere = true;
    check(everywhere, &ring, everywhere, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_datacenters_of_the_target_are_named_and_no_number_is_new(
        source in btree_map("[ab]{1,2}", 1..9_u32, 0..4),
        nodes in btree_map("[ab]{1,2}", 1..9_u32, 0..4),
        renamed in btree_map("[ab]{1,2}", "[ab]{1,2}", 0..4),
    ) {
        let entries: Vec<String> = source.iter().map(|(name, n)| format!(", '{name}': {n}")).collect();
        let text = format!(
            "CREATE KEYSPACE k WITH replication = {{'class': 'NetworkTopologyStrategy'{}}}",
            entries.concat()
        );
        let (schema, _) = Schema::parse_text(&text);
        let ring = TargetDatacenters { nodes, renamed, has_everywhere: false };
        let adjusted = replication_for(&schema.keyspaces[0], &ring);
        for (name, replicas) in adjusted.keyspace.replication.iter().filter(|(name, _)| *name != "class") {
            prop_assert!(ring.nodes.contains_key(name));
            prop_assert!(source.values().any(|n| n.to_string() == *replicas));
        }
        // A second time it fits already, unless names are exchanged again.
        let settled = TargetDatacenters { renamed: BTreeMap::new(), ..ring };
        prop_assert!(!replication_for(&adjusted.keyspace, &settled).changed);
    }
}
