use serde_json::json;

use super::sent::BATCHES;
use super::*;
use crate::testing::FakeNode;

const VIEWS: &str =
    "SELECT keyspace_name, view_name, id, base_table_name, compaction FROM system_schema.views";

#[tokio::test(start_paused = true)]
async fn a_view_is_waited_for_until_this_node_has_built_it() {
    let node = FakeNode::new(1, "4.1.9");
    let id = FakeNode::table_id(7).to_string();
    node.cql.set(
        VIEWS,
        json!([{ "keyspace_name": "ks", "view_name": "v", "id": id, "base_table_name": "t" }]),
    );
    let (work, progress, _stop) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let built = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(
            (
                progress.borrow().items_done,
                progress.borrow().note.as_str()
            ),
            (0, "ks.v")
        );
        node.cql.set(
            BUILT_VIEWS,
            json!([{ "keyspace_name": "ks", "view_name": "v" }]),
        );
    };
    let (waited, ()) = tokio::join!(await_views(&node.agent, &views, &work), built);
    waited.unwrap();
    assert_eq!(progress.borrow().items_done, 1);
}

#[tokio::test]
async fn a_view_that_is_not_there_is_not_waited_for() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["t"]);
    let (work, ..) = Work::new();
    let error = await_views(&node.agent, &[TableRef::new("ks", "t")], &work)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the node has no view `ks.t`");
}

#[tokio::test(start_paused = true)]
async fn a_build_that_takes_long_shows_how_far_cassandra_is() {
    let node = FakeNode::new(1, "4.1.9");
    let id = FakeNode::table_id(7).to_string();
    node.cql.set(
        VIEWS,
        json!([{ "keyspace_name": "ks", "view_name": "v", "id": id, "base_table_name": "t" }]),
    );
    let (work, progress, stop) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let building = |done| {
        vec![cassandra_node::control::Operation {
            kind: "View build".into(),
            table: TableRef::new("ks", "t"),
            done,
            total: 40,
            unit: "keys".into(),
        }]
    };
    let seen = async {
        let mut seen = Vec::new();
        for done in [1, 2] {
            node.control.is_at(Some(building(done)));
            tokio::time::sleep(Duration::from_secs(90)).await;
            seen.push(progress.borrow().note.clone());
        }
        stop.cancel();
        seen
    };
    let (_, seen) = tokio::join!(await_views(&node.agent, &views, &work), seen);
    let expected =
        [1, 2].map(|done| format!("ks.v; Cassandra is at ks.t: View build, {done} of 40 keys"));
    assert_eq!(seen, expected);
}

/// A node with one view, which is built.
fn with_built_view() -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    let id = FakeNode::table_id(7).to_string();
    node.cql.set(
        VIEWS,
        json!([{ "keyspace_name": "ks", "view_name": "v", "id": id, "base_table_name": "t" }]),
    );
    node.cql.set(
        BUILT_VIEWS,
        json!([{ "keyspace_name": "ks", "view_name": "v" }]),
    );
    node
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_on_their_way_are_waited_for_and_batches_of_clients_are_not() {
    let node = with_built_view();
    node.cql
        .set(BATCHES, json!([{ "id": "view-1" }, { "id": "view-2" }]));
    let (work, progress, _stop) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let sent = async {
        for (left, note) in [
            (json!([{ "id": "view-2" }, { "id": "client-1" }]), ": 2"),
            (json!([{ "id": "client-2" }]), ": 1"),
        ] {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            assert!(
                progress.borrow().note.ends_with(note),
                "{:?}",
                progress.borrow()
            );
            node.cql.set(BATCHES, left);
        }
    };
    let (waited, ()) = tokio::join!(await_views(&node.agent, &views, &work), sent);
    waited.unwrap();
}

#[tokio::test(start_paused = true)]
async fn rows_that_reach_no_one_are_reported() {
    let node = with_built_view();
    node.cql.set(BATCHES, json!([{ "id": "view-1" }]));
    let (work, ..) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let waited = await_views(&node.agent, &views, &work).await;
    let error = waited.unwrap_err();
    assert_eq!(
        (error.reason(), error.kind()),
        ("BATCHES_UNSENT", ErrorKind::Unavailable)
    );
}

/// Creates a file of hints for another node.
fn hint(node: &FakeNode, host: u8) -> std::path::PathBuf {
    let folder = &node.agent.node.yaml.hints_directory;
    std::fs::create_dir_all(folder).unwrap();
    let host = format!("11111111-0000-0000-0000-{host:012}");
    let path = folder.join(format!("{host}-1700000000000-2.hints"));
    std::fs::write(&path, "").unwrap();
    path
}

#[tokio::test(start_paused = true)]
async fn hints_that_come_to_disk_after_the_views_are_built_are_waited_for() {
    let node = with_built_view();
    std::fs::create_dir_all(&node.agent.node.yaml.hints_directory).unwrap();
    let (work, progress, _stop) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let ended_at = async {
        await_views(&node.agent, &views, &work).await.unwrap();
        tokio::time::Instant::now()
    };
    let sent = async {
        // Within the flush period.
        tokio::time::sleep(Duration::from_secs(9)).await;
        let files = [hint(&node, 2), hint(&node, 3)];
        tokio::time::sleep(Duration::from_secs(60)).await;
        let note = progress.borrow().note.clone();
        assert!(note.contains("-000000000002, "), "{note}");
        assert!(note.ends_with("-000000000003: 2"), "{note}");
        std::fs::remove_file(&files[0]).unwrap();
        // What a client's write adds later is not waited for.
        hint(&node, 4);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let note = progress.borrow().note.clone();
        assert!(note.ends_with("-000000000003: 1"), "{note}");
        std::fs::remove_file(&files[1]).unwrap();
        tokio::time::Instant::now()
    };
    let (ended_at, sent_at) = tokio::join!(ended_at, sent);
    assert!(ended_at >= sent_at);
}

#[tokio::test(start_paused = true)]
async fn hints_for_a_node_that_does_not_take_them_are_reported_with_its_id() {
    let node = with_built_view();
    hint(&node, 2);
    let (work, ..) = Work::new();
    let views = [TableRef::new("ks", "v")];
    let error = await_views(&node.agent, &views, &work).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.kind()),
        ("HINTS_UNSENT", ErrorKind::Unavailable)
    );
    assert!(
        error
            .to_string()
            .ends_with("11111111-0000-0000-0000-000000000002")
    );
    assert!(error.hint().unwrap().contains("nodetool truncatehints"));
}
