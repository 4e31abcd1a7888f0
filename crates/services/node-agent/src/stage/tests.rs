use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use api::ServiceError;
use blob_store::Budget;
use blob_store::testing::Fault;
use model::TableRef;

use model::plan::RestoreMode;
use model::task::TransferLimits;
use tokio::time::Instant;

use super::*;
use crate::restore;
use crate::testing::{FakeNode, TableFolder};

/// A backup of two tables, and another node that takes it.
async fn nodes(release: &str) -> (FakeNode, FakeNode) {
    nodes_of(FakeNode::new(2, "4.1.9"), release).await
}

/// With each file as an object of its own.
async fn unpacked_nodes() -> (FakeNode, FakeNode) {
    nodes_of(FakeNode::new(2, "4.1.9").unpacked(), "4.1.9").await
}

async fn nodes_of(source: FakeNode, release: &str) -> (FakeNode, FakeNode) {
    source.tables(&["full", "empty"]);
    source.table("full", 1, 0).sstable("nb-1-big", "one");
    source.table("full", 1, 1).sstable("nb-2-big", "two");
    source
        .table("full", 1, 0)
        .index("by_name")
        .sstable("nb-1-big", "index");
    source.back_up("b1", None).await;
    let target = FakeNode::beside(&source, release);
    target.tables(&["full", "empty"]);
    (source, target)
}

fn wanted(restore: &str) -> Stage {
    let target = |table: &str, id| TableTarget {
        source: None,
        table: TableRef::new("ks", table),
        source_id: FakeNode::table_id(id),
        target_id: FakeNode::table_id(id),
    };
    Stage {
        restore: restore.to_owned(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: vec![target("full", 1), target("empty", 2)],
        shares: Vec::new(),
        mode: RestoreMode::Online,
    }
}

async fn run(node: &FakeNode) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(&wanted("r1"), &work).await
}

fn staged(node: &FakeNode) -> TableFolder {
    let data = &node.agent.folders.data[0];
    let folder = node.agent.folders.staging_of(data, "r1").unwrap();
    TableFolder(folder.join(format!("ks/full-{}", FakeNode::table_id(1).folder_suffix())))
}

#[tokio::test]
async fn downloads_take_turns_if_there_is_memory_for_one() {
    let (_source, mut target) = nodes("4.1.9").await;
    target.agent.budget = Budget::new(1);
    target.agent.config.parallel_files = 8;
    assert_eq!(run(&target).await.unwrap(), 2);
    assert_eq!(staged(&target).contents(), ["one", "two"]);
    let budget = &target.agent.budget;
    assert_eq!(budget.peak_bytes(), budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn no_more_files_come_at_once_than_the_limit_of_the_task_allows() {
    let (_source, mut target) = unpacked_nodes().await;
    target.agent.config.parallel_files = 8;
    let one = TransferLimits {
        parallel_files: 1,
        ..TransferLimits::default()
    };
    target.agent.limits.set(&target.agent.config, "r1", one);
    assert_eq!(run(&target).await.unwrap(), 2);
    let found = files::entries(&staged(&target).0).unwrap();
    let found = found.iter().map(|path| fs::metadata(path).unwrap());
    let sizes = found
        .filter(|found| found.is_file())
        .map(|found| found.len());
    let largest = sizes.max().unwrap_or_default();
    // Memory is granted in whole pages.
    let largest = largest.next_multiple_of(4 << 10);
    assert!(target.agent.budget.peak_bytes() as u64 <= largest);
}

#[tokio::test(start_paused = true)]
async fn a_staging_that_runs_goes_by_its_new_bandwidth_at_once() {
    let (_source, target) = nodes("4.1.9").await;
    let set = |bandwidth_bytes_per_second| {
        let limits = TransferLimits {
            bandwidth_bytes_per_second,
            parallel_files: 0,
        };
        target.agent.limits.set(&target.agent.config, "r1", limits);
    };
    set(1);
    let start = Instant::now();
    let lift = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        set(0);
    };
    let (staged, ()) = futures::join!(run(&target), lift);
    assert_eq!(staged.unwrap(), 2);
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn everything_comes_to_a_folder_that_import_understands() {
    let (_source, target) = nodes("4.1.9").await;
    let (work, progress, _stop) = Work::new();
    let sstables = target.stage(&wanted("r1"), &work).await.unwrap();
    assert_eq!(sstables, 2, "indexes are not counted");
    assert_eq!(staged(&target).contents(), ["one", "two"]);
    assert_eq!(staged(&target).index("by_name").contents(), ["index"]);
    let progress = progress.borrow().clone();
    assert_eq!(progress.bytes_done, progress.bytes_total);
    assert_eq!((progress.items_done, progress.items_total), (15, 15));
    assert!(
        target.table("full", 1, 0).contents().is_empty(),
        "nothing live is touched"
    );
}

#[tokio::test]
async fn an_attached_index_comes_to_the_line_that_wrote_it_and_to_no_other() {
    for (release, comes) in [("4.1.2", true), ("5.0.5", false)] {
        let (source, target) = nodes(release).await;
        let index = "nb-1-big-SI_by_name.db";
        fs::write(source.table("full", 1, 0).0.join(index), "terms").unwrap();
        source.back_up("b2", None).await;
        let (work, ..) = Work::new();
        let stage = Stage {
            backup: FakeNode::backup("b2"),
            ..wanted("r1")
        };
        assert_eq!(target.stage(&stage, &work).await.unwrap(), 2, "{release}");
        let staged = files::entries(&staged(&target).0).unwrap();
        let has = |ending: &str| {
            staged
                .iter()
                .any(|path| path.to_string_lossy().ends_with(ending))
        };
        assert_eq!(has("SI_by_name.db"), comes, "{release}");
        assert!(has("Data.db"), "{release}");
    }
}

#[tokio::test]
async fn a_staging_that_dies_at_any_call_goes_on_without_fetching_twice() {
    for call in 1..=16 {
        let (_source, target) = unpacked_nodes().await;
        target.store.set(Fault::DieBefore(call));
        run(&target).await.unwrap_err();
        target.store.set(Fault::DieBefore(1000));
        assert_eq!(run(&target).await.unwrap(), 2, "{call}");
        // One call for the manifest, and one for each file that was not there; two ran at once when it died.
        let fetched_before = 16 - target.store.calls();
        assert!(
            fetched_before + 3 >= call,
            "call {call}: {fetched_before} were kept"
        );
        assert_eq!(staged(&target).contents(), ["one", "two"]);
    }
}

#[tokio::test]
async fn an_object_that_is_damaged_or_gone_is_named() {
    for damage in ["flip", "cut", "grow", "gone"] {
        let (source, target) = unpacked_nodes().await;
        let object = source.manifest("b1").await.tables[1].files[3]
            .object
            .clone();
        let path = source.root.path().join("bucket").join(&object);
        let mut bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        match damage {
            "flip" => bytes[0] ^= 1,
            "cut" => bytes.truncate(3),
            "grow" => bytes.push(0),
            _ => {}
        }
        if damage != "gone" {
            fs::write(&path, bytes).unwrap();
        }
        let error = run(&target).await.unwrap_err();
        assert_eq!(error.kind(), api::ErrorKind::DataLoss, "{damage}: {error}");
        assert!(error.to_string().contains(&object), "{damage}: {error}");
    }
}

#[tokio::test]
async fn a_transfer_that_breaks_once_is_made_again() {
    let (source, target) = unpacked_nodes().await;
    let object = source.manifest("b1").await.tables[1].files[3]
        .object
        .clone();
    target.store.set(Fault::Truncate(object, 2));
    let error = run(&target).await.unwrap_err();
    assert_eq!(error.reason(), "OBJECT_DAMAGED");
    target.store.heal();
    assert_eq!(run(&target).await.unwrap(), 2);
}

#[tokio::test]
async fn a_disk_without_room_is_refused_before_the_first_byte() {
    let (_source, mut target) = nodes("4.1.9").await;
    target.agent.config.reserved_bytes = 1 << 60;
    let error = run(&target).await.unwrap_err();
    assert_eq!(error.kind(), api::ErrorKind::ResourceExhausted);
    assert!(error.to_string().contains("bytes free"), "{error}");
    assert!(staged(&target).contents().is_empty());
}

#[tokio::test]
async fn another_restore_under_the_same_name_is_refused() {
    let (_source, target) = nodes("4.1.9").await;
    run(&target).await.unwrap();
    let mut other = wanted("r1");
    other.tables.pop();
    let (work, ..) = Work::new();
    let error = target.stage(&other, &work).await.unwrap_err();
    assert_eq!(error.reason(), "RESTORE_EXISTS");
}

#[tokio::test]
async fn a_table_or_node_that_is_not_in_the_backup_is_named() {
    let (_source, target) = nodes("4.1.9").await;
    let (work, ..) = Work::new();
    let mut other = wanted("r1");
    other.tables[0].source_id = FakeNode::table_id(7);
    let error = target.stage(&other, &work).await.unwrap_err();
    assert_eq!(error.reason(), "TABLE_NOT_IN_BACKUP");
    let mut other = wanted("r2");
    other.sources = vec![FakeNode::host_id(7)];
    let error = target.stage(&other, &work).await.unwrap_err();
    assert_eq!(error.reason(), "NODE_MANIFEST_MISSING");
}

#[tokio::test]
async fn finishing_deletes_this_restores_folders_and_no_others() {
    let (_source, target) = nodes("4.1.9").await;
    run(&target).await.unwrap();
    let (work, ..) = Work::new();
    target.stage(&wanted("r2"), &work).await.unwrap();
    let freed = restore::finish(&target.agent, "r1", false).await.unwrap();
    assert!(freed > 0);
    assert_eq!(
        restore::finish(&target.agent, "r1", false).await.unwrap(),
        0
    );
    let left: BTreeSet<String> = fs::read_dir(target.root.path().join("ringkeep-staging"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["r2".to_owned()].into());
    for bad in ["..", "", "r2/x", "."] {
        assert!(
            restore::finish(&target.agent, bad, false).await.is_err(),
            "{bad}"
        );
    }
}
