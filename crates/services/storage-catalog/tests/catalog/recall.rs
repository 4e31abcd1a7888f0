//! Summaries in the bucket: the first list after a start reads them, and nothing that matters depends on them.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, BackupSummary};
use blob_store::testing::{Fault, Faulty, Memory};
use blob_store::{Counted, Counts};
use bucket::{Bucket, Read, keys, seal_document};
use model::manifest::{BackupKind, Summaries};

use crate::list::memory_bytes;
use crate::world::{World, backup, memory_world, refused, task};

/// Enough that they are worth to be kept.
const BACKUPS: u128 = 32;

async fn many() -> (Memory, World) {
    let (memory, world) = memory_world();
    for number in 1..=BACKUPS {
        world.full(&format!("f{number}"), task(number)).await;
    }
    (memory, world)
}

fn kept(memory: &Memory) -> Vec<String> {
    let mut keys = memory.keys();
    keys.retain(|key| key.starts_with("ringkeep/1/summaries/"));
    keys
}

async fn summaries(memory: &Memory) -> Summaries {
    let bucket = Bucket::new(Arc::new(memory.clone()));
    let key = kept(memory).pop().expect("a document");
    let read: Option<Read<Summaries>> = bucket.read(&key).await.expect("reads");
    read.expect("is there").document
}

fn replace(memory: &Memory, summaries: &Summaries) {
    let key = kept(memory).pop().expect("a document");
    memory.overwrite(&key, seal_document(summaries).expect("seals").0);
}

/// What a catalog that was just started lists, and the requests of it.
async fn listed_after_start(memory: &Memory) -> (Vec<BackupSummary>, Counts) {
    let counted = Arc::new(Counted::new(Arc::new(memory.clone())));
    let listed = World::on(counted.clone()).list().await;
    (listed, counted.counts())
}

#[tokio::test]
async fn the_first_list_after_a_start_reads_one_document() {
    let (memory, world) = many().await;
    world.differential("d", "f1", task(99)).await;
    let (first, counts) = listed_after_start(&memory).await;
    assert!(counts.gets as u128 > BACKUPS, "{counts:?}");
    assert_eq!(kept(&memory).len(), 1);
    let (second, counts) = listed_after_start(&memory).await;
    assert_eq!((counts.gets, counts.puts), (1, 0));
    assert_eq!(first, second);
    // Those that were made since are few, and are read.
    world.full("newer", task(100)).await;
    let (third, counts) = listed_after_start(&memory).await;
    assert_eq!((counts.gets, counts.puts), (2, 0));
    assert_eq!(third.len(), first.len() + 1);
}

#[tokio::test]
async fn a_differential_finds_its_base_by_summaries() {
    let (memory, _) = many().await;
    listed_after_start(&memory).await;
    let counted = Arc::new(Counted::new(Arc::new(memory.clone())));
    let world = World::on(counted.clone());
    let begun = world.begin("d", Some(""), task(200)).await.expect("begins");
    assert_eq!(begun.base, format!("f{BACKUPS}"));
    assert!(counted.counts().gets < 10, "{:?}", counted.counts());
}

#[tokio::test]
async fn summaries_that_cannot_be_used_are_replaced() {
    let (memory, _) = many().await;
    let (first, _) = listed_after_start(&memory).await;
    let damaged = kept(&memory).pop().expect("a document");
    let mut others = summaries(&memory).await;
    others.backups.truncate(1);
    others.backups[0].summary.backup.cluster = "other".parse().expect("a name");
    let misplaced = seal_document(&others).expect("seals").0;
    for content in [misplaced, b"not a document".to_vec()] {
        let damaged = kept(&memory).pop().unwrap_or(damaged.clone());
        memory.overwrite(&damaged, content);
        assert_eq!(listed_after_start(&memory).await.0, first);
        let now = kept(&memory);
        assert_eq!(now.len(), 1);
        assert!(now[0] > damaged, "{now:?}");
        assert_eq!(listed_after_start(&memory).await.1.gets, 1);
    }
}

#[tokio::test]
async fn a_summary_of_another_object_does_not_count() {
    let (memory, _) = many().await;
    let (mut expected, _) = listed_after_start(&memory).await;
    // The same backup, deleted and written again by hand: another tag.
    let key = keys::backup_manifest(&backup("f3"));
    let manifest = memory_bytes(&memory, &key).await;
    let mut changed = summaries(&memory).await;
    for kept in &mut changed.backups {
        kept.summary.bytes += 1;
    }
    replace(&memory, &changed);
    memory.overwrite(&key, manifest);
    for summary in &mut expected {
        if summary.backup != crate::world::wire_ref("f3") {
            summary.bytes += 1;
        }
    }
    assert_eq!(listed_after_start(&memory).await.0, expected);
    // Of backups that are not listed, nothing is believed.
    changed.backups[0].summary.backup = backup("never");
    replace(&memory, &changed);
    let (listed, _) = listed_after_start(&memory).await;
    assert_eq!(listed.len() as u128, BACKUPS);
}

#[tokio::test]
async fn what_is_deleted_is_decided_by_manifests() {
    let (memory, world) = many().await;
    world.differential("d", "f1", task(99)).await;
    listed_after_start(&memory).await;
    let mut wrong = summaries(&memory).await;
    for kept in &mut wrong.backups {
        kept.summary.base = None;
        kept.summary.kind = BackupKind::Full;
    }
    replace(&memory, &wrong);
    let started = World::on(Arc::new(memory.clone()));
    started.list().await;
    refused(started.delete("f1").await, "BACKUP_IS_BASE");
    assert_eq!(started.state("f1").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn summaries_end_with_the_last_backup() {
    let (memory, world) = many().await;
    listed_after_start(&memory).await;
    for number in 1..=BACKUPS {
        assert_eq!(kept(&memory).len(), 1);
        world.delete(&format!("f{number}")).await.expect("deletes");
    }
    assert_eq!(kept(&memory), Vec::<String>::new());
}

const FAULTS: [fn(u64) -> Fault; 4] = [
    Fault::DieBefore,
    Fault::DieAfter,
    Fault::FailOnce,
    Fault::LoseAnswer,
];

#[tokio::test]
async fn a_list_that_dies_while_summaries_are_kept_harms_nothing() {
    let (scene, world) = many().await;
    listed_after_start(&scene).await;
    assert_eq!(kept(&scene).len(), 1);
    // The next list keeps another document, and deletes that one.
    for number in BACKUPS + 1..=2 * BACKUPS {
        world.full(&format!("f{number}"), task(number)).await;
    }
    let expected = World::on(Arc::new(scene.fork())).list().await;
    for fault in FAULTS {
        for call in 1.. {
            let memory = scene.fork();
            let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
            let world = World::on(faulty.clone());
            faulty.set(fault(call));
            let listed = world.try_list().await;
            if faulty.calls() < call {
                break;
            }
            let at = fault(call);
            if let Ok(listed) = listed {
                assert_eq!(listed, expected, "{at:?}");
            }
            assert_eq!(listed_after_start(&memory).await.0, expected, "{at:?}");
            assert_eq!(listed_after_start(&memory).await.1.gets, 1, "{at:?}");
        }
    }
}

#[tokio::test]
async fn a_deletion_of_the_last_backup_that_dies_leaves_no_summaries_when_it_is_finished() {
    let (scene, world) = many().await;
    listed_after_start(&scene).await;
    for number in 2..=BACKUPS {
        world.delete(&format!("f{number}")).await.expect("deletes");
    }
    assert_eq!(kept(&scene).len(), 1);
    for fault in FAULTS {
        for call in 1.. {
            let memory = scene.fork();
            let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
            faulty.set(fault(call));
            let deleted = World::on(faulty.clone()).delete("f1").await;
            if faulty.calls() < call {
                break;
            }
            let at = format!("{:?}: {deleted:?}", fault(call));
            match World::on(Arc::new(memory.clone())).delete("f1").await {
                Ok(_) => {}
                // The first try had come to its end, and only its reply was lost.
                Err(error) => assert_eq!(error.reason, "BACKUP_NOT_FOUND", "{at}"),
            }
            assert_eq!(kept(&memory), Vec::<String>::new(), "{at}");
        }
    }
}
