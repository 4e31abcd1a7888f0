//! Of the target's nodes, its ring and its replication.

use cassandra_versions::Confidence;
use plan::{RequestedMode, RestoreOptions, RestoreRequest, UnreachableAgent};

use super::{Case, said};
use crate::world::*;

type Change = fn(&mut RestoreRequest);

/// The same shop on both sides, with one change.
fn with(change: Change) -> RestoreRequest {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    change(&mut request);
    request
}

/// The target's side is changed, and nothing is on it.
fn into(change: fn(&mut Side)) -> RestoreRequest {
    let (source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut target = empty("cassandra 4.1.9");
    change(&mut target);
    request(&source, &target)
}

fn live_replication(mode: RequestedMode) -> RestoreRequest {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.replicate("shop", "{'class': 'NetworkTopologyStrategy', 'dc1': '1'}");
    RestoreRequest {
        options: RestoreOptions {
            mode,
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    }
}

fn unknown_strategy() -> RestoreRequest {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let strategy = "{'class': 'com.example.MoonPhaseStrategy'}";
    source.replicate("shop", strategy);
    target.replicate("shop", strategy).ring[0].tokens = vec!["77".into()];
    request(&source, &target)
}

/// A member that a node has in its tables, and that gossip does not know.
fn haunted() -> RestoreRequest {
    with(|request| {
        let mut ghost = request.nodes[0].member.clone();
        ghost.host_id = "00000000-0000-0000-0000-000000000099"
            .parse()
            .expect("an id");
        let node = &mut request.nodes[0];
        node.peers.ghosts = vec![ghost.host_id];
        let ring = node
            .ring
            .iter()
            .chain([&ghost])
            .cloned()
            .collect::<Vec<_>>();
        node.ring = ring.into();
    })
}

fn two_datacenters() -> RestoreRequest {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .members(&[("dc1", "r1", &[-30]), ("dc2", "r1", &[30])])
        .replicate(
            "shop",
            "{'class': 'NetworkTopologyStrategy', 'dc1': '1', 'dc2': '1'}",
        );
    let mut request = request(&source, &target);
    request
        .options
        .datacenters
        .insert("dc1".into(), "dc1".into());
    request
}

fn encrypted_into_another_ring() -> RestoreRequest {
    let mut source = Side::new("dse 6.8.50", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table("shop.cards", 1, "id int PRIMARY KEY, c text")
        .holds("shop.cards", vec![encrypted("bb-1-bti", "shop_key")]);
    let mut target = empty("dse 6.8.50");
    target.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[-20]),
        ("dc1", "r3", &[20]),
        ("dc1", "r1", &[60]),
    ]);
    request(&source, &target)
}

pub fn cases() -> Vec<Case> {
    let in_place = |request| RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..request
    };
    let one_changed: [(&'static str, Change); 12] = [
        ("PRODUCT_CONTRADICTED", |request| {
            request.nodes[0].recognition.confidence = Confidence::Contradicted;
        }),
        ("PRODUCT_UNKNOWN", |request| {
            request.nodes[0].release = release("cassandra 4.1.9-2a99ee441fb7");
        }),
        ("AGENT_UNREACHABLE", |request| {
            request.unreachable.push(UnreachableAgent {
                agent: "10.1.0.9:7401".into(),
                reason: "connection refused".into(),
            });
        }),
        ("NODE_UNHEALTHY", |request| {
            request.nodes[0].unhealthy = "CQL does not reply".into();
        }),
        ("SCHEMA_DISAGREEMENT", |request| {
            request.nodes[0].schema_versions.push("another".into());
        }),
        ("RING_DISAGREEMENT", |request| {
            std::sync::Arc::make_mut(&mut request.nodes[0].ring)[1].rack = "moved".into();
        }),
        ("RING_MEMBER_WITHOUT_AGENT", |request| {
            request.nodes.pop();
        }),
        ("AGENT_OF_ANOTHER_CLUSTER", |request| {
            request.nodes[0].cluster_name = "Another".into();
        }),
        ("DUPLICATE_AGENT", |request| {
            let twice = request.nodes[0].clone();
            request.nodes.push(twice);
        }),
        ("DISK_SPACE", |request| {
            request.nodes[0].data_directories[0].free_bytes = 1;
        }),
        ("IN_PLACE_POSSIBLE", |_| {}),
        ("RING_NOT_UNDERSTOOD", |request| {
            request.backup.partitioner = "ByteOrderedPartitioner".into();
            request.backup.ring[0].tokens = vec!["77".into()];
        }),
    ];
    let changed = one_changed.map(|(code, change)| (code, said(&with(change))));
    let others = vec![
        (
            "TOPOLOGY_DIFFERS",
            said(&in_place(into(|side| {
                side.ring[0].tokens = vec!["77".into()]
            }))),
        ),
        (
            "MODE_UNAVAILABLE",
            said(&in_place(with(|request| {
                request.nodes[0].can_restart = false
            }))),
        ),
        (
            "DATACENTER_UNMAPPED",
            said(&into(|side| {
                side.ring
                    .iter_mut()
                    .for_each(|it| it.datacenter = "lab".into())
            })),
        ),
        ("DATACENTER_LEFT_OUT", said(&two_datacenters())),
        (
            "REPLICATION_ADJUSTED",
            said(&into(|side| {
                side.ring.pop();
            })),
        ),
        ("REPLICATION_NOT_UNDERSTOOD", said(&unknown_strategy())),
        (
            "KEYSPACE_REPLICATION_MISMATCH",
            said(&live_replication(RequestedMode::Auto)),
        ),
        (
            "KEYSPACE_REPLICATION_MISMATCH",
            said(&live_replication(RequestedMode::InPlace)),
        ),
        ("GHOST_MEMBER", said(&haunted())),
        ("FOREIGN_PARTITIONS", said(&super::super::own::astray())),
        ("CLEANUP_ADVISED", said(&super::super::own::uncut())),
        (
            "SSTABLE_NOT_SLICEABLE",
            said(&encrypted_into_another_ring()),
        ),
    ];
    changed.into_iter().chain(others).collect()
}
