//! A deletion that is held up while others come to their end: what it still deletes is of no backup that anyone has.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, DeleteBackupIfRequest, DeleteBackupRequest};
use blob_store::BlobStore;
use blob_store::testing::{Gate, Memory, Stop};
use bucket::keys;
use uuid::Uuid;

use crate::interleaved::{CALLS_MAX, Held};
use crate::world::{
    FULL_FILES, World, backup, but_tombstones, memory_world, refused, task, wire_ref,
};

/// Held before each of its calls in turn, while another deletion ends and the backup is made again, if it can be.
#[tokio::test]
async fn a_deletion_that_is_held_up_hollows_no_later_backup_of_the_name() {
    let (scene, world) = memory_world();
    world.full("f1", task(1)).await;
    for call in 1.. {
        assert!(call < CALLS_MAX, "it never ends");
        let memory = scene.fork();
        let first = Held::before(call, &memory, |world| {
            Box::pin(async move { world.delete("f1").await.map(drop) })
        })
        .await;
        let is_last = first.ended.is_some();
        let other = World::on(Arc::new(memory.clone()));
        let second = other.delete("f1").await;
        assert!(is_last || second.is_ok(), "{call}: {second:?}");
        let begun = other.begin("f1", None, task(2)).await;
        if begun.is_ok() {
            other.upload_all("f1", None, FULL_FILES).await;
            other.commit("f1", task(2)).await.expect("commits");
        }
        let _ = first.go_on().await;
        other.assert_complete_is_whole().await;
        if begun.is_ok() {
            let state = other.state("f1").await;
            assert_eq!(state, Some(BackupState::Complete), "{call}");
        } else {
            refused(begun, "BACKUP_NAME_BURIED");
            assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"], "{call}");
        }
        if is_last {
            break;
        }
    }
}

#[tokio::test]
async fn a_refused_takeover_leaves_the_mark_of_the_deletion_that_lives() {
    let memory = Memory::default();
    let tombstone = keys::tombstone(&backup("f1"));
    let stop = Stop::BeforePut(tombstone);
    let gate = Arc::new(Gate::new(Arc::new(memory.clone()), stop));
    let held = World::on(gate.clone());
    let other = World::on(Arc::new(memory.clone()));
    other.full("f1", task(1)).await;
    let first = tokio::spawn(async move { held.delete("f1").await });
    gate.reached().await;
    let relying = DeleteBackupIfRequest {
        backup: wire_ref("f1"),
        relies_on: vec!["gone".into()],
        ..DeleteBackupIfRequest::default()
    };
    refused(other.delete_if(relying).await, "RELIED_ON_GONE");
    assert_eq!(other.state("f1").await, Some(BackupState::Deleting));
    refused(other.pin("f1", task(2)).await, "BACKUP_DELETING");
    refused(other.keep("f1", "audit", None).await, "BACKUP_DELETING");
    gate.open();
    first.await.expect("runs").expect("deletes");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn marks_of_earlier_attempts_go_only_if_they_are_said_to_be_dead() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.pin("f1", task(2)).await.expect("pins");
    let mark = keys::deletion_mark(&backup("f1"), 1, &Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    let delete = |earlier_are_dead| DeleteBackupRequest {
        backup: wire_ref("f1"),
        earlier_are_dead,
        ..DeleteBackupRequest::default()
    };
    refused(world.delete_with(delete(false)).await, "BACKUP_PINNED");
    assert_eq!(world.state("f1").await, Some(BackupState::Deleting));
    refused(world.delete_with(delete(true)).await, "BACKUP_PINNED");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    world.assert_complete_is_whole().await;
}

#[tokio::test]
async fn a_buried_name_that_an_older_release_has_begun_is_not_committed() {
    let (memory, world) = memory_world();
    world.begin("f1", None, task(2)).await.expect("begins");
    world.upload_all("f1", None, FULL_FILES).await;
    let elsewhere = memory.fork();
    let other = World::on(Arc::new(elsewhere.clone()));
    other.abandon("f1", task(2)).await.expect("given up");
    other.delete("f1").await.expect("deletes");
    let key = keys::tombstone(&backup("f1"));
    let tombstone = elsewhere.get(&key, 4096).await.expect("a tombstone");
    memory.overwrite(&key, tombstone);
    refused(world.commit("f1", task(2)).await, "BACKUP_NAME_BURIED");
}
