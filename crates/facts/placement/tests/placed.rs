//! Hand-written rings: which nodes hold what, and what is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::{Partitioner, Token};
use model::{HostId, RingMember};
use placement::{
    DatacenterMap, Mapping, MappingError, Placement, Replication, Ring, RingError, Source, Target,
};
use uuid::Uuid;

/// `"a dc1 r1 0 30"`: name, datacenter, rack, tokens. The name's letter is the host id.
fn members(lines: &[&str]) -> Vec<RingMember> {
    let member = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        RingMember {
            host_id: host_id(words[0]),
            address: words[0].into(),
            datacenter: words[1].into(),
            rack: words[2].into(),
            tokens: words[3..].iter().map(|token| (*token).into()).collect(),
        }
    };
    lines.iter().map(member).collect()
}

fn host_id(name: &str) -> HostId {
    HostId(Uuid::from_u128(u128::from(name.as_bytes()[0])))
}

fn ring(lines: &[&str]) -> Ring {
    Ring::new(&Partitioner::Murmur3, &members(lines)).expect("a ring")
}

/// `"dc1=3 dc2=1"`, or a number for SimpleStrategy.
fn replication(text: &str) -> Replication {
    if let Ok(replicas) = text.parse() {
        return Replication::Simple { replicas };
    }
    let pair = |pair: &str| {
        let (name, replicas) = pair.split_once('=').expect("dc=n");
        (name.to_owned(), replicas.parse().expect("a number"))
    };
    Replication::NetworkTopology {
        datacenters: text.split_whitespace().map(pair).collect(),
    }
}

/// `"0:abc"`: the range that ends at 0 is on a, b and c, in this order.
#[track_caller]
fn check(lines: &[&str], strategy: &str, expected: &str) {
    let ring = ring(lines);
    let names = members(lines);
    let placement = Placement::of(&ring, &replication(strategy));
    let found: Vec<String> = placement
        .iter()
        .map(|(range, replicas)| {
            let replicas: String = replicas.map(|at| names[at].address.as_str()).collect();
            format!("{}:{replicas}", range.right)
        })
        .collect();
    assert_eq!(found.join(" "), expected, "{strategy}");
}

#[test]
fn replicas_go_to_new_racks_as_long_as_there_are_any() {
    let three_racks = ["a dc1 r1 0", "b dc1 r1 10", "c dc1 r2 20", "d dc1 r3 30"];
    check(&three_racks, "dc1=3", "0:acd 10:bcd 20:cda 30:dac");
    check(&three_racks, "dc1=2", "0:ac 10:bc 20:cd 30:da");
    check(&three_racks, "dc1=1", "0:a 10:b 20:c 30:d");
}

#[test]
fn with_fewer_racks_than_replicas_the_first_nodes_of_a_rack_repeat() {
    let two_racks = ["a dc1 r1 0", "b dc1 r1 10", "c dc1 r1 20", "d dc1 r2 30"];
    check(&two_racks, "dc1=3", "0:abd 10:bcd 20:cda 30:dab");
    let one_rack = ["a dc1 r1 0", "b dc1 r1 10", "c dc1 r1 20"];
    check(&one_rack, "dc1=2", "0:ab 10:bc 20:ca");
}

#[test]
fn more_replicas_than_nodes_are_as_many_as_nodes() {
    let two = ["a dc1 r1 0", "b dc1 r2 10"];
    check(&two, "dc1=5", "0:ab 10:ba");
    check(&two, "5", "0:ab 10:ba");
}

#[test]
fn a_node_with_several_tokens_is_one_replica() {
    let vnodes = ["a dc1 r1 0 10", "b dc1 r2 20 50", "c dc1 r1 30 40"];
    check(&vnodes, "dc1=2", "0:ab 10:ab 20:bc 30:cb 40:cb 50:ba");
    check(&vnodes, "2", "0:ab 10:ab 20:bc 30:cb 40:cb 50:ba");
}

#[test]
fn datacenters_are_placed_separately_in_the_order_of_one_walk() {
    let two = ["a dc1 r1 0", "b dc2 r1 1", "c dc1 r2 10", "d dc2 r1 11"];
    check(&two, "dc1=2 dc2=1", "0:abc 1:bca 10:cda 11:dac");
    check(&two, "dc2=2", "0:bd 1:bd 10:db 11:db");
    check(&two, "3", "0:abc 1:bcd 10:cda 11:dab");
    check(&two, "dc1=1 dc9=3", "0:a 1:c 10:c 11:a");
}

#[test]
fn members_without_tokens_hold_nothing() {
    let idle = ["a dc1 r1 0", "z dc1 r2", "b dc1 r3 10"];
    check(&idle, "dc1=3", "0:ab 10:ba");
    let ring = ring(&idle);
    let placement = Placement::of(&ring, &Replication::Everywhere);
    assert_eq!(placement.ranges_of(1).count(), 0);
    assert_eq!(placement.ranges_of(0).count(), 2);
    let replicas: Vec<usize> = placement.replicas_of(&Token::Murmur3(5)).collect();
    assert_eq!(replicas, [0, 2]);
    assert_eq!(placement.replicas_of(&Token::Random(None)).count(), 0);
}

#[test]
fn members_that_make_no_ring_are_refused_by_name() {
    for (partitioner, lines, expected) in [
        (
            Partitioner::ByteOrdered,
            &["a dc1 r1 00"][..],
            "where ByteOrderedPartitioner places replicas is not understood",
        ),
        (
            Partitioner::Murmur3,
            &["a dc1 r1 7x"][..],
            "node 00000000-0000-0000-0000-000000000061 has a token that is none",
        ),
        (
            Partitioner::Random,
            &["a dc1 r1 7", "b dc1 r1 9 7"][..],
            "token 7 is owned by two nodes, 00000000-0000-0000-0000-000000000061 and 00000000-0000-0000-0000-000000000062",
        ),
        (
            Partitioner::Murmur3,
            &["a dc1 r1 7", "a dc1 r1 9"][..],
            "node 00000000-0000-0000-0000-000000000061 is in the ring twice",
        ),
    ] {
        let error: RingError = Ring::new(&partitioner, &members(lines)).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

fn mapped(
    (source, from): (&Ring, &Replication),
    (target, to): (&Ring, &Replication),
    feeds: &[(&str, &str)],
) -> Result<Mapping, MappingError> {
    let available: BTreeSet<HostId> = (0..source.len()).map(|at| source.host_id(at)).collect();
    placement::map(
        &Source {
            ring: source,
            replication: from,
            available: &available,
            stored_bytes: &BTreeMap::new(),
        },
        &Target {
            ring: target,
            replication: to,
        },
        &DatacenterMap::new(feeds.iter().copied()),
    )
}

#[test]
fn what_cannot_be_mapped_is_refused_by_name() {
    let (one, two) = (ring(&["a dc1 r1 0"]), ring(&["a dc1 r1 0", "b dc2 r1 10"]));
    let random = Ring::new(&Partitioner::Random, &members(&["a dc1 r1 0"])).expect("a ring");
    let (dc1, both) = (replication("dc1=1"), replication("dc1=1 dc2=1"));
    for (source, target, feeds, expected) in [
        (
            (&one, &dc1),
            (&random, &dc1),
            &[][..],
            "the source has Murmur3Partitioner, the target RandomPartitioner: a key has another token there",
        ),
        (
            (&one, &Replication::Local),
            (&one, &dc1),
            &[],
            "the source replicates by LocalStrategy: what is local to a node has no place on another",
        ),
        (
            (&one, &dc1),
            (&one, &replication("dc9=1")),
            &[],
            "no node of the target holds a replica",
        ),
        (
            (&one, &dc1),
            (&two, &both),
            &[("dc1", "dc1")],
            "no datacenter of the source that holds replicas feeds the target's datacenter `dc2`",
        ),
        (
            (&one, &dc1),
            (&one, &dc1),
            &[("dc1", "dc1"), ("dc1", "dc3")],
            "the target has no datacenter `dc3`",
        ),
    ] {
        let error = mapped(source, target, feeds).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn one_datacenter_may_feed_two_and_racks_find_each_other_by_name_or_order() {
    let source = ring(&["a dc1 r1 0", "b dc1 r2 10"]);
    let target = ring(&["c x r2 5", "d x r1 15", "e y s2 7", "f y s1 17"]);
    let mapping = mapped(
        (&source, &replication("dc1=2")),
        (&target, &replication("x=2 y=2")),
        &[("dc1", "x"), ("dc1", "y")],
    )
    .expect("a mapping");
    let sources = mapping.iter().map(|(_, shares)| match shares {
        [only] if only.ranges.is_whole_ring() => Some(only.source),
        _ => None,
    });
    let sources: Vec<Option<usize>> = sources.collect();
    assert_eq!(sources, [Some(1), Some(0), Some(1), Some(0)]);
    // Each source gives to two.
    assert_eq!(mapping.one_to_one(), None);
    assert_eq!(mapping.targets_of(0).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn the_source_that_stores_less_gives_twice() {
    let source = ring(&["a dc1 r1 0", "b dc1 r2 10"]);
    let target = ring(&["c dc1 x 0", "d dc1 y 10", "e dc1 z 20"]);
    let (from, to) = (replication("dc1=2"), replication("dc1=3"));
    let available = BTreeSet::from([host_id("a"), host_id("b")]);
    for (bytes, expected) in [([1000, 1], 1), ([1, 1000], 0)] {
        let stored_bytes = [host_id("a"), host_id("b")]
            .into_iter()
            .zip(bytes)
            .collect();
        let (source_ring, target_ring) = (&source, &target);
        let mapping = placement::map(
            &Source {
                ring: source_ring,
                replication: &from,
                available: &available,
                stored_bytes: &stored_bytes,
            },
            &Target {
                ring: target_ring,
                replication: &to,
            },
            &DatacenterMap::same_names(source_ring, target_ring),
        )
        .expect("a mapping");
        assert_eq!(mapping.targets_of(expected).count(), 2, "{bytes:?}");
    }
}
