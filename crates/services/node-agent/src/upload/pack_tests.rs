//! Small files travel together, and whatever dies on the way, the bucket holds what the manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use api::ServiceError;
use blob_store::testing::Fault;
use blob_store::{Budget, Counted};
use cassandra_node::sstables::TOC;
use std::sync::Arc;

use super::pack::Piece;
use super::tests::{check_bucket, node, take, upload_as};
use super::*;
use crate::testing::{FakeNode, fixture, lives};

/// A node with so many SSTables of five components each.
pub(super) fn many(sstables: usize) -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    for number in 0..sstables {
        let descriptor = format!("nb-{number}-big");
        let content = format!("rows {number}");
        node.table("full", 1, 0).sstable(&descriptor, &content);
    }
    node
}

/// The distinct packs of a manifest; all its files are in one.
fn packs(manifest: &NodeManifest) -> BTreeSet<&str> {
    let packed = manifest
        .files()
        .inspect(|file| assert!(file.offset.is_some(), "{file:?}"));
    packed.map(|file| file.object.as_str()).collect()
}

/// The data objects in the bucket that no file of these manifests is in.
pub(super) fn garbage(node: &FakeNode, manifests: &[&NodeManifest]) -> Vec<String> {
    let named = manifests.iter().flat_map(|manifest| manifest.files());
    let named: BTreeSet<&str> = named.map(|file| file.object.as_str()).collect();
    let mut found = Vec::new();
    let mut folders = vec![node.bucket_root.join("ringkeep/1/data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let key = path.strip_prefix(&node.bucket_root).unwrap();
            match path.is_dir() {
                true => folders.push(path),
                false if named.contains(key.to_str().unwrap()) => {}
                false => found.push(key.display().to_string()),
            }
        }
    }
    found
}

#[tokio::test]
async fn a_thousand_small_files_are_one_request() {
    let mut node = many(200);
    let counted = Arc::new(Counted::new(node.bucket.clone()));
    node.agent.store = counted.clone();
    let manifest = node.back_up("b1", None).await;
    let counts = counted.counts();
    // The pack and the node manifest; that there was no manifest yet.
    assert_eq!((counts.puts, counts.gets), (2, 1), "{counts:?}");
    assert_eq!(manifest.files().count(), 1000);
    let packs = packs(&manifest);
    assert_eq!(packs.len(), 1);
    let own = bucket::keys::data(&FakeNode::backup("b1"));
    assert!(packs.iter().all(|pack| pack.starts_with(&own)), "{packs:?}");
    check_bucket(&node, &manifest).await;
}

#[tokio::test]
async fn files_of_an_sstable_lie_side_by_side() {
    let node = node();
    let manifest = node.back_up("b1", None).await;
    assert_eq!(packs(&manifest).len(), 1);
    let mut places = BTreeMap::new();
    for file in manifest.files() {
        let (sstable, _) = cassandra_formats::parse_file_name(&file.name).unwrap();
        places.insert(
            file.offset.unwrap(),
            (file.index.clone(), sstable, file.bytes),
        );
    }
    let mut end = 0;
    let mut sstables = Vec::new();
    for (start, (index, sstable, bytes)) in places {
        assert_eq!(start, end, "no gap");
        end += bytes;
        sstables.push((index, sstable));
    }
    sstables.dedup();
    assert_eq!(sstables.len(), 3, "{sstables:?}");
}

#[tokio::test]
async fn an_upload_with_packs_that_dies_at_any_call_ends_the_same_and_leaves_nothing() {
    let budget = || Budget::new(64 << 10);
    let mut clean = many(20);
    clean.agent.budget = budget();
    let whole = clean.back_up("b1", None).await;
    assert!(packs(&whole).len() > 3, "{:?}", packs(&whole));
    for call in 1.. {
        for fault in [Fault::DieBefore(call), Fault::DieAfter(call)] {
            let mut node = many(20);
            node.agent.budget = budget();
            take(&node).await;
            node.store.set(fault.clone());
            let died = upload_as(&node, "b1").await.is_err();
            let calls = node.store.calls();
            node.store.heal();
            upload_as(&node, "b1").await.unwrap();
            let manifest = node.manifest("b1").await;
            check_bucket(&node, &manifest).await;
            assert_eq!(packs(&manifest), packs(&whole), "{fault:?}");
            assert_eq!(garbage(&node, &[&manifest]), [] as [String; 0], "{fault:?}");
            if !died && call > calls {
                return;
            }
        }
    }
}

#[test]
fn an_upload_that_is_killed_at_any_await_goes_on_and_leaves_nothing() {
    let live = |node: &FakeNode, times: usize| {
        lives::polled(times, async {
            take(node).await;
            upload_as(node, "b1").await.unwrap();
        })
    };
    for times in 1.. {
        let node = node();
        let ended = live(&node, times);
        assert!(live(&node, usize::MAX));
        let check = async {
            let manifest = node.manifest("b1").await;
            check_bucket(&node, &manifest).await;
            assert_eq!(packs(&manifest).len(), 1);
            assert_eq!(garbage(&node, &[&manifest]), [] as [String; 0], "{times}");
        };
        assert!(lives::polled(usize::MAX, check));
        if ended {
            assert!(times > 10, "{times} awaits are too few to be all");
            return;
        }
    }
}

#[tokio::test]
async fn packs_that_the_journal_names_are_not_read_again() {
    let node = node();
    take(&node).await;
    // It looks for the manifest, stores the pack, and dies at the manifest.
    node.store.set(Fault::DieBefore(3));
    assert!(upload_as(&node, "b1").await.is_err());
    node.store.set(Fault::DieBefore(100));
    upload_as(&node, "b1").await.unwrap();
    assert_eq!(node.store.calls(), 2, "look for the manifest, and write it");
}

#[tokio::test]
async fn progress_ends_at_its_total() {
    let node = node();
    take(&node).await;
    let (work, progress, _stop) = Work::new();
    let wanted = node.upload("b1", None);
    let summary = upload(&node.agent, &wanted, &work).await.unwrap();
    let progress = progress.borrow().clone();
    assert_eq!(progress.bytes_done, progress.bytes_total);
    assert_eq!((progress.items_done, progress.items_total), (15, 15));
    assert_eq!((summary.bytes, summary.sstables), (progress.bytes_done, 2));
}

#[tokio::test]
async fn a_differential_refers_into_the_packs_of_its_base() {
    let node = node();
    let full = node.back_up("b1", None).await;
    let unchanged = node.back_up("b2", Some("b1")).await;
    assert_eq!(packs(&unchanged), packs(&full));
    assert!(unchanged.files().all(|file| file.from.is_some()));
    node.table("full", 1, 0).sstable("nb-3-big", "three");
    let differential = node.back_up("b3", Some("b1")).await;
    check_bucket(&node, &differential).await;
    let (own, of_base): (Vec<_>, Vec<_>) =
        differential.files().partition(|file| file.from.is_none());
    assert_eq!((own.len(), of_base.len()), (5, 15));
    let data = bucket::keys::data(&FakeNode::backup("b3"));
    assert!(own.iter().all(|file| file.object.starts_with(&data)));
    let manifests = [&full, &unchanged, &differential];
    assert_eq!(garbage(&node, &manifests), [] as [String; 0]);
}

#[tokio::test]
async fn a_backup_without_packs_and_one_with_build_on_each_other() {
    for packs_first in [true, false] {
        let mut node = node();
        let packs_from = node.agent.config.packed_file_bytes_max;
        let size = |packs| if packs { packs_from } else { 0 };
        node.agent.config.packed_file_bytes_max = size(packs_first);
        node.back_up("b1", None).await;
        node.table("full", 1, 0).sstable("nb-3-big", "three");
        node.agent.config.packed_file_bytes_max = size(!packs_first);
        let differential = node.back_up("b2", Some("b1")).await;
        check_bucket(&node, &differential).await;
        for file in differential.files() {
            let is_of_base = file.from.is_some();
            assert_eq!(file.offset.is_some(), is_of_base == packs_first, "{file:?}");
        }
    }
}

#[tokio::test]
async fn a_pack_that_is_there_is_adopted_only_if_it_is_the_same() {
    let clean = node();
    let whole = clean.back_up("b1", None).await;
    let key = *packs(&whole).first().unwrap();
    let bytes = clean.agent.store.get(key, 1 << 20).await.unwrap();
    let mut flipped = bytes.to_vec();
    flipped[5] ^= 1;
    for (there, expected) in [
        (bytes, key.to_owned()),
        (flipped.into(), format!("{key}.2")),
    ] {
        let node = node();
        take(&node).await;
        node.agent.store.put(key, there).await.unwrap();
        upload_as(&node, "b1").await.unwrap();
        let manifest = node.manifest("b1").await;
        check_bucket(&node, &manifest).await;
        assert_eq!(packs(&manifest), [expected.as_str()].into());
    }
}

/// The files of table `full` in the node's snapshot.
async fn pieces(node: &FakeNode) -> Vec<Piece> {
    let tables = tables::list(&*node.agent.node.cql).await.unwrap();
    let found = snapshot::look(&node.agent, "ringkeep-tag", &tables).await;
    let found = found.unwrap().into_iter();
    let mut full = found.filter(|table| table.table.table.table == "full");
    let SnapshotTable { table, files, .. } = full.next().unwrap();
    let table = Arc::new(table);
    let files = cassandra_node::sstables::with_sstables(files).into_iter();
    files
        .map(|(file, sstable)| Piece {
            table: table.clone(),
            file,
            sstable,
        })
        .collect()
}

/// Of a full backup `b1`, for which nothing is in the bucket yet.
async fn uploader(node: &FakeNode, work: Work) -> Uploader {
    let (journal, _) = Journal::open(node.root.path().join("journal"))
        .await
        .unwrap();
    Uploader {
        bucket: node.agent.bucket(),
        work,
        backup: FakeNode::backup("b1"),
        host_id: FakeNode::host_id(1),
        earlier: Default::default(),
        done: HashMap::new(),
        journal,
        keep_damaged: false,
        pieces: Pieces::of(&node.agent),
    }
}

#[tokio::test]
async fn packs_of_other_files_with_the_same_content_are_objects_of_their_own() {
    let node = many(4);
    take(&node).await;
    let mut lists = pieces(&node).await;
    lists.retain(|piece| piece.file.component == TOC);
    lists.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    let others = lists.split_off(2);
    let (work, ..) = Work::new();
    let uploader = uploader(&node, work).await;
    let mut stored = Vec::new();
    for pack in [lists.clone(), others, lists] {
        stored.push(uploader.store_pack(pack).await.unwrap());
    }
    let again = stored.pop().unwrap();
    assert_eq!(again, stored[0], "the same files are the same pack");
    let mut manifest = many(4).back_up("b1", None).await;
    let files = stored.into_iter().flatten().map(|(_, kept)| kept.file);
    manifest.tables[0].files = files.collect();
    assert_eq!(packs(&manifest).len(), 2);
    check_bucket(&node, &manifest).await;
    let key = bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
    node.put_manifest(&key, &manifest);
    let read = node.read(&manifest.backup, FakeNode::host_id(1)).await;
    assert_eq!(read.unwrap().unwrap().document, manifest);
}

#[tokio::test]
async fn a_file_that_changes_is_left_out_of_its_pack() {
    let node = node();
    take(&node).await;
    let pieces = pieces(&node).await;
    // Cassandra appends to the list when an index is made, after the agent has looked.
    let list = pieces
        .iter()
        .position(|piece| piece.file.component == TOC)
        .unwrap();
    let longer = "Data.db\nSAI+aa+GroupComplete.db\n".repeat(9);
    fs::write(&pieces[list].file.path, &longer).unwrap();
    let (work, progress, _stop) = Work::new();
    let uploader = uploader(&node, work).await;
    let stored = uploader.store_pack(pieces.clone()).await.unwrap();
    assert_eq!(stored.len(), pieces.len());
    let (whole, packed): (Vec<_>, Vec<_>) = stored
        .iter()
        .map(|(_, kept)| &kept.file)
        .partition(|file| file.offset.is_none());
    assert_eq!(whole.len(), 1);
    assert_eq!(
        (whole[0].name.as_str(), whole[0].bytes),
        (pieces[list].file.name(), longer.len() as u64)
    );
    let bytes = node
        .agent
        .store
        .get(&whole[0].object, 1 << 20)
        .await
        .unwrap();
    assert_eq!(bytes, longer);
    // There is no hole in its place.
    let mut places: Vec<_> = packed.iter().filter_map(|file| file.place()).collect();
    places.sort_by_key(|place| place.start);
    assert!(places.windows(2).all(|pair| pair[0].end == pair[1].start));
    let total: u64 = stored.iter().map(|(_, kept)| kept.file.bytes).sum();
    assert_eq!(progress.borrow().bytes_done, total);
}

#[tokio::test]
async fn damage_of_a_file_in_a_pack_is_named_or_kept() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["real"]);
    let folder = node.table("real", 1, 0);
    folder.copy(&fixture("big-nb/compression/tiny_chunks"));
    let path = folder.0.join("nb-1-big-Data.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[3000] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    take(&node).await;
    let error = upload_as(&node, "b1").await.unwrap_err();
    assert_eq!(error.reason(), "SSTABLE_DAMAGED", "{error}");
    assert!(error.to_string().contains("/nb-1-big-Data.db`"), "{error}");
    let (work, ..) = Work::new();
    let keeping = Upload {
        keep_damaged: true,
        ..node.upload("b1", None)
    };
    let summary = upload(&node.agent, &keeping, &work).await.unwrap();
    assert_eq!(summary.damaged_sstables, 1);
    let manifest = node.manifest("b1").await;
    assert_eq!(packs(&manifest).len(), 1);
    check_bucket(&node, &manifest).await;
}

#[tokio::test]
async fn packs_take_their_memory_from_the_budget() {
    let mut node = many(40);
    node.agent.budget = Budget::new(64 << 10);
    node.agent.config.parallel_files = 8;
    let manifest = node.back_up("b1", None).await;
    assert!(packs(&manifest).len() > 4);
    check_bucket(&node, &manifest).await;
    let budget = &node.agent.budget;
    assert!(budget.peak_bytes() <= budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn large_files_and_files_without_company_are_objects_of_their_own() {
    let mut node = node();
    node.agent.config.packed_file_bytes_max = 50;
    let manifest = node.back_up("b1", None).await;
    check_bucket(&node, &manifest).await;
    let is_packed = |large: bool| {
        let files = manifest
            .files()
            .filter(move |file| (file.bytes > 50) == large);
        let packed: BTreeSet<bool> = files.map(|file| file.offset.is_some()).collect();
        packed
    };
    assert_eq!(
        (is_packed(false), is_packed(true)),
        ([true].into(), [false].into())
    );
    let statistics = node.table("full", 1, 0).0.join("nb-1-big-TOC.txt");
    fs::write(&statistics, "Data.db\n").unwrap();
    let differential = node.back_up("b2", Some("b1")).await;
    let own: Vec<_> = differential
        .files()
        .filter(|file| file.from.is_none())
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].offset, None, "nothing travels with it");
}
