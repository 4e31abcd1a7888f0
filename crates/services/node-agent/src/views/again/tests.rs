use std::time::Duration;

use serde_json::json;

use super::*;
use crate::testing::FakeNode;

fn view() -> TableRef {
    TableRef::new("Shop", "it's")
}

fn mark(replicated: serde_json::Value) -> serde_json::Value {
    let mut mark = json!({ "keyspace_name": "Shop", "view_name": "it's" });
    if !replicated.is_null() {
        mark["status_replicated"] = replicated;
    }
    let other = json!({ "keyspace_name": "ks", "view_name": "v", "status_replicated": false });
    json!([mark, other])
}

const OF_VIEW: &str = "WHERE keyspace_name = 'Shop' AND view_name = 'it''s'";

fn deletions() -> Vec<String> {
    let tables = ["views_builds_in_progress", "view_builds_in_progress"];
    let all = tables.into_iter().chain(["built_views"]);
    all.map(|table| format!("DELETE FROM system.{table} {OF_VIEW}"))
        .collect()
}

fn executed(node: &FakeNode) -> Vec<String> {
    node.cql.executed.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn marks_are_deleted_once_cassandra_has_written_them_for_the_last_time() {
    let node = FakeNode::new(1, "4.1.9");
    node.cql.set(MARKS, mark(json!(false)));
    let views = [view()];
    let replicated = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(executed(&node), Vec::<String>::new());
        node.cql.set(MARKS, mark(json!(true)));
    };
    let (forgotten, ()) = tokio::join!(forget_built(&node.agent, &views), replicated);
    assert!(forgotten.unwrap());
    assert_eq!(executed(&node), deletions());
}

#[tokio::test(start_paused = true)]
async fn marks_that_stay_unreplicated_or_have_no_such_column_are_deleted_all_the_same() {
    for replicated in [json!(false), json!(null)] {
        let node = FakeNode::new(1, "3.0.30");
        node.cql.set(MARKS, mark(replicated));
        assert!(forget_built(&node.agent, &[view()]).await.unwrap());
        assert_eq!(executed(&node), deletions());
    }
}

#[tokio::test]
async fn a_refusal_is_reported_only_for_the_marks_themselves() {
    for (table, forgotten) in [
        ("view_builds_in_progress", true),
        ("views_builds_in_progress", true),
        ("built_views", false),
    ] {
        let node = FakeNode::new(1, "4.1.9");
        let refused = format!("DELETE FROM system.{table} {OF_VIEW}");
        *node.cql.refuses.lock().unwrap() = Some(refused);
        let found = forget_built(&node.agent, &[view()]).await.unwrap();
        assert_eq!(found, forgotten, "{table}");
    }
}

/// Else no one would build again what was forgotten.
#[tokio::test]
async fn a_refusal_after_a_view_is_forgotten_is_an_error() {
    let node = FakeNode::new(1, "4.1.9");
    let refused = format!("DELETE FROM system.built_views {OF_VIEW}");
    *node.cql.refuses.lock().unwrap() = Some(refused);
    let views = [TableRef::new("ks", "v"), view()];
    forget_built(&node.agent, &views).await.unwrap_err();
}

#[tokio::test]
async fn a_node_that_is_down_is_an_error() {
    let node = FakeNode::new(1, "4.1.9");
    let is_down = &node.cql.is_down;
    is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    forget_built(&node.agent, &[view()]).await.unwrap_err();
}

#[tokio::test]
async fn each_view_is_changed_and_ends_with_its_own_comment() {
    for comment in ["it's old", "it's old (being built again)"] {
        let node = FakeNode::new(1, "4.1.9");
        let set = |of: &str, comment| {
            let statement = format!("SELECT comment FROM system_schema.views {of}");
            node.cql.set(&statement, json!([{ "comment": comment }]));
        };
        set(OF_VIEW, json!(comment));
        set(
            "WHERE keyspace_name = 'ks' AND view_name = 'b'",
            json!(null),
        );
        let views = [view(), TableRef::new("ks", "b")];
        rebuild(&node.agent, &views).await.unwrap();
        let expected = [
            "\"Shop\".\"it's\" WITH comment = 'it''s old (being built again)'",
            "\"Shop\".\"it's\" WITH comment = 'it''s old'",
            "ks.b WITH comment = ' (being built again)'",
            "ks.b WITH comment = ''",
        ];
        let expected = expected.map(|of| format!("ALTER MATERIALIZED VIEW {of}"));
        assert_eq!(executed(&node), expected);
    }
}

#[tokio::test]
async fn a_view_that_is_not_there_is_not_changed() {
    let node = FakeNode::new(1, "4.1.9");
    let error = rebuild(&node.agent, &[view()]).await.unwrap_err();
    assert_eq!(error.to_string(), "the node has no view `Shop.it's`");
    assert_eq!(executed(&node), Vec::<String>::new());
}
