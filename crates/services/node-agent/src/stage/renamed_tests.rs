//! Tests of staging under other names: the backup is read by the old name, and the folders have the new one.

use api::ServiceError;
use model::{RangeText, TableRef};

use super::*;
use crate::testing::{FakeNode, TableFolder};

/// A backup of a table with an index, and the node itself with it still live.
async fn backed_up() -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    let index = node.table("full", 1, 0).index("by_name");
    index.sstable("nb-1-big", "index");
    node.back_up("b1", None).await;
    node
}

fn wanted(table: TableRef, source: Option<TableRef>) -> Stage {
    Stage {
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: vec![TableTarget {
            table,
            source,
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(9),
        }],
        shares: Vec::new(),
        mode: RestoreMode::Online,
    }
}

async fn run(node: &FakeNode, stage: &Stage) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(stage, &work).await
}

fn copy() -> (TableRef, TableRef) {
    (TableRef::new("Copy", "old"), TableRef::new("ks", "full"))
}

/// The staging folder of the copy.
fn staged(node: &FakeNode) -> TableFolder {
    let folders = &node.agent.folders;
    let data = &folders.data[0];
    let (copy, _) = copy();
    let folder = folders.staged_table(data, "r1", &copy, &FakeNode::table_id(9));
    TableFolder(folder.unwrap())
}

#[tokio::test]
async fn a_table_is_found_by_its_old_name_and_comes_to_a_folder_of_its_new_one() {
    let node = backed_up().await;
    let live = node.table("full", 1, 0).contents();
    let (copy, source) = copy();
    let stage = wanted(copy, Some(source));
    assert_eq!(run(&node, &stage).await.unwrap(), 1);
    let folder = staged(&node);
    assert_eq!(folder.contents(), ["one"]);
    let path = folder.0.to_string_lossy().into_owned();
    let end = format!("Copy/old-{}", FakeNode::table_id(9).folder_suffix());
    assert!(path.ends_with(&end), "{path}");
    assert!(
        !folder.0.join(".by_name").exists(),
        "the index may have another name, and is built"
    );
    assert_eq!(node.table("full", 1, 0).contents(), live);
    // A repeated call finds it done.
    assert_eq!(run(&node, &stage).await.unwrap(), 1);
}

#[tokio::test]
async fn the_files_of_attached_indexes_do_not_come() {
    let node = backed_up().await;
    let folder = node.table("full", 1, 0).0;
    std::fs::write(folder.join("nb-1-big-SI_by_name.db"), "terms").unwrap();
    node.back_up("b2", None).await;
    let (copy, source) = copy();
    let stage = Stage {
        backup: FakeNode::backup("b2"),
        ..wanted(copy, Some(source))
    };
    assert_eq!(run(&node, &stage).await.unwrap(), 1);
    let staged = files::entries(&staged(&node).0).unwrap();
    assert!(!staged.is_empty());
    let is_attached = |path: &std::path::PathBuf| path.to_string_lossy().contains("SI_by_name");
    assert!(!staged.iter().any(is_attached), "{staged:?}");
}

/// What an agent makes of the request that does not know the old name, or gets it from a task-runner that does not.
#[tokio::test]
async fn without_the_old_name_nothing_is_staged() {
    let node = backed_up().await;
    let (copy, _) = copy();
    let error = run(&node, &wanted(copy, None)).await.unwrap_err();
    assert_eq!(error.reason(), "TABLE_NOT_IN_BACKUP");
    assert!(staged(&node).contents().is_empty());
}

#[tokio::test]
async fn the_same_task_with_another_old_name_is_refused() {
    let node = backed_up().await;
    let (copy, source) = copy();
    let stage = wanted(copy.clone(), Some(source));
    run(&node, &stage).await.unwrap();
    let other = wanted(copy, Some(TableRef::new("ks", "other")));
    let error = run(&node, &other).await.unwrap_err();
    assert_eq!(error.reason(), "RESTORE_EXISTS");
}

#[tokio::test]
async fn shares_are_of_the_new_keyspace() {
    let node = backed_up().await;
    let (copy, source) = copy();
    let share = |keyspace: &str| SourceShare {
        source: FakeNode::host_id(1),
        keyspaces: vec![keyspace.to_owned()],
        ranges: Vec::<RangeText>::new(),
        trims: false,
    };
    for (keyspace, sstables) in [("ks", 0), ("Copy", 1)] {
        let stage = Stage {
            restore: keyspace.to_owned(),
            shares: vec![share(keyspace)],
            ..wanted(copy.clone(), Some(source.clone()))
        };
        assert_eq!(run(&node, &stage).await.unwrap(), sstables, "{keyspace}");
    }
}
