//! Two catalogs on one bucket: what one does while a call of the other waits at a chosen place.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, DeleteBackupRequest};
use blob_store::testing::{Gate, Memory, Stop};
use bucket::keys;
use tokio::task::JoinHandle;

use crate::world::{FULL_FILES, World, backup, but_tombstones, refused, task, wire_ref};

/// A catalog whose first such call waits, another one, and the bucket of both.
struct Scene {
    gate: Arc<Gate>,
    held: Arc<World>,
    other: World,
    memory: Memory,
}

impl Scene {
    fn new(stop: Stop) -> Self {
        let memory = Memory::default();
        let gate = Arc::new(Gate::new(Arc::new(memory.clone()), stop));
        Self {
            held: Arc::new(World::on(gate.clone())),
            gate,
            other: World::on(Arc::new(memory.clone())),
            memory,
        }
    }

    /// Begins to commit, and returns when the manifest is about to be created.
    async fn commit_until_the_manifest(
        &self,
        name: &'static str,
        number: u128,
    ) -> JoinHandle<Result<api::pb::storage_catalog::Backup, api::RemoteError>> {
        let held = self.held.clone();
        let commit = tokio::spawn(async move { held.commit(name, task(number)).await });
        self.gate.reached().await;
        commit
    }
}

fn before_manifest(name: &str) -> Stop {
    Stop::BeforePut(keys::backup_manifest(&backup(name)))
}

fn even_if_running(name: &str) -> DeleteBackupRequest {
    DeleteBackupRequest {
        backup: wire_ref(name),
        even_if_running: true,
        ..DeleteBackupRequest::default()
    }
}

#[tokio::test]
async fn a_backup_that_is_deleted_while_it_is_committed_is_not_committed() {
    let scene = Scene::new(before_manifest("b"));
    scene.other.begin("b", None, task(1)).await.expect("begins");
    scene.other.upload_all("b", None, FULL_FILES).await;
    let commit = scene.commit_until_the_manifest("b", 1).await;
    let deleted = scene.other.delete_with(even_if_running("b")).await;
    deleted.expect("deletes");
    scene.gate.open();
    refused(commit.await.expect("runs"), "BACKUP_NOT_BEGUN");
    assert_eq!(scene.other.state("b").await, None);
    assert_eq!(but_tombstones(&scene.memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn a_commit_that_died_before_it_looked_again_is_not_taken_for_done() {
    let scene = Scene::new(before_manifest("b"));
    scene.other.begin("b", None, task(1)).await.expect("begins");
    scene.other.upload_all("b", None, FULL_FILES).await;
    let before = scene.memory.fork();
    World::on(Arc::new(before.clone()))
        .commit("b", task(1))
        .await
        .expect("commits");
    let key = keys::backup_manifest(&backup("b"));
    let manifest = blob_store::BlobStore::get(&before, &key, 1 << 20)
        .await
        .expect("get");
    // Deleted by one catalog; then the manifest of another arrives, which dies at once.
    let deleted = scene.other.delete_with(even_if_running("b")).await;
    deleted.expect("deletes");
    scene.memory.overwrite(&key, manifest);
    refused(scene.other.commit("b", task(1)).await, "BACKUP_NOT_BEGUN");
    assert_eq!(but_tombstones(&scene.memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn a_backup_that_is_given_up_while_it_is_committed_is_not_committed() {
    let scene = Scene::new(before_manifest("d"));
    scene.other.full("f", task(1)).await;
    scene
        .other
        .begin("d", Some("f"), task(2))
        .await
        .expect("begins");
    let files = World::differential_files("f");
    scene.other.upload_all("d", Some("f"), &files).await;
    let commit = scene.commit_until_the_manifest("d", 2).await;
    scene.other.abandon("d", task(2)).await.expect("gives up");
    // Nothing holds the base any more.
    scene.other.delete("f").await.expect("deletes");
    scene.gate.open();
    refused(commit.await.expect("runs"), "BACKUP_GIVEN_UP");
    assert_eq!(scene.other.state("d").await, Some(BackupState::Failed));
    scene.other.assert_complete_is_whole().await;
}

#[tokio::test]
async fn a_base_that_is_replaced_while_a_backup_on_it_is_committed_is_noticed() {
    let scene = Scene::new(before_manifest("d"));
    scene.other.full("f", task(1)).await;
    scene
        .other
        .begin("d", Some("f"), task(2))
        .await
        .expect("begins");
    let files = World::differential_files("f");
    scene.other.upload_all("d", Some("f"), &files).await;
    let commit = scene.commit_until_the_manifest("d", 2).await;
    let key = keys::backup_manifest(&backup("f"));
    let manifest = blob_store::BlobStore::get(&scene.memory, &key, 1 << 20)
        .await
        .expect("get");
    scene.memory.overwrite(&key, manifest);
    scene.gate.open();
    refused(commit.await.expect("runs"), "BASE_UNSUITABLE");
    assert_ne!(scene.other.state("d").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn a_backup_that_is_committed_while_it_is_given_up_stays_and_keeps_its_base() {
    let failure = keys::failure(&backup("d"));
    let scene = Scene::new(Stop::BeforePut(failure));
    scene.other.full("f", task(1)).await;
    scene
        .other
        .begin("d", Some("f"), task(2))
        .await
        .expect("begins");
    let files = World::differential_files("f");
    scene.other.upload_all("d", Some("f"), &files).await;
    let held = scene.held.clone();
    let abandon = tokio::spawn(async move { held.abandon("d", task(2)).await });
    scene.gate.reached().await;
    scene.other.commit("d", task(2)).await.expect("commits");
    scene.gate.open();
    refused(abandon.await.expect("runs"), "BACKUP_COMMITTED");
    assert_eq!(scene.other.state("d").await, Some(BackupState::Complete));
    scene
        .other
        .commit("d", task(2))
        .await
        .expect("is whole, so it stays");
    refused(scene.other.delete("f").await, "BACKUP_IS_BASE");
    scene.other.assert_complete_is_whole().await;
}

#[tokio::test]
async fn a_deletion_that_is_given_up_while_a_pin_is_set_leaves_a_backup_to_pin() {
    let marks = keys::deletion_marks(&backup("f"));
    let scene = Scene::new(Stop::AfterList(marks.clone()));
    scene.other.full("f", task(1)).await;
    let mark = keys::deletion_mark(&backup("f"), 1, &uuid::Uuid::from_u128(1));
    scene.other.put(&mark, "a mark").await;
    let held = scene.held.clone();
    let pin = tokio::spawn(async move { held.pin("f", task(2)).await });
    scene.gate.reached().await;
    scene.other.store.delete(&mark).await.expect("is withdrawn");
    scene.gate.open();
    let error = refused(pin.await.expect("runs"), "DELETION_AT_WORK");
    assert!(error.is_retryable());
    scene.held.pin("f", task(2)).await.expect("pins");
}

#[tokio::test]
async fn a_pin_of_people_that_meets_a_deletion_is_not_taken_from_another_person() {
    let marks = keys::deletion_marks(&backup("f"));
    let scene = Scene::new(Stop::AfterList(marks.clone()));
    scene.other.full("f", task(1)).await;
    let mark = keys::deletion_mark(&backup("f"), 1, &uuid::Uuid::from_u128(1));
    scene.other.put(&mark, "a mark").await;
    let held = scene.held.clone();
    let first = tokio::spawn(async move { held.keep("f", "audit", None).await });
    scene.gate.reached().await;
    scene.other.store.delete(&mark).await.expect("is withdrawn");
    // Another person has the same reason, and is told that the backup stays.
    scene.other.keep("f", "audit", None).await.expect("pins");
    scene.gate.open();
    refused(first.await.expect("runs"), "DELETION_AT_WORK");
    refused(scene.other.delete("f").await, "BACKUP_PINNED");
}
