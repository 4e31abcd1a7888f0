//! A full backup copies what is unchanged inside the store, just what a differential would refer to, and is complete
//! whatever becomes of the backup that it copies from.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use api::ServiceError;
use blob_store::testing::{Fault, Faulty, Gate, Stop};
use blob_store::{Counted, Counts};

use super::pack_tests::{garbage, many};
use super::tests::{check_bucket, node, take};
use super::*;
use crate::testing::FakeNode;

async fn upload_copying(node: &FakeNode, backup: &str) -> Result<Summary, UploadError> {
    let (work, ..) = Work::new();
    upload(&node.agent, &node.upload_copying(backup, "b1"), &work).await
}

/// All that a backup has stored.
fn forget(node: &FakeNode, backup: &str) {
    let data = bucket::keys::data(&FakeNode::backup(backup));
    fs::remove_dir_all(node.bucket_root.join(data)).unwrap();
}

/// Removes an SSTable from the node.
fn remove(node: &FakeNode, descriptor: &str) {
    for component in [
        "Data.db",
        "Index.db",
        "Statistics.db",
        "Digest.crc32",
        "TOC.txt",
    ] {
        let name = format!("{descriptor}-{component}");
        fs::remove_file(node.table("full", 1, 0).0.join(name)).unwrap();
    }
}

/// Names of files with their indexes, of those that are as asked for.
fn named(
    manifest: &NodeManifest,
    is: impl Fn(&StoredFile) -> bool,
) -> BTreeSet<(Option<String>, String)> {
    let files = manifest.files().filter(|file| is(file));
    files
        .map(|file| (file.index.clone(), file.name.clone()))
        .collect()
}

fn copied(manifest: &NodeManifest) -> BTreeSet<(Option<String>, String)> {
    named(manifest, |file| file.copied_from.is_some())
}

/// Counts what a backup asks of the store.
async fn counted(node: &mut FakeNode, make: impl AsyncFn(&FakeNode)) -> Counts {
    let counted = Arc::new(Counted::new(node.bucket.clone()));
    node.agent.store = counted.clone();
    make(node).await;
    counted.counts()
}

fn both() -> [FakeNode; 2] {
    [node(), node().unpacked()]
}

#[tokio::test]
async fn no_data_leaves_the_node_if_nothing_has_changed() {
    for (mut node, objects) in both().into_iter().zip([1, 15]) {
        let first = node.back_up("b1", None).await;
        let counts = counted(&mut node, async |node| {
            node.back_up_copying("b2", "b1").await;
        })
        .await;
        let second = node.manifest("b2").await;
        let key = bucket::keys::node_manifest(&second.backup, &second.member.host_id);
        let manifest_bytes = node.bucket.head(&key).await.unwrap().unwrap().size;
        assert_eq!(counts.bytes_up, manifest_bytes, "{counts:?}");
        assert_eq!((counts.puts, counts.copies), (1, objects), "{counts:?}");
        // That there is no manifest yet, and the two of the backup that is copied from.
        assert_eq!((counts.gets, counts.heads, counts.lists), (3, 0, 0));
        assert_eq!(copied(&second), named(&first, |_| true));
        assert_eq!(second.copied_bytes(), second.uploaded_bytes());
        assert!(second.files().all(|file| file.from.is_none()));
        forget(&node, "b1");
        check_bucket(&node, &second).await;
        assert_eq!(garbage(&node, &[&second]), [] as [String; 0]);
    }
}

#[tokio::test]
async fn a_differential_after_nothing_has_changed_makes_no_request_for_data() {
    for mut node in both() {
        node.back_up("b1", None).await;
        let counts = counted(&mut node, async |node| {
            node.back_up("b2", Some("b1")).await;
        })
        .await;
        // The node manifest is written; that there was none, the base's two are read.
        let expected = Counts {
            puts: 1,
            gets: 3,
            bytes_up: counts.bytes_up,
            bytes_down: counts.bytes_down,
            ..Counts::default()
        };
        assert_eq!(counts, expected);
        let manifest = node.manifest("b2").await;
        assert!(manifest.files().all(|file| file.from.is_some()));
        assert_eq!(manifest.copied_bytes(), 0);
    }
}

#[tokio::test]
async fn just_what_a_differential_would_refer_to_is_copied() {
    type Change = fn(&FakeNode);
    let changes: [Change; 6] = [
        |_| {},
        |node| node.table("full", 1, 0).sstable("nb-3-big", "three"),
        |node| {
            let statistics = node.table("full", 1, 0).0.join("nb-1-big-Statistics.db");
            let rewritten = crate::testing::statistics("nb-1-big", "ONE");
            fs::write(statistics, rewritten).unwrap();
        },
        |node| {
            let data = node.table("full", 1, 0).0.join("nb-1-big-Data.db");
            let content = fs::read(&data).unwrap();
            fs::remove_file(&data).unwrap();
            fs::write(&data, content).unwrap();
        },
        |node| {
            remove(node, "nb-1-big");
            node.table("full", 1, 0).sstable("nb-1-big", "eno");
        },
        |node| {
            let list = node.table("full", 1, 0).0.join("nb-1-big-TOC.txt");
            fs::write(
                list,
                "TOC.txt\nData.db\nIndex.db\nStatistics.db\nDigest.crc32\n",
            )
            .unwrap();
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        for node in both() {
            node.back_up("b1", None).await;
            change(&node);
            let differential = node.back_up("b2", Some("b1")).await;
            let full = node.back_up_copying("b3", "b1").await;
            let referred = named(&differential, |file| file.from.is_some());
            assert_eq!(copied(&full), referred, "change {at}");
            let hashes = |manifest: &NodeManifest| {
                let files = manifest.files();
                let all: Vec<_> = files
                    .map(|file| (file.name.clone(), file.blake3.clone(), file.source.clone()))
                    .collect();
                all
            };
            assert_eq!(hashes(&full), hashes(&differential), "change {at}");
            forget(&node, "b1");
            check_bucket(&node, &full).await;
        }
    }
}

#[tokio::test]
async fn differentials_and_copies_can_be_copied_from() {
    for node in both() {
        node.back_up("b1", None).await;
        node.table("full", 1, 0).sstable("nb-3-big", "three");
        node.back_up("b2", Some("b1")).await;
        let of_both = node.back_up_copying("b3", "b2").await;
        assert_eq!(of_both.copied_bytes(), of_both.uploaded_bytes());
        let of_copy = node.back_up_copying("b4", "b3").await;
        assert_eq!(copied(&of_copy), named(&of_both, |_| true));
        let differential = node.back_up("b5", Some("b4")).await;
        assert_eq!(differential.copied_bytes(), 0);
        // Whatever lies between, all of it descends from the one that uploaded, and whoever copies it will know.
        let first = BTreeSet::from(["b1".parse().unwrap()]);
        for manifest in [&of_both, &of_copy, &differential] {
            assert_eq!(manifest.copied_from(), first);
        }
        let of_differential = node.back_up_copying("b6", "b5").await;
        assert_eq!(of_differential.copied_from(), first);
        for backup in ["b1", "b2", "b3"] {
            forget(&node, backup);
        }
        check_bucket(&node, &of_copy).await;
        check_bucket(&node, &differential).await;
    }
}

#[tokio::test]
async fn what_is_gone_is_uploaded() {
    for is_all_gone in [false, true] {
        for node in both() {
            node.back_up("b1", None).await;
            forget(&node, "b1");
            if is_all_gone {
                fs::remove_dir_all(node.bucket_root.join("ringkeep/1/backups")).unwrap();
                fs::remove_dir_all(node.bucket_root.join("ringkeep/1/nodes")).unwrap();
            }
            let full = node.back_up_copying("b2", "b1").await;
            assert_eq!(copied(&full), BTreeSet::new());
            check_bucket(&node, &full).await;
        }
    }
}

#[tokio::test]
async fn a_backup_that_is_deleted_while_it_is_copied_from_does_no_harm() {
    for (mut node, at) in [(node(), 4), (node().unpacked(), 4), (node().unpacked(), 12)] {
        node.back_up("b1", None).await;
        // The calls before the first copy read manifests.
        let gate = Arc::new(Gate::new(node.bucket.clone(), Stop::BeforeCall(at)));
        node.agent.store = gate.clone();
        let delete = async {
            gate.reached().await;
            forget(&node, "b1");
            gate.open();
        };
        let (full, ()) = tokio::join!(node.back_up_copying("b2", "b1"), delete);
        check_bucket(&node, &full).await;
        assert_eq!(garbage(&node, &[&full]), [] as [String; 0], "{at}");
        assert!(copied(&full).len() < 15);
    }
}

#[tokio::test]
async fn a_copy_that_dies_at_any_call_goes_on_and_ends_the_same() {
    for is_packed in [true, false] {
        let make = || if is_packed { node() } else { node().unpacked() };
        for call in 1.. {
            let mut died = false;
            let mut calls = 0;
            for fault in [
                Fault::DieBefore(call),
                Fault::DieAfter(call),
                Fault::FailOnce(call),
                Fault::LoseAnswer(call),
            ] {
                let node = make();
                node.back_up("b1", None).await;
                take(&node).await;
                node.store.set(fault.clone());
                died |= upload_copying(&node, "b2").await.is_err();
                calls = node.store.calls();
                node.store.heal();
                upload_copying(&node, "b2").await.unwrap();
                let manifest = node.manifest("b2").await;
                forget(&node, "b1");
                check_bucket(&node, &manifest).await;
                assert_eq!(copied(&manifest).len(), 15, "{fault:?}");
                assert_eq!(garbage(&node, &[&manifest]), [] as [String; 0], "{fault:?}");
            }
            if !died && call > calls {
                break;
            }
        }
    }
}

#[tokio::test]
async fn copies_that_the_journal_names_are_laid_into_no_pack() {
    let mut node = many(20);
    node.agent.budget = blob_store::Budget::new(64 << 10);
    node.back_up("b1", None).await;
    node.table("full", 1, 0).sstable("nb-77-big", "new");
    let clean = {
        let manifest = node.back_up_copying("b3", "b1").await;
        take(&node).await;
        named(&manifest, |file| file.copied_from.is_none())
    };
    // Everything is stored but the manifest.
    node.store.set(Fault::DieBefore(1000));
    upload_copying(&node, "b4").await.unwrap();
    let calls = node.store.calls();
    node.store.set(Fault::DieBefore(calls));
    upload_copying(&node, "b2").await.unwrap_err();
    node.store.heal();
    // What it was copied from is gone by now.
    forget(&node, "b1");
    fs::remove_dir_all(node.bucket_root.join("ringkeep/1/backups/c")).unwrap();
    upload_copying(&node, "b2").await.unwrap();
    let manifest = node.manifest("b2").await;
    assert_eq!(named(&manifest, |file| file.copied_from.is_none()), clean);
    check_bucket(&node, &manifest).await;
    let (third, fourth) = (node.manifest("b3").await, node.manifest("b4").await);
    let all = [&manifest, &third, &fourth];
    assert_eq!(garbage(&node, &all), [] as [String; 0]);
}

#[tokio::test]
async fn a_pack_is_copied_if_half_of_it_is_still_needed() {
    for (gone, is_copied) in [(5, true), (9, true), (11, false), (18, false)] {
        let node = many(20);
        node.back_up("b1", None).await;
        for number in 0..gone {
            remove(&node, &format!("nb-{number}-big"));
        }
        let full = node.back_up_copying("b2", "b1").await;
        let expected = if is_copied { full.files().count() } else { 0 };
        assert_eq!(copied(&full).len(), expected, "{gone} of 20 are gone");
        check_bucket(&node, &full).await;
    }
}

#[tokio::test]
async fn a_copied_pack_of_which_ever_less_is_needed_is_copied_for_as_long_as_half_of_it_is() {
    let node = many(20);
    node.back_up("b1", None).await;
    // The manifest of the second backup names nothing of the pack's end.
    for (backup, from, gone, is_copied) in [
        ("b2", "b1", 14..20, true),
        ("b3", "b2", 11..14, true),
        ("b4", "b3", 7..11, false),
    ] {
        for number in gone {
            remove(&node, &format!("nb-{number}-big"));
        }
        let full = node.back_up_copying(backup, from).await;
        let expected = if is_copied { full.files().count() } else { 0 };
        assert_eq!(copied(&full).len(), expected, "{backup}");
        check_bucket(&node, &full).await;
    }
}

#[tokio::test]
async fn objects_that_are_gone_or_of_another_size_are_no_refusal_of_the_store() {
    for is_gone in [true, false] {
        let node = node().unpacked();
        let first = node.back_up("b1", None).await;
        let (kept, lost): (Vec<_>, Vec<_>) = first
            .files()
            .partition(|file| file.name.ends_with("TOC.txt"));
        for file in &lost {
            let path = node.bucket_root.join(&file.object);
            match is_gone {
                true => fs::remove_file(path).unwrap(),
                false => fs::write(path, "another size, whatever it was").unwrap(),
            }
        }
        assert!(lost.len() > 8);
        let full = node.back_up_copying("b2", "b1").await;
        assert_eq!(copied(&full).len(), kept.len());
        check_bucket(&node, &full).await;
    }
}

#[tokio::test]
async fn a_file_whose_damage_was_kept_is_read_again_and_not_copied() {
    for node in both() {
        let data = node.table("full", 1, 1).0.join("nb-2-big-Data.db");
        let sound = fs::read(&data).unwrap();
        let modified = fs::metadata(&data).unwrap().modified().unwrap();
        // Its inode and its time stay the same.
        let write = |bytes: &[u8]| {
            fs::write(&data, bytes).unwrap();
            let file = fs::File::options().write(true).open(&data).unwrap();
            file.set_modified(modified).unwrap();
        };
        let mut damaged = sound.clone();
        damaged[3] ^= 1;
        write(&damaged);
        take(&node).await;
        let (work, ..) = Work::new();
        let keeping = |upload: Upload| Upload {
            keep_damaged: true,
            ..upload
        };
        let first = keeping(node.upload("b1", None));
        upload(&node.agent, &first, &work).await.unwrap();
        node.commit("b1").await;
        let error = upload_copying(&node, "b2").await.unwrap_err();
        assert_eq!(error.reason(), "SSTABLE_DAMAGED", "{error}");
        let second = keeping(node.upload_copying("b3", "b1"));
        let summary = upload(&node.agent, &second, &work).await.unwrap();
        assert_eq!(summary.damaged_sstables, 1);
        let is_data = |file: &StoredFile| file.name == "nb-2-big-Data.db";
        let copies = copied(&node.manifest("b3").await);
        assert!(copies.iter().all(|(_, name)| name != "nb-2-big-Data.db"));
        write(&sound);
        let summary = upload_copying(&node, "b4").await.unwrap();
        assert_eq!(summary.damaged_sstables, 0);
        let manifest = node.manifest("b4").await;
        assert_eq!(named(&manifest, is_data).len(), 1);
        check_bucket(&node, &manifest).await;
    }
}

#[tokio::test]
async fn a_differential_copies_nothing() {
    let node = node();
    let both = Upload {
        copy_from: Some("b0".parse().unwrap()),
        ..node.upload("b2", Some("b1"))
    };
    let (work, ..) = Work::new();
    let error = upload(&node.agent, &both, &work).await.unwrap_err();
    assert_eq!(error.reason(), "BASE_MISMATCH");
}

#[tokio::test]
async fn a_store_that_refuses_to_copy_gets_everything_and_is_soon_not_asked_again() {
    for (fault, asked_max) in [(Fault::RefuseCopies, 5), (Fault::FailCopies, 30)] {
        let is_retryable = fault == Fault::FailCopies;
        for (mut node, objects) in both().into_iter().zip([1, 15]) {
            node.back_up("b1", None).await;
            let refusing = Faulty::new(node.bucket.clone());
            refusing.set(fault.clone());
            let counted = Arc::new(Counted::new(Arc::new(refusing)));
            node.agent.store = counted.clone();
            let full = node.back_up_copying("b2", "b1").await;
            assert_eq!(copied(&full), BTreeSet::new());
            check_bucket(&node, &full).await;
            let asked = counted.counts().copies;
            let tries = if is_retryable { 2 } else { 1 };
            // Two files are on their way at once. That it is unavailable is no refusal.
            assert!((1..=asked_max).contains(&asked), "{asked} for {objects}");
            let asked_least = if is_retryable {
                objects
            } else {
                objects.min(4)
            };
            assert!(asked >= tries * asked_least, "{asked} for {objects}");
        }
    }
}
