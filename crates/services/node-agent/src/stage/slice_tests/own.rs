//! What a node takes of a source that it stands for: its own partitions, whole SSTables wherever all of one are its own.

use std::collections::BTreeMap;

use model::manifest::{Encryption, KeptDamage};

use super::*;
use crate::testing::FakeNode;

/// Ranges with all partitions, apart from each other wherever two are.
pub(super) fn all_but_gaps(source: &Source) -> Vec<(i64, i64)> {
    let tokens = source.tokens();
    tokens.iter().map(|token| (token - 1, *token)).collect()
}

pub(super) fn own(ranges: &[(i64, i64)]) -> Stage {
    order(vec![SourceShare {
        trims: true,
        ..share(1, ranges)
    }])
}

/// Files by name, without what is made for each SSTable.
pub(super) fn files_of(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let sstables = sstables(folder);
    let files = sstables.iter().flat_map(|sstable| {
        let descriptor = sstable.descriptor().to_string();
        let names = sstable.components().keys().cloned();
        names.map(move |name| (format!("{descriptor}-{name}"), sstable.path(&name)))
    });
    files
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

pub(super) fn live(source: &Source) -> BTreeMap<String, Vec<u8>> {
    files_of(&source.node.table("real", 1, 0).0)
}

async fn loaded(target: &FakeNode, stage: &Stage) -> u64 {
    let (work, ..) = Work::new();
    load(&target.agent, "r1", &stage.tables, &work)
        .await
        .unwrap()
}

fn is_unchecked(target: &FakeNode) -> bool {
    let calls = target.control.calls.lock().unwrap();
    calls
        .iter()
        .any(|call| call == "import ks.real without checking tokens")
}

#[tokio::test]
async fn sstables_without_strays_come_as_they_are_and_each_byte_once() {
    for table in ["big-nb/layouts/simple", "bti-da/layouts/simple"] {
        let source = Source::unpacked(table).await;
        let mut target = source.target();
        let counted = Arc::new(Counted::new(target.store.clone()));
        target.agent.store = counted.clone() as Store;
        let (work, progress, _stop) = Work::new();
        let stage = own(&all_but_gaps(&source));
        let count = target.stage(&stage, &work).await.unwrap();
        let live = live(&source);
        assert!(files_of(&staged_folder(&target)) == live, "{table}");
        let progress = progress.borrow().clone();
        assert_eq!(progress.bytes_done, progress.bytes_total, "{table}");
        assert_eq!(progress.items_done, progress.items_total, "{table}");
        if table.starts_with("big") {
            let key = bucket::keys::node_manifest(&FakeNode::backup("b1"), &FakeNode::host_id(1));
            let manifest = source.node.agent.store.head(&key).await.unwrap().unwrap();
            let bytes: usize = live.values().map(Vec::len).sum();
            assert_eq!(counted.counts().bytes_down, manifest.size + bytes as u64);
        }
        target.store.set(Fault::DieBefore(100));
        assert_eq!(run(&target, &stage).await.unwrap(), count, "{table}");
        assert_eq!(target.store.calls(), 1, "only the manifest");
        target.store.heal();
        assert_eq!(loaded(&target, &stage).await, count);
        assert!(!is_unchecked(&target), "{table}");
    }
}

#[tokio::test]
async fn strays_are_cut_off() {
    let source = Source::unpacked("big-nb/layouts/simple").await;
    let mut ranges = all_but_gaps(&source);
    ranges.remove(ranges.len() / 2);
    let target = source.target();
    let stage = own(&ranges);
    let count = run(&target, &stage).await.unwrap();
    same(&staged(&target), &source.wanted(&ranges), "own");
    assert_eq!(loaded(&target, &stage).await, count);
    assert!(!is_unchecked(&target));
}

#[tokio::test]
async fn what_is_taken_whole_is_fetched_on_after_a_death_at_any_call() {
    let source = Source::unpacked("big-nb/compression/none").await;
    let stage = own(&all_but_gaps(&source));
    let live = live(&source);
    for call in 1.. {
        let target = source.target();
        target.store.set(Fault::DieBefore(call));
        let died = run(&target, &stage).await.is_err();
        target.store.heal();
        for sstable in sstables(&staged_folder(&target)) {
            if sstable.components().contains_key("TOC.txt") {
                partitions(&sstable);
            }
        }
        run(&target, &stage).await.unwrap();
        assert!(files_of(&staged_folder(&target)) == live, "call {call}");
        same(
            &staged(&target),
            &source.wanted(&all_but_gaps(&source)),
            "all",
        );
        if !died {
            assert!(call > 5, "{call}");
            return;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_after_slicing_leaves_no_half_made_slice() {
    let source = Source::unpacked("big-nb/layouts/simple").await;
    // With one SSTable, no other is being sliced when the failure comes.
    source.put_manifest(|manifest| {
        manifest.backup = FakeNode::backup("one");
        let table = &mut manifest.tables[0];
        table.files.retain(|file| file.name.starts_with("nb-1-"));
    });
    let mut files = source.manifest.tables[0].files.iter();
    let data = files.find(|file| file.name == "nb-1-big-Data.db").unwrap();
    fs::remove_file(source.node.root.path().join("bucket").join(&data.object)).unwrap();
    let target = source.target();
    let stage = Stage {
        backup: FakeNode::backup("one"),
        ..own(&all_but_gaps(&source))
    };
    let error = run(&target, &stage).await.unwrap_err();
    assert!(matches!(error, StageError::Missing { .. }), "{error}");
    let unfinished = source::staging(&target).join(".slicing");
    assert_eq!(fs::read_dir(unfinished).unwrap().count(), 0);
}

#[tokio::test]
async fn what_cannot_be_cut_comes_whole_and_is_loaded_without_the_check_of_tokens() {
    let source = Source::unpacked("big-nb/layouts/simple").await;
    source.put_manifest(|manifest| {
        manifest.backup = FakeNode::backup("encrypted");
        let encryption = Encryption {
            compressor: "Encryptor".into(),
            key: "k".into(),
        };
        manifest.tables[0].sstables[0].encryption = Some(encryption);
    });
    // Only reading it shows that nobody here knows this version.
    source.put_manifest(|manifest| {
        manifest.backup = FakeNode::backup("unknown");
        manifest.tables[0].sstables.clear();
        for file in &mut manifest.tables[0].files {
            file.name = file.name.replace("nb-", "nx-");
        }
    });
    let data: Vec<Vec<u8>> = live(&source)
        .into_iter()
        .filter_map(|(name, bytes)| name.ends_with("Data.db").then_some(bytes))
        .collect();
    for backup in ["encrypted", "unknown"] {
        let target = source.target();
        let ranges = all_but_gaps(&source);
        let every_second: Vec<(i64, i64)> = ranges.into_iter().step_by(2).collect();
        let stage = Stage {
            backup: FakeNode::backup(backup),
            ..own(&every_second)
        };
        assert_eq!(run(&target, &stage).await.unwrap(), 2, "{backup}");
        // Again, so that what a first try noted is known to a second.
        assert_eq!(run(&target, &stage).await.unwrap(), 2, "{backup}");
        let staged = files_of(&staged_folder(&target));
        let whole = staged.values().filter(|bytes| data.contains(bytes));
        let expected = if backup == "unknown" { 2 } else { 1 };
        assert_eq!(whole.count(), expected, "{backup}");
        assert_eq!(loaded(&target, &stage).await, 2, "{backup}");
        assert!(is_unchecked(&target), "{backup}");
    }
}

#[tokio::test]
async fn what_was_damaged_on_its_node_comes_whole_and_is_loaded_without_the_check_of_tokens() {
    for component in ["Statistics.db", "Index.db", "CompressionInfo.db"] {
        let source = Source::unpacked("big-nb/layouts/simple").await;
        let name = format!("nb-1-big-{component}");
        let files = &source.manifest.tables[0].files;
        let file = files.iter().find(|file| file.name == name).unwrap();
        let damaged = vec![0xff; file.bytes as usize];
        let object = source.node.root.path().join("bucket").join(&file.object);
        fs::remove_file(&object).unwrap();
        fs::write(&object, &damaged).unwrap();
        for (backup, is_named) in [("unnamed", false), ("named", true)] {
            source.put_manifest(|manifest| {
                manifest.backup = FakeNode::backup(backup);
                let mut files = manifest.tables[0].files.iter_mut();
                let file = files.find(|file| file.name == name).unwrap();
                file.blake3 = blake3::hash(&damaged).to_hex().to_string();
                if is_named {
                    manifest.damaged.push(damage(component));
                }
            });
        }
        let ranges = all_but_gaps(&source);
        let every_second: Vec<(i64, i64)> = ranges.into_iter().step_by(2).collect();
        let of = |backup| Stage {
            backup: FakeNode::backup(backup),
            ..own(&every_second)
        };
        let error = run(&source.target(), &of("unnamed")).await.unwrap_err();
        assert_eq!(error.reason(), "SSTABLE_DAMAGED", "{component}: {error}");
        let (target, stage) = (source.target(), of("named"));
        assert_eq!(run(&target, &stage).await.unwrap(), 2, "{component}");
        let staged = files_of(&staged_folder(&target));
        assert_eq!(staged[&name], damaged, "{component}");
        let live = live(&source);
        assert_eq!(staged["nb-1-big-Data.db"], live["nb-1-big-Data.db"]);
        assert_ne!(staged["nb-2-big-Data.db"], live["nb-2-big-Data.db"]);
        assert_eq!(loaded(&target, &stage).await, 2, "{component}");
        assert!(is_unchecked(&target), "{component}");
    }
}

fn damage(component: &str) -> KeptDamage {
    KeptDamage {
        keyspace: "ks".into(),
        table: "real".into(),
        index: None,
        sstable: "nb-1-big".into(),
        component: component.into(),
        offset: None,
        what: "it is damaged".into(),
    }
}
