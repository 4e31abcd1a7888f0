use std::fs;

use super::*;
use crate::testing::{FakeNode, Misbehaviour};
use api::ServiceError;
use model::TableRef;

fn node() -> FakeNode {
    let node = FakeNode::new(2, "4.1.9");
    node.tables(&["full", "empty"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    node.table("full", 1, 1).sstable("nb-2-big", "two");
    node.table("full", 1, 0)
        .index("by_name")
        .sstable("nb-1-big", "index");
    node
}

async fn take(node: &FakeNode) -> Result<Taken, SnapshotError> {
    super::take(&node.agent, "ringkeep-tag", &Selection::default()).await
}

#[tokio::test]
async fn a_snapshot_counts_every_data_directory_and_no_index() {
    let node = node();
    let taken = take(&node).await.unwrap();
    assert_eq!((taken.tables.len(), taken.sstables), (2, 2));
}

#[tokio::test]
async fn a_tag_that_is_whole_is_answered_as_taken() {
    let node = node();
    let first = take(&node).await.unwrap();
    node.table("full", 1, 0).sstable("nb-9-big", "later");
    assert_eq!(take(&node).await.unwrap(), first);
    let calls = node.control.calls.lock().unwrap().clone();
    assert_eq!(calls, ["snapshot ringkeep-tag"]);
}

#[tokio::test]
async fn a_tag_with_another_selection_is_taken_anew() {
    let node = node();
    take(&node).await.unwrap();
    let only = Selection {
        tables: vec![TableRef::new("ks", "empty")],
        ..Selection::default()
    };
    let taken = super::take(&node.agent, "ringkeep-tag", &only)
        .await
        .unwrap();
    assert_eq!((taken.tables.len(), taken.sstables), (1, 0));
}

#[tokio::test]
async fn a_tag_that_nobody_remembers_is_taken_anew() {
    let node = node();
    take(&node).await.unwrap();
    fs::remove_dir_all(&node.agent.folders.state).unwrap();
    node.table("full", 1, 0).sstable("nb-9-big", "later");
    assert_eq!(take(&node).await.unwrap().sstables, 3);
}

/// What a node does wrong, and the reason that comes of it. Afterwards the node behaves, and the same tag works.
async fn check(wrong: Misbehaviour, reason: &str) {
    let node = node();
    node.control.misbehave(wrong.clone());
    let error = take(&node).await.unwrap_err();
    assert_eq!(error.reason(), reason, "{wrong:?}: {error}");
    node.control.behave();
    assert_eq!(take(&node).await.unwrap().sstables, 2, "{wrong:?}");
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_no_snapshot() {
    let full = TableRef::new("ks", "full");
    check(Misbehaviour::SnapshotFails, "CONTROL_FAILED").await;
    check(
        Misbehaviour::SnapshotSkips(full.clone()),
        "SNAPSHOT_INCOMPLETE",
    )
    .await;
    check(
        Misbehaviour::SnapshotSkips(TableRef::new("ks", "empty")),
        "SNAPSHOT_INCOMPLETE",
    )
    .await;
    check(Misbehaviour::SnapshotEmpty(full), "SNAPSHOT_INCOMPLETE").await;
    check(
        Misbehaviour::SnapshotLoses("Data.db"),
        "SNAPSHOT_INCOMPLETE",
    )
    .await;
    check(
        Misbehaviour::SnapshotLoses("Statistics.db"),
        "SNAPSHOT_INCOMPLETE",
    )
    .await;
    check(
        Misbehaviour::SnapshotLoses("Index.db"),
        "SNAPSHOT_INCOMPLETE",
    )
    .await;
}

#[tokio::test]
async fn a_snapshot_that_a_killed_agent_left_running_is_replaced() {
    let node = node();
    node.control.misbehave(Misbehaviour::SnapshotTakenByAnother);
    assert_eq!(take(&node).await.unwrap().sstables, 2);
    let calls = node.control.calls.lock().unwrap().clone();
    let (take, clear) = ("snapshot ringkeep-tag", "clearsnapshot ringkeep-tag");
    assert_eq!(calls, [take, clear, take]);
}

#[tokio::test]
async fn an_sstable_that_the_manifest_names_must_be_there() {
    let node = node();
    take(&node).await.unwrap();
    let snapshot = node.table("full", 1, 0).0.join("snapshots/ringkeep-tag");
    for file in fs::read_dir(&snapshot).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("nb-1-") {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let tables = tables::list(&*node.agent.node.cql).await.unwrap();
    let error = look(&node.agent, "ringkeep-tag", &tables)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nb-1-big-Data.db"), "{error}");
}

#[tokio::test]
async fn a_table_or_keyspace_that_is_not_there_is_named() {
    let node = node();
    for (selection, expected) in [
        (
            Selection {
                keyspaces: vec!["none".into()],
                tables: vec![],
            },
            "`none`",
        ),
        (
            Selection {
                keyspaces: vec![],
                tables: vec![TableRef::new("ks", "none")],
            },
            "`ks.none`",
        ),
    ] {
        let error = super::take(&node.agent, "ringkeep-tag", &selection)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.reason(), "TABLE_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_keyspace_without_tables_has_a_snapshot_of_nothing() {
    let node = node();
    let known = serde_json::json!([{ "keyspace_name": "ks" }, { "keyspace_name": "types" }]);
    let statement = "SELECT keyspace_name FROM system_schema.keyspaces";
    node.cql.set(statement, known);
    let selection = Selection {
        keyspaces: vec!["types".into()],
        tables: vec![],
    };
    for _ in 0..2 {
        let taken = super::take(&node.agent, "ringkeep-tag", &selection).await;
        let taken = taken.unwrap();
        assert_eq!((taken.sstables, taken.tables.len()), (0, 0));
    }
    assert!(node.control.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn sstables_with_names_from_before_2_2_are_refused_by_name_before_the_snapshot() {
    let node = node();
    let name = "ks-full-ka-1-Data.db";
    fs::write(node.table("full", 1, 0).0.join(name), "rows").unwrap();
    let error = take(&node).await.unwrap_err();
    assert_eq!(error.reason(), "SSTABLES_TOO_OLD");
    assert!(error.to_string().contains(name), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("upgradesstables -a ks full"), "{hint}");
    assert!(node.control.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn clearing_is_repeatable_and_works_on_a_node_that_is_down() {
    let node = node();
    take(&node).await.unwrap();
    node.control.go_down();
    // A table that was dropped since: nodetool would not know it.
    let left = node.table("dropped", 9, 0).0.join("snapshots/ringkeep-tag");
    fs::create_dir_all(&left).unwrap();
    for foreign in ["nightly", "ringkeep-"] {
        let cleared = clear(&node.agent, foreign).await.unwrap_err();
        assert_eq!(cleared.reason(), "FOREIGN_TAG");
        let taken = super::take(&node.agent, foreign, &Selection::default()).await;
        assert_eq!(taken.unwrap_err().reason(), "FOREIGN_TAG");
    }
    clear(&node.agent, "ringkeep-tag").await.unwrap();
    clear(&node.agent, "ringkeep-tag").await.unwrap();
    assert!(!left.exists());
    assert!(!node.agent.folders.snapshot_journal("ringkeep-tag").exists());
    assert!(clear(&node.agent, "../x").await.is_err());
}
