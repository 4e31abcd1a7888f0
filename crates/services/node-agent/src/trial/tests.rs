use api::ServiceError;
use model::HostId;
use serde_json::json;

use super::*;
use crate::stage::Stage;
use crate::testing::{FakeNode, Misbehaviour};

const SCRATCH: u128 = 9;

fn trial_table(keyspace: &str) -> TrialTable {
    TrialTable {
        table: TableRef::new("ks", "t"),
        target_id: FakeNode::table_id(1),
        trial: TableRef::new(keyspace, "t"),
    }
}

fn scratch_folder(node: &FakeNode) -> std::path::PathBuf {
    let table = TableRef::new("ringkeep_trial_1", "t");
    let data = &node.agent.folders.data[0].path;
    cassandra_node::folders::DataFolders::table_folder(data, &table, &FakeNode::table_id(SCRATCH))
}

/// A node on which two SSTables of one format are staged, with a scratch table.
async fn staged(release: &str) -> FakeNode {
    let format = if release.starts_with('3') { "me" } else { "nb" };
    let source = FakeNode::new(1, release);
    source.tables(&["t"]);
    let table = source.table("t", 1, 0);
    table.sstable(&format!("{format}-1-big"), "the larger one");
    table.sstable(&format!("{format}-2-big"), "small");
    source.back_up("b1", None).await;
    let mut node = FakeNode::beside(&source, release);
    node.tables(&["t"]);
    node.table("t", 1, 0)
        .sstable(&format!("{format}-1-big"), "live");
    let (work, ..) = Work::new();
    let wanted = Stage {
        shares: Vec::new(),
        mode: model::plan::RestoreMode::Online,
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![HostId(uuid::Uuid::from_u128(1))],
        manifests: Default::default(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "t"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
    };
    node.stage(&wanted, &work).await.unwrap();
    node.cql.set(
        "SELECT id FROM system_schema.tables WHERE keyspace_name = 'ringkeep_trial_1' AND table_name = 't'",
        json!([{ "id": FakeNode::table_id(SCRATCH).to_string() }]),
    );
    std::fs::create_dir_all(scratch_folder(&node)).unwrap();
    node.keep_alive(source);
    node
}

async fn run(node: &FakeNode) -> Result<u64, TrialError> {
    let (work, ..) = Work::new();
    try_load(&node.agent, "r1", &[trial_table("ringkeep_trial_1")], &work).await
}

fn staged_files(node: &FakeNode) -> usize {
    let data = node.agent.folders.data.iter().next().unwrap();
    let (table, id) = (TableRef::new("ks", "t"), FakeNode::table_id(1));
    let folders = &node.agent.folders;
    let folder = folders.staged_table(data, "r1", &table, &id).unwrap();
    sstables::list(&folder).unwrap().len()
}

const RELEASES: [&str; 2] = ["4.1.9", "3.11.19"];

#[tokio::test]
async fn the_smallest_sstable_of_a_format_goes_into_the_scratch_table_and_staging_stays() {
    for release in RELEASES {
        let node = staged(release).await;
        let before = staged_files(&node);
        assert_eq!(run(&node).await.unwrap(), 1, "{release}");
        let tried = crate::testing::TableFolder(scratch_folder(&node)).contents();
        assert_eq!(tried, ["small"], "{release}");
        assert_eq!(staged_files(&node), before, "{release}");
        assert_eq!(node.table("t", 1, 0).contents(), ["live"], "{release}");
        assert!(!node.agent.folders.restore_journal("r1-trial").exists());
    }
}

#[tokio::test]
async fn what_cassandra_does_not_take_fails_the_trial_and_can_be_tried_again() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::LosesOne);
    let error = run(&node).await.unwrap_err();
    assert_eq!(error.reason(), "TRIAL_FAILED");
    node.control.behave();
    assert_eq!(run(&node).await.unwrap(), 1);
}

#[tokio::test]
async fn nothing_is_tried_in_a_keyspace_of_the_user() {
    let node = staged("4.1.9").await;
    let (work, ..) = Work::new();
    let error = try_load(&node.agent, "r1", &[trial_table("ks")], &work)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "NOT_FOR_TRIALS");
    assert_eq!(node.table("t", 1, 0).contents(), ["live"]);
}

#[tokio::test]
async fn only_folders_of_scratch_keyspaces_that_were_dropped_are_deleted() {
    let node = staged("4.1.9").await;
    let data = node.agent.folders.data[0].path.clone();
    let dropped = data.join("ringkeep_trial_2");
    std::fs::create_dir_all(dropped.join("t-1/snapshots/dropped-1-t")).unwrap();
    node.cql.set(
        "SELECT keyspace_name FROM system_schema.keyspaces",
        json!([{ "keyspace_name": "ks" }, { "keyspace_name": "ringkeep_trial_1" }]),
    );
    clear(&node.agent).await.unwrap();
    assert!(!dropped.exists());
    assert!(scratch_folder(&node).exists(), "still in the schema");
    assert_eq!(node.table("t", 1, 0).contents(), ["live"]);
}
