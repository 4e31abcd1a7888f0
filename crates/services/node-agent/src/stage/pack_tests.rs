//! Files that come out of packs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use api::ServiceError;
use blob_store::testing::Fault;
use blob_store::{Budget, Counted};
use model::TableRef;
use model::manifest::StoredFile;
use model::plan::RestoreMode;

use super::*;
use crate::testing::{FakeNode, TableFolder, lives};

/// A backup of so many SSTables in packs, and another node that takes it.
async fn nodes(sstables: usize) -> (FakeNode, FakeNode, NodeManifest) {
    let source = FakeNode::new(1, "4.1.9");
    source.tables(&["full"]);
    for number in 0..sstables {
        let descriptor = format!("nb-{number}-big");
        let content = format!("rows {number:03}");
        source.table("full", 1, 0).sstable(&descriptor, &content);
    }
    let manifest = source.back_up("b1", None).await;
    assert!(manifest.files().all(|file| file.offset.is_some()));
    let target = FakeNode::beside(&source, "4.1.9");
    target.tables(&["full"]);
    (source, target, manifest)
}

fn contents(sstables: usize) -> Vec<String> {
    (0..sstables)
        .map(|number| format!("rows {number:03}"))
        .collect()
}

fn wanted() -> Stage {
    Stage {
        restore: "r1".to_owned(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "full"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        shares: Vec::new(),
        mode: RestoreMode::Online,
    }
}

async fn run(node: &FakeNode) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(&wanted(), &work).await
}

fn staged(node: &FakeNode) -> TableFolder {
    let data = &node.agent.folders.data[0];
    let folder = node.agent.folders.staging_of(data, "r1").unwrap();
    TableFolder(folder.join(format!("ks/full-{}", FakeNode::table_id(1).folder_suffix())))
}

/// Rewrites the pack in the bucket.
fn bend(source: &FakeNode, file: &StoredFile, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let path = source.bucket_root.join(&file.object);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_thousand_small_files_come_with_two_requests() {
    let (_source, mut target, manifest) = nodes(200).await;
    let counted = Arc::new(Counted::new(target.bucket.clone()));
    target.agent.store = counted.clone();
    let (work, progress, _stop) = Work::new();
    assert_eq!(target.stage(&wanted(), &work).await.unwrap(), 200);
    // The node manifest, and the pack in two parts.
    assert_eq!(counted.counts().gets, 3);
    assert_eq!(staged(&target).contents(), contents(200));
    for file in manifest.files() {
        let bytes = fs::read(staged(&target).0.join(&file.name)).unwrap();
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), file.blake3);
    }
    let progress = progress.borrow().clone();
    assert_eq!((progress.items_done, progress.items_total), (1000, 1000));
    assert_eq!(progress.bytes_done, progress.bytes_total);
    assert!(target.table("full", 1, 0).contents().is_empty());
}

#[tokio::test]
async fn releases_before_packs_read_the_journal() {
    let (_source, target, _) = nodes(20).await;
    run(&target).await.unwrap();
    let path = target.agent.folders.restore_journal("r1");
    let mut records: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let record: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        for name in record.keys() {
            *records.entry(name.clone()).or_default() += 1;
        }
    }
    let known = [
        ("begun", 1),
        ("fetched", 100),
        ("placed", 20),
        ("staged", 1),
    ];
    let known = known.map(|(name, count)| (name.to_owned(), count));
    // A rollback or an acceptance by such a release reads all of it.
    assert_eq!(records, BTreeMap::from(known));
}

#[tokio::test]
async fn packs_come_through_the_smallest_budget() {
    let (_source, mut target, _) = nodes(30).await;
    target.agent.budget = Budget::new(1);
    target.agent.config.parallel_files = 8;
    assert_eq!(run(&target).await.unwrap(), 30);
    assert_eq!(staged(&target).contents(), contents(30));
    let budget = &target.agent.budget;
    assert_eq!(budget.peak_bytes(), budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn what_came_before_a_transfer_broke_does_not_come_again() {
    let (_source, mut target, manifest) = nodes(40).await;
    let pack = manifest.files().next().unwrap().object.clone();
    let last = manifest
        .files()
        .filter_map(|file| file.place())
        .map(|place| place.end)
        .max();
    let pack_bytes = last.unwrap();
    for at in [0, 1, pack_bytes / 3, pack_bytes / 2, pack_bytes - 1] {
        target.store.set(Fault::Break(pack.clone(), at as usize));
        let error = run(&target).await.unwrap_err();
        assert_eq!(error.reason(), "STORE_UNAVAILABLE", "{at}: {error}");
    }
    let counted = Arc::new(Counted::new(target.bucket.clone()));
    target.agent.store = counted.clone();
    assert_eq!(run(&target).await.unwrap(), 40);
    assert_eq!(staged(&target).contents(), contents(40));
    let manifest_bytes = serde_json::to_vec(&manifest).unwrap().len() as u64;
    let came = counted.counts().bytes_down.saturating_sub(manifest_bytes);
    assert!(
        came < pack_bytes / 3,
        "{came} of {pack_bytes} bytes came again"
    );
}

#[tokio::test]
async fn a_staging_from_packs_that_dies_at_any_call_goes_on() {
    for call in 1..=2 {
        for fault in [Fault::DieBefore(call), Fault::DieAfter(call)] {
            let (_source, target, _) = nodes(10).await;
            target.store.set(fault.clone());
            run(&target).await.unwrap_err();
            target.store.heal();
            assert_eq!(run(&target).await.unwrap(), 10, "{fault:?}");
            assert_eq!(staged(&target).contents(), contents(10));
        }
    }
}

#[test]
fn a_staging_from_packs_that_is_killed_at_any_await_goes_on() {
    let whole = Cell::new(None);
    assert!(lives::polled(usize::MAX, async {
        whole.set(Some(nodes(8).await));
    }));
    let (source, ..) = whole.take().unwrap();
    for times in 1.. {
        let target = FakeNode::beside(&source, "4.1.9");
        target.tables(&["full"]);
        let live = |times| lives::polled(times, async { run(&target).await.unwrap() });
        let ended = live(times);
        assert!(live(usize::MAX));
        assert_eq!(staged(&target).contents(), contents(8), "{times}");
        let files = fs::read_dir(staged(&target).0).unwrap().count();
        assert_eq!(files, 40, "nothing is left of what was killed");
        if ended {
            assert!(times > 10, "{times} awaits are too few to be all");
            return;
        }
    }
}

#[tokio::test]
async fn damage_in_a_pack_is_named_and_the_other_files_are_kept() {
    let (source, target, manifest) = nodes(10).await;
    let file = manifest.files().nth(17).unwrap();
    let at = file.offset.unwrap() as usize;
    bend(&source, file, |bytes| bytes[at] ^= 1);
    let error = run(&target).await.unwrap_err();
    assert_eq!(error.reason(), "OBJECT_DAMAGED", "{error}");
    assert_eq!(error.kind(), api::ErrorKind::DataLoss);
    assert!(error.to_string().contains(&file.object), "{error}");
    bend(&source, file, |bytes| bytes[at] ^= 1);
    let (work, progress, _stop) = Work::new();
    target.stage(&wanted(), &work).await.unwrap();
    assert_eq!(staged(&target).contents(), contents(10));
    assert_eq!(progress.borrow().items_done, 50);
}

#[tokio::test]
async fn a_file_that_came_wrong_once_comes_by_itself() {
    let (_source, target, manifest) = nodes(10).await;
    let pack = manifest.files().next().unwrap().object.clone();
    // Every transfer ends after so many bytes, which is enough for each file by itself.
    let largest = manifest.files().map(|file| file.bytes).max().unwrap();
    target
        .store
        .set(Fault::Truncate(pack.clone(), largest as usize));
    assert_eq!(run(&target).await.unwrap(), 10);
    assert_eq!(staged(&target).contents(), contents(10));
    assert!(target.store.calls() > 10, "most came by themselves");
    let (_source, target, _) = nodes(10).await;
    target.store.set(Fault::Truncate(pack, 1));
    let error = run(&target).await.unwrap_err();
    assert_eq!(error.reason(), "OBJECT_DAMAGED", "{error}");
}

#[tokio::test]
async fn a_pack_that_is_cut_off_or_gone_is_named() {
    let (_, _, manifest) = nodes(10).await;
    let places = || manifest.files().filter_map(|file| file.place());
    let pack_bytes = places().map(|place| place.end).max().unwrap();
    for (bytes, reason) in [
        (Some(pack_bytes - 1), "OBJECT_DAMAGED"),
        (Some(1), "OBJECT_DAMAGED"),
        (Some(0), "OBJECT_DAMAGED"),
        (None, "OBJECT_MISSING"),
    ] {
        let (source, target, manifest) = nodes(10).await;
        let file = manifest.files().next().unwrap();
        let path = bend(&source, file, |pack| {
            pack.truncate(bytes.unwrap_or(0) as usize)
        });
        if bytes.is_none() {
            fs::remove_file(path).unwrap();
        }
        let error = run(&target).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{bytes:?}: {error}");
        assert_eq!(error.kind(), api::ErrorKind::DataLoss, "{error}");
        let text = error.to_string();
        assert!(text.contains(&file.object), "{text}");
        if let Some(bytes) = bytes {
            let sizes = format!("has {bytes} bytes where the manifest says at least {pack_bytes}");
            assert!(text.contains(&sizes), "{text}");
        }
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("ringkeep backup verify"), "{hint}");
    }
}

#[tokio::test]
async fn a_manifest_with_impossible_places_stages_nothing() {
    let bends: [fn(&mut NodeManifest); 3] = [
        |manifest| manifest.tables[0].files[3].offset = Some(0),
        |manifest| manifest.tables[0].files[3].offset = Some(u64::MAX),
        |manifest| manifest.tables[0].files[3].offset = None,
    ];
    for bend in bends {
        let (source, target, mut manifest) = nodes(3).await;
        bend(&mut manifest);
        let key = keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
        source.put_manifest(&key, &manifest);
        let error = run(&target).await.unwrap_err();
        assert_eq!(error.reason(), "MANIFEST_DAMAGED", "{error}");
        assert!(!staged(&target).0.exists());
    }
    // A place that is possible, and is not in the pack.
    let (source, target, mut manifest) = nodes(3).await;
    manifest.tables[0].files[3].offset = Some(1 << 40);
    let key = keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
    source.put_manifest(&key, &manifest);
    let error = run(&target).await.unwrap_err();
    assert_eq!(error.reason(), "OBJECT_DAMAGED", "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_differential_is_staged_from_its_own_packs_and_those_of_its_base() {
    let (source, target, _) = nodes(4).await;
    source.table("full", 1, 0).sstable("nb-9-big", "rows 009");
    source.back_up("b2", Some("b1")).await;
    let (work, ..) = Work::new();
    let wanted = Stage {
        backup: FakeNode::backup("b2"),
        ..wanted()
    };
    assert_eq!(target.stage(&wanted, &work).await.unwrap(), 5);
    let mut expected = contents(4);
    expected.push("rows 009".to_owned());
    assert_eq!(staged(&target).contents(), expected);
}
