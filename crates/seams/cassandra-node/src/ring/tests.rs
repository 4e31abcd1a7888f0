use cassandra_versions::Product;
use serde_json::json;

use super::*;
use crate::testing::FakeCql;

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
    let found = identity(&cql, None, BTreeSet::new()).await.unwrap();
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

/// How a node is recognised that shows no more than the columns of system.local, which are changed.
async fn recognised_from(columns: serde_json::Value, stated: Option<&Stated>) -> String {
    let mut local = local_row();
    let changed = columns.as_object().unwrap().clone();
    local.as_object_mut().unwrap().extend(changed);
    let cql = FakeCql::new().answer(LOCAL, json!([local]));
    let found = identity(&cql, stated, BTreeSet::new()).await.unwrap();
    format!("{} {}", found.recognition.confidence, found.release)
}

#[tokio::test]
async fn products_are_told_apart_by_the_columns_of_system_local() {
    for (columns, expected) in [
        (
            json!({ "release_version": "4.1.9" }),
            "reported cassandra 4.1.9",
        ),
        (
            json!({ "release_version": "4.0.0.6816", "dse_version": "6.8.50" }),
            "reported dse 6.8.50",
        ),
        (
            json!({ "release_version": "4.0.11-hcd-1.2.1" }),
            "reported hcd 1.2.1",
        ),
        (
            json!({ "release_version": "4.0.11-2a99ee441fb7" }),
            "unknown_build cassandra 4.0.11-2a99ee441fb7",
        ),
    ] {
        assert_eq!(recognised_from(columns, None).await, expected);
    }
}

#[tokio::test]
async fn what_the_settings_state_counts() {
    let hcd = Stated::new(Product::Hcd, Some("1.2.3")).unwrap();
    let version = json!({ "release_version": "4.0.11-2a99ee441fb7" });
    assert_eq!(
        recognised_from(version, Some(&hcd)).await,
        "stated hcd 1.2.3"
    );
}

#[tokio::test]
async fn what_may_not_be_read_is_no_sign_and_no_failure() {
    let cql = FakeCql::new().answer(LOCAL, json!([local_row()]));
    *cql.refuses.lock().unwrap() = Some(crate::settings::SETTINGS.to_owned());
    let found = identity(&cql, None, BTreeSet::new()).await.unwrap();
    assert_eq!(found.recognition.seen, ["release_version 5.0.5"]);
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
