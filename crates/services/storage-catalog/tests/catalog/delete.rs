//! Deleting.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, DeleteBackupRequest, GetStoreStatusRequest};
use blob_store::testing::{Fault, Faulty, Memory};
use blob_store::{BlobStore, StoreError};
use bucket::keys;

use crate::world::{
    FULL_FILES, World, backup, but_tombstones, memory_world, object_key, refused, task, wire_ref,
};

fn left_of(memory: &Memory, name: &str) -> Vec<String> {
    let of = |key: &String| {
        key.contains(&format!("/{name}/")) || key.ends_with(&format!("/{name}.json"))
    };
    but_tombstones(memory).into_iter().filter(of).collect()
}

#[tokio::test]
async fn nothing_of_a_deleted_backup_is_left() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f10", task(2)).await;
    let before = left_of(&memory, "f1").len() as u64;
    let deleted = world.delete("f1").await.expect("deletes");
    assert_eq!(left_of(&memory, "f1"), Vec::<String>::new());
    assert_eq!(deleted.deleted_objects, before);
    assert!(deleted.freed_bytes > 0);
    assert_eq!(world.state("f1").await, None);
    refused(world.delete("f1").await, "BACKUP_NOT_FOUND");
    // A name that begins the same is another backup.
    world.assert_complete_is_whole().await;
    assert_eq!(world.state("f10").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn a_differential_takes_only_its_own_objects_with_it() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world.differential("d2", "f1", task(3)).await;
    world.delete("d1").await.expect("deletes");
    assert_eq!(left_of(&memory, "d1"), Vec::<String>::new());
    world.assert_complete_is_whole().await;
    assert_eq!(world.state("d2").await, Some(BackupState::Complete));
    refused(world.delete("f1").await, "BACKUP_IS_BASE");
    world.delete("d2").await.expect("deletes");
    world
        .delete("f1")
        .await
        .expect("deletes the base when nobody needs it");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn what_killed_attempts_uploaded_goes_too() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .put(
            &object_key(&backup("f1"), 1, "nb-9-big-Data.db.2"),
            "left behind",
        )
        .await;
    world.delete("f1").await.expect("deletes");
    assert_eq!(left_of(&memory, "f1"), Vec::<String>::new());
}

#[tokio::test]
async fn a_running_backup_is_deleted_only_if_its_task_is_said_to_be_dead() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .begin("d1", Some("f1"), task(2))
        .await
        .expect("begins");
    world
        .upload_all("d1", Some("f1"), &World::differential_files("f1"))
        .await;
    let error = refused(world.delete("d1").await, "BACKUP_RUNNING");
    assert!(error.message.contains(&task(2).to_string()), "{error}");
    let forced = DeleteBackupRequest {
        backup: wire_ref("d1"),
        even_if_running: true,
        ..Default::default()
    };
    world.delete_with(forced).await.expect("deletes");
    assert_eq!(left_of(&memory, "d1"), Vec::<String>::new());
    // Its hold on the base is gone with it.
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
    world.assert_complete_is_whole().await;
    refused(world.commit("d1", task(2)).await, "BACKUP_NOT_BEGUN");
}

#[tokio::test]
async fn a_failed_backup_can_be_deleted_and_its_name_is_not_taken_again() {
    let (memory, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    world.abandon("b1", task(1)).await.expect("gives up");
    world.delete("b1").await.expect("deletes");
    assert_eq!(left_of(&memory, "b1"), Vec::<String>::new());
    let before = memory.keys();
    for _ in 0..2 {
        let error = refused(world.begin("b1", None, task(2)).await, "BACKUP_NAME_BURIED");
        assert!(error.hint.expect("a hint").contains("another name"));
    }
    assert_eq!(memory.keys(), before, "no intent is left");
    // Nobody calls the name a backup, and it is no garbage.
    assert_eq!(world.state("b1").await, None);
    assert_eq!(world.garbage().await, []);
    refused(world.delete("b1").await, "BACKUP_NOT_FOUND");
}

#[tokio::test]
async fn what_arrives_after_a_deletion_is_named_and_can_be_deleted() {
    let (memory, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.abandon("b1", task(1)).await.expect("gives up");
    world.delete("b1").await.expect("deletes");
    // An agent that was frozen wakes up.
    world.upload_all("b1", None, FULL_FILES).await;
    refused(world.begin("b1", None, task(2)).await, "BACKUP_NAME_BURIED");
    // As an older release has deleted it.
    let tombstone = keys::tombstone(&backup("b1"));
    memory.delete(&tombstone).await.expect("deletes");
    let error = refused(world.begin("b1", None, task(2)).await, "BACKUP_EXISTS");
    assert!(error.message.contains("after its deletion"), "{error}");
    refused(world.get("b1").await, "BACKUP_NOT_COMPLETE");
    assert_eq!(world.find("b1").await.expect("finds"), wire_ref("b1"));
    let any_cluster = api::pb::types::BackupRef {
        cluster: String::new(),
        name: "b1".into(),
    };
    let request = DeleteBackupRequest {
        backup: Some(any_cluster),
        ..Default::default()
    };
    let deleted = world.delete_with(request).await.expect("deletes");
    assert_eq!(deleted.deleted_objects, 8);
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
    refused(world.begin("b1", None, task(3)).await, "BACKUP_NAME_BURIED");
}

#[tokio::test]
async fn uploads_that_killed_agents_left_are_discarded_with_the_commit_and_with_the_backup() {
    let (memory, world) = memory_world();
    let leave = |name: &str| {
        let key = object_key(&backup(name), 1, "nb-9-big-Data.db");
        memory.leave_unfinished(&key);
        key
    };
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    leave("b1");
    let of_running = leave("b2");
    world.commit("b1", task(1)).await.expect("commits");
    assert_eq!(memory.unfinished(), std::slice::from_ref(&of_running));
    leave("b1");
    world.delete("b1").await.expect("deletes");
    assert_eq!(memory.unfinished(), [of_running]);
}

#[tokio::test]
async fn a_deletion_in_a_bucket_with_versions_says_that_nothing_is_freed() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    memory.keep_versions();
    let deleted = world.delete("f1").await.expect("deletes");
    assert!(deleted.versions_remain && deleted.deleted_objects > 0);
    assert_eq!(deleted.freed_bytes, 0);
}

#[tokio::test]
async fn a_refused_deletion_leaves_no_mark() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world.pin("d1", task(3)).await.expect("pins");
    let before = memory.keys();
    refused(world.delete("f1").await, "BACKUP_IS_BASE");
    refused(world.delete("d1").await, "BACKUP_PINNED");
    assert_eq!(memory.keys(), before);
}

#[tokio::test]
async fn an_unreadable_backup_can_be_deleted_and_blocks_others_only_where_its_base_is_unknown() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    world.differential("d1", "f1", task(3)).await;
    let future = "{\"format\":99}\n{}";
    memory.overwrite(&keys::backup_manifest(&backup("d1")), future);
    // Its intent still says whose objects it needs.
    refused(world.delete("f1").await, "BACKUP_IS_BASE");
    world.delete("f2").await.expect("is not needed");
    memory.overwrite(&keys::intent(&backup("d1")), future);
    let error = refused(world.delete("f1").await, "REFERENCES_UNCLEAR");
    assert!(error.hint.is_some());
    world.delete("d1").await.expect("can be deleted itself");
    world.delete("f1").await.expect("is not needed any more");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_is_listed_and_finished_by_deleting_again() {
    let memory = Memory::default();
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    let world = World::on(faulty.clone());
    world.full("f1", task(1)).await;
    // The first death after the manifest is gone.
    let manifest = keys::backup_manifest(&backup("f1"));
    for call in 1.. {
        faulty.set(Fault::DieBefore(call));
        world.delete("f1").await.expect_err("dies");
        faulty.heal();
        if !memory.keys().contains(&manifest) {
            break;
        }
    }
    assert_eq!(world.state("f1").await, Some(BackupState::Deleting));
    refused(world.get("f1").await, "BACKUP_DELETING");
    refused(world.begin("f1", None, task(2)).await, "BACKUP_EXISTS");
    world.delete("f1").await.expect("finishes");
    assert_eq!(but_tombstones(&memory), ["ringkeep/1/README.txt"]);
    refused(world.begin("f1", None, task(3)).await, "BACKUP_NAME_BURIED");
}

#[tokio::test]
async fn an_attempt_stops_where_a_later_one_has_taken_over() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    // A later attempt of another catalog, whose mark sorts behind any that this one can set.
    let later = keys::deletion_mark(&backup("f1"), u32::MAX, &uuid::Uuid::max());
    world.put(&later, "a mark").await;
    let error = refused(world.delete("f1").await, "DELETION_AT_WORK");
    assert!(error.is_retryable());
    assert!(
        memory
            .keys()
            .contains(&keys::backup_manifest(&backup("f1")))
    );
}

#[tokio::test]
async fn a_store_that_overwrites_is_refused_before_anything_depends_on_it() {
    for in_parts_only in [false, true] {
        let world = World::on(Arc::new(Overwrites {
            memory: Memory::default(),
            in_parts_only,
        }));
        refused(world.begin("b1", None, task(1)).await, "STORE_OVERWRITES");
        let mut client = world.client.clone();
        let status = client.get_store_status(GetStoreStatusRequest {}).await;
        let status = status.expect("replies").into_inner();
        assert!(!status.reachable);
        assert!(status.detail.contains("If-None-Match"), "{}", status.detail);
    }
}

/// A store that ignores the condition, as some that speak S3 do.
struct Overwrites {
    memory: Memory,
    in_parts_only: bool,
}

#[async_trait::async_trait]
impl BlobStore for Overwrites {
    fn describe(&self) -> String {
        self.memory.describe()
    }
    async fn put(&self, key: &str, bytes: bytes::Bytes) -> Result<blob_store::Put, StoreError> {
        if self.in_parts_only {
            return self.memory.put(key, bytes).await;
        }
        self.memory.overwrite(key, bytes);
        Ok(blob_store::Put::Created)
    }
    async fn put_as_parts(
        &self,
        key: &str,
        bytes: bytes::Bytes,
    ) -> Result<blob_store::Put, StoreError> {
        self.memory.overwrite(key, bytes);
        Ok(blob_store::Put::Created)
    }
    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: blob_store::ByteStream,
    ) -> Result<blob_store::Put, StoreError> {
        self.memory.put_stream(key, size_hint, body).await
    }
    async fn get(&self, key: &str, bytes_max: u64) -> Result<bytes::Bytes, StoreError> {
        self.memory.get(key, bytes_max).await
    }
    async fn get_stream(
        &self,
        key: &str,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<blob_store::ByteStream, StoreError> {
        self.memory.get_stream(key, range).await
    }
    async fn head(&self, key: &str) -> Result<Option<blob_store::Meta>, StoreError> {
        self.memory.head(key).await
    }
    fn list(&self, prefix: &str) -> blob_store::MetaStream {
        self.memory.list(prefix)
    }
    async fn list_children(&self, prefix: &str) -> Result<blob_store::Children, StoreError> {
        self.memory.list_children(prefix).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.memory.delete(key).await
    }
    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.memory.delete_many(keys).await
    }
}
