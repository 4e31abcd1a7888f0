use cassandra_versions::{Confidence, Product, Recognition, Release};
use model::{AgentRole, Grant, HostId};
use uuid::Uuid;

use super::*;

fn member(number: u128) -> RingMember {
    RingMember {
        host_id: HostId(Uuid::from_u128(number)),
        address: format!("10.0.0.{number}"),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: vec![number.to_string()],
    }
}

fn node(number: u128, ring: &Arc<Vec<RingMember>>) -> NodeDescription {
    NodeDescription {
        agent: format!("10.0.0.{number}:7401"),
        cluster_name: "shop".into(),
        release: Release::new(Product::Cassandra, "5.0.4").expect("a release"),
        member: member(number),
        ring: ring.clone(),
        partitioner: "Murmur3Partitioner".into(),
        schema_version: String::new(),
        schema_versions: Vec::new(),
        tables: Vec::new(),
        data_directories: Vec::new(),
        can_restart: false,
        readable_formats: Vec::new(),
        written_format: String::new(),
        storage_compatibility_mode: String::new(),
        features: NodeFeatures::default(),
        unhealthy: String::new(),
        setup: Default::default(),
        peers: Default::default(),
        recognition: Default::default(),
    }
}

#[test]
fn a_ring_that_nodes_share_travels_once_and_is_shared_again() {
    let whole = Arc::new(vec![member(1), member(2), member(3)]);
    let part = Arc::new(vec![member(2), member(3)]);
    let nodes = vec![node(1, &whole), node(2, &part), node(3, &whole)];
    let wire = nodes_to_one_request(nodes.clone());
    let members: Vec<usize> = wire.iter().map(|node| node.ring.len()).collect();
    assert_eq!(members, [3, 2, 0]);
    let read = nodes_of_one_request(wire).expect("nodes");
    assert_eq!(read, nodes);
    assert!(Arc::ptr_eq(&read[0].ring, &read[2].ring));
}

#[test]
fn what_a_node_is_set_to_and_what_it_knows_of_others_survive_the_wire() {
    let ring = Arc::new(vec![member(1), member(2)]);
    let mut told = node(1, &ring);
    told.setup.settings = [("auto_snapshot".to_owned(), "true".to_owned())].into();
    told.setup.role = Some(AgentRole {
        name: "rk".into(),
        superuser: Some(false),
        grants: Some(vec![Grant {
            resource: "<all keyspaces>".into(),
            permissions: vec!["CREATE".into(), "DROP".into()],
        }]),
        unreadable: vec!["system.built_views".into()],
    });
    told.recognition = Recognition {
        confidence: Confidence::Inferred,
        seen: vec!["view local_node".into()],
        contradictions: Vec::new(),
    };
    told.peers = PeerView {
        dissenting: vec![MemberVersion {
            host_id: member(2).host_id,
            version: "v2".into(),
        }],
        ghosts: vec![member(2).host_id],
    };
    let read = NodeDescription::try_from(pb::NodeDescription::from(told.clone()));
    assert_eq!(read, Ok(told));
    // An agent of before it was told.
    let mut old = pb::NodeDescription::from(node(1, &ring));
    old.setup = None;
    assert_eq!(NodeDescription::try_from(old), Ok(node(1, &ring)));
}
