//! Placements against those that Cassandra's own classes compute.

use std::collections::BTreeMap;

use cassandra_tokens::Partitioner;
use model::{HostId, RingMember};
use placement::{Placement, Replication, Ring};
use serde_json::Value;
use uuid::Uuid;

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn ring(nodes: &Value) -> Ring {
    let member = |(id, node): (u128, &Value)| RingMember {
        host_id: HostId(Uuid::from_u128(id)),
        address: text(&node["node"]),
        datacenter: text(&node["dc"]),
        rack: text(&node["rack"]),
        tokens: list(&node["tokens"]).iter().map(text).collect(),
    };
    let members: Vec<RingMember> = (1..).zip(list(nodes)).map(member).collect();
    Ring::new(&Partitioner::Murmur3, &members).expect("a ring")
}

fn replication(strategy: &Value) -> Replication {
    let options = strategy["options"].as_object().expect("options");
    let mut options: BTreeMap<String, String> = options
        .iter()
        .map(|(option, value)| (option.clone(), text(value)))
        .collect();
    options.insert("class".into(), text(&strategy["class"]));
    Replication::parse(&options).expect("a replication")
}

#[test]
fn replicas_are_those_that_cassandra_computes() {
    let name = "replicas_are_those_that_cassandra_computes";
    let Some(text_of_vectors) = shared_fixtures::text(name, "placement_vectors.json") else {
        return;
    };
    let vectors: Value = serde_json::from_str(&text_of_vectors).expect("vectors");
    let mut compared = 0;
    for vector in list(&vectors) {
        let ring = ring(&vector["nodes"]);
        let addresses: Vec<String> = list(&vector["nodes"])
            .iter()
            .map(|node| text(&node["node"]))
            .collect();
        for placed in list(&vector["placements"]) {
            let placement = Placement::of(&ring, &replication(&placed["strategy"]));
            let expected = list(&placed["ranges_ending_at"]);
            assert_eq!(placement.iter().count(), expected.len());
            for ((range, replicas), expected) in placement.iter().zip(expected) {
                let replicas: Vec<&str> = replicas.map(|at| addresses[at].as_str()).collect();
                let wanted: Vec<String> = list(&expected["replicas"]).iter().map(text).collect();
                assert_eq!(range.right.to_string(), text(&expected["t"]));
                assert_eq!(replicas, wanted, "{} {range:?}", placed["strategy"]);
                let by_token: Vec<&str> = placement
                    .replicas_of(&range.right)
                    .map(|at| addresses[at].as_str())
                    .collect();
                assert_eq!(by_token, wanted);
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared} ranges");
}
