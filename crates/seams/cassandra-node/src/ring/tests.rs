use serde_json::json;

use super::*;
use crate::testing::FakeCql;

fn row(value: serde_json::Value) -> Row {
    Row(value.as_object().unwrap().clone())
}

fn local_row() -> serde_json::Value {
    json!({
        "cluster_name": "c", "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "release_version": "5.0.5", "schema_version": "v1", "bootstrapped": "COMPLETED",
        "host_id": "00000000-0000-0000-0000-000000000002", "broadcast_address": "127.0.0.2",
        "data_center": "dc1", "rack": "r1", "tokens": ["10", "-5", "9"],
    })
}

#[tokio::test]
async fn the_ring_has_this_node_and_its_peers_but_no_ghosts() {
    let cql = FakeCql::new().answer(LOCAL, json!([local_row()])).answer(
        PEERS_V2,
        json!([
            { "peer": "127.0.0.3", "host_id": "00000000-0000-0000-0000-000000000001",
              "data_center": "dc1", "rack": "r2", "tokens": ["7"], "schema_version": "v2" },
            { "peer": "127.0.0.9", "host_id": null, "tokens": null },
        ]),
    );
    let found = identity(&cql, None).await.unwrap();
    assert_eq!(found.member.tokens, ["-5", "9", "10"]);
    let addresses: Vec<_> = found.ring.iter().map(|m| m.address.as_str()).collect();
    assert_eq!(addresses, ["127.0.0.3", "127.0.0.2"]);
    assert_eq!(found.schema_versions, ["v1", "v2"]);
    let dissenting: Vec<_> = found
        .dissenting
        .iter()
        .map(|m| m.version.as_str())
        .collect();
    assert_eq!(dissenting, ["v2"]);
}

#[test]
fn products_are_told_apart() {
    for (columns, expected) in [
        (json!({ "release_version": "4.1.9" }), "cassandra 4.1.9"),
        (
            json!({ "release_version": "4.0.0.6816", "dse_version": "6.8.50" }),
            "dse 6.8.50",
        ),
        (
            json!({ "release_version": "4.0.11-hcd-1.2.1" }),
            "hcd 1.2.1",
        ),
    ] {
        assert_eq!(seen_release(&row(columns)).unwrap().to_string(), expected);
    }
}

#[test]
fn a_node_is_what_the_setting_says_unless_it_shows_that_it_is_not() {
    let dse = json!({ "release_version": "4.0.0.6816", "dse_version": "6.8.50" });
    let of = |version: &str| json!({ "release_version": version });
    let (hcd_1, hcd_2) = ("4.0.11-2a99ee441fb7", "5.0.7.0-ea50e91ba01f");
    let (cassandra, hcd) = (Some(Product::Cassandra), Some(Product::Hcd));
    for (columns, said, expected, contradicts) in [
        (of(hcd_1), None, "cassandra 4.0.11-2a99ee441fb7", false),
        (of(hcd_1), hcd, "hcd 1.x-4.0.11-2a99ee441fb7", false),
        (of(hcd_2), hcd, "hcd 2.x-5.0.7.0-ea50e91ba01f", false),
        (of(hcd_1), cassandra, "cassandra 4.0.11", false),
        (of("4.0.11-hcd-1.2.1"), hcd, "hcd 1.2.1", false),
        (of("5.0-beta1"), cassandra, "cassandra 5.0-beta1", false),
        (dse.clone(), Some(Product::Dse), "dse 6.8.50", false),
        (dse.clone(), cassandra, "dse 6.8.50", true),
        (dse, hcd, "dse 6.8.50", true),
        (of("4.0.11-hcd-1.2.1"), cassandra, "hcd 1.2.1", true),
        (of("4.0.17"), Some(Product::Dse), "cassandra 4.0.17", true),
        (of("4.1.9"), hcd, "cassandra 4.1.9", true),
    ] {
        let (found, why) = release(&row(columns), said).unwrap();
        assert_eq!(found.to_string(), expected, "{said:?}");
        assert_eq!(!why.is_empty(), contradicts, "{expected}: {why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ring_that_does_not_agree_is_named_node_by_node() {
    for (version, named) in [
        (json!("v2"), "127.0.0.3 has v2"),
        (json!(null), "127.0.0.3 has none"),
    ] {
        let cql = FakeCql::new().answer(LOCAL, json!([local_row()])).answer(
            PEERS,
            json!([
                { "peer": "127.0.0.3", "host_id": "00000000-0000-0000-0000-000000000001",
                  "data_center": "dc1", "rack": "r2", "tokens": ["7"], "schema_version": version },
            ]),
        );
        let error = await_agreement(&cql, Duration::from_secs(3))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
