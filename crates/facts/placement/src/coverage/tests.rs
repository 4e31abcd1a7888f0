use std::collections::BTreeMap;

use cassandra_tokens::{Partitioner, Token, TokenRange};
use model::RingMember;
use uuid::Uuid;

use super::*;

/// Four nodes a datacenter, a quarter of the ring apart; those of the second datacenter are just behind.
fn ring() -> Ring {
    let member = |id: i64| {
        let quarter = i64::MIN.wrapping_add((id % 4).wrapping_mul(1 << 62));
        RingMember {
            host_id: host_id(id),
            address: String::new(),
            datacenter: format!("dc{}", id / 4),
            rack: "r1".into(),
            tokens: vec![(quarter + id / 4).to_string()],
        }
    };
    let members: Vec<RingMember> = (0..8).map(member).collect();
    Ring::new(&Partitioner::Murmur3, &members).expect("a ring")
}

fn host_id(id: i64) -> HostId {
    HostId(Uuid::from_u128(id as u128 + 1))
}

fn without(missing: &[i64]) -> Coverage {
    let replication = Replication::NetworkTopology {
        datacenters: BTreeMap::from([("dc0".into(), 3), ("dc1".into(), 2)]),
    };
    let available = (0..8)
        .filter(|id| !missing.contains(id))
        .map(host_id)
        .collect();
    coverage(&ring(), &replication, &available)
}

fn rounded(shares: &[f64]) -> Vec<u32> {
    shares
        .iter()
        .map(|share| (share * 100.0).round() as u32)
        .collect()
}

#[test]
fn with_all_nodes_all_replicas_are_available() {
    let coverage = without(&[]);
    assert!(coverage.is_complete() && coverage.keeps_quorum_writes());
    let rows: Vec<_> = coverage
        .groups
        .iter()
        .map(|group| (group.datacenter.as_deref(), group.replicas))
        .collect();
    assert_eq!(rows, [(Some("dc0"), 3), (Some("dc1"), 2)]);
    assert_eq!(
        rounded(&coverage.groups[0].share_by_available),
        [0, 0, 0, 100]
    );
}

#[test]
fn a_missing_node_is_missed_in_the_ranges_of_its_replicas() {
    let coverage = without(&[0, 4]);
    assert!(!coverage.is_complete() && coverage.keeps_quorum_writes());
    let [first, second] = coverage.groups.as_slice() else {
        panic!("{coverage:?}");
    };
    assert_eq!(rounded(&first.share_by_available), [0, 0, 75, 25]);
    assert!(first.below_quorum.is_empty());
    // Both of two are a quorum, but a write that both had is on the other.
    assert_eq!(rounded(&second.share_by_available), [0, 50, 50]);
    assert!(!second.below_quorum.is_empty());
    assert!(second.lossy.is_empty() && second.missing.is_empty());
}

#[test]
fn ranges_with_too_few_replicas_are_reported() {
    let coverage = without(&[0, 1, 2]);
    let group = &coverage.groups[0];
    assert_eq!(rounded(&group.share_by_available), [25, 75, 0, 0]);
    assert!(!coverage.keeps_quorum_writes());
    assert!(group.below_quorum.is_whole_ring() && group.lossy.is_whole_ring());
    let range = TokenRange::new(Token::Murmur3(1 << 62), Token::Murmur3(i64::MIN));
    assert_eq!(group.missing, TokenRanges::new([range]));
}

#[test]
fn the_whole_ring_is_one_group_if_replication_is_not_by_datacenter() {
    let all = (0..8).map(host_id).collect();
    for (replication, expected) in [
        (Replication::Simple { replicas: 3 }, vec![(None, 3)]),
        (Replication::Everywhere, vec![(None, 8)]),
        (Replication::Local, vec![]),
    ] {
        let coverage = coverage(&ring(), &replication, &all);
        let rows: Vec<_> = coverage
            .groups
            .iter()
            .map(|group| (group.datacenter.clone(), group.replicas))
            .collect();
        assert_eq!(rows, expected);
    }
}
