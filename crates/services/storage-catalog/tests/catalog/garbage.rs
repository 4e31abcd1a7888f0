//! What is of no use is found by reference, and a deletion for garbage only deletes nothing else.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, DeleteBackupIfRequest, GarbageKind};
use blob_store::BlobStore;
use blob_store::testing::{Fault, Faulty};
use bucket::keys;
use uuid::Uuid;

use crate::world::{
    FULL_FILES, World, backup, but_tombstones, memory_world, object_key, refused, task, wire_ref,
};

fn if_garbage(name: &str) -> DeleteBackupIfRequest {
    DeleteBackupIfRequest {
        backup: wire_ref(name),
        only_garbage: true,
        ..DeleteBackupIfRequest::default()
    }
}

async fn found(world: &World) -> Vec<(String, GarbageKind, bool)> {
    let garbage = world.garbage().await.into_iter();
    let brief = garbage.map(|found| {
        let (kind, has_objects) = (found.kind(), found.objects > 0);
        (found.backup.expect("a name").name, kind, has_objects)
    });
    brief.collect()
}

/// One of each state: complete, running, given up, half deleted, and late objects of a name that no document has.
#[tokio::test]
async fn what_is_of_use_is_never_garbage_and_everything_else_can_be_collected() {
    let (memory, world) = memory_world();
    world.full("complete", task(1)).await;
    world.begin("running", None, task(2)).await.expect("begins");
    world.upload_all("running", None, FULL_FILES).await;
    world.begin("failed", None, task(3)).await.expect("begins");
    world.upload_all("failed", None, FULL_FILES).await;
    world.abandon("failed", task(3)).await.expect("gives up");
    world.full("half", task(4)).await;
    let mark = keys::deletion_mark(&backup("half"), 1, &Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    memory
        .delete(&keys::backup_manifest(&backup("half")))
        .await
        .expect("deletes");
    world
        .put(&object_key(&backup("late"), 1, "nb-1-big-Data.db"), "late")
        .await;
    let result = format!("{}objects/x.json", keys::verifications(&backup("result")));
    world.put(&result, "of a deleted backup").await;
    assert_eq!(
        found(&world).await,
        [
            ("failed".to_owned(), GarbageKind::GivenUp, true),
            ("half".to_owned(), GarbageKind::HalfDeleted, true),
            ("late".to_owned(), GarbageKind::Strays, true),
            ("result".to_owned(), GarbageKind::Strays, true),
        ]
    );
    refused(world.begin("result", None, task(9)).await, "BACKUP_EXISTS");
    for name in ["complete", "running"] {
        let refusal = world.delete_if(if_garbage(name)).await.expect_err("of use");
        assert!(
            ["NOT_GARBAGE", "BACKUP_RUNNING"].contains(&refusal.reason.as_str()),
            "{refusal}"
        );
    }
    for name in ["failed", "half", "late", "result"] {
        let deleted = world.delete_if(if_garbage(name)).await;
        assert!(deleted.expect("deletes").deleted_objects > 0, "{name}");
        refused(world.begin(name, None, task(9)).await, "BACKUP_NAME_BURIED");
    }
    assert_eq!(found(&world).await, []);
    assert_eq!(world.state("complete").await, Some(BackupState::Complete));
    world.commit("running", task(2)).await.expect("commits");
    world.assert_complete_is_whole().await;
    for name in ["complete", "running"] {
        world.delete(name).await.expect("deletes");
    }
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn the_mark_of_a_collector_does_not_make_a_running_backup_garbage() {
    let (memory, world) = memory_world();
    world.begin("b", None, task(1)).await.expect("begins");
    world.upload_all("b", None, FULL_FILES).await;
    let mark = keys::collection_mark(&backup("b"), 1, &Uuid::from_u128(1));
    world.put(&mark, "of a collector that died").await;
    let before = memory.keys();
    assert_eq!(found(&world).await, []);
    refused(world.delete_if(if_garbage("b")).await, "NOT_GARBAGE");
    assert_eq!(memory.keys(), before);
    let mark = keys::deletion_mark(&backup("b"), 1, &Uuid::from_u128(2));
    world.put(&mark, "of a deletion that died").await;
    let half = ("b".to_owned(), GarbageKind::HalfDeleted, true);
    assert_eq!(found(&world).await, [half]);
    world.delete_if(if_garbage("b")).await.expect("deletes");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

/// At each of its calls.
#[tokio::test]
async fn a_collector_that_died_is_followed_by_another_one() {
    let (scene, world) = memory_world();
    world.begin("b", None, task(1)).await.expect("begins");
    world.upload_all("b", None, FULL_FILES).await;
    world.abandon("b", task(1)).await.expect("gives up");
    for call in 1.. {
        assert!(call < 200, "it never ends");
        let memory = scene.fork();
        let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
        faulty.set(Fault::DieBefore(call));
        let died = World::on(faulty.clone()).delete_if(if_garbage("b")).await;
        let is_last = faulty.calls() < call;
        assert_eq!(died.is_ok(), is_last, "{call}");
        let other = World::on(Arc::new(memory.clone()));
        if !found(&other).await.is_empty() {
            let deleted = other.delete_if(if_garbage("b")).await;
            deleted.unwrap_or_else(|error| panic!("{call}: {error}"));
        }
        assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"], "{call}");
        if is_last {
            break;
        }
    }
}

#[tokio::test]
async fn the_mark_of_a_collector_that_died_at_its_end_is_collected() {
    let (memory, world) = memory_world();
    let mark = keys::collection_mark(&backup("b"), 1, &Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    let left = ("b".to_owned(), GarbageKind::Strays, false);
    assert_eq!(found(&world).await, [left]);
    world.delete_if(if_garbage("b")).await.expect("deletes");
    assert_eq!(found(&world).await, []);
    assert!(!memory.keys().contains(&mark));
}
