//! Listing and getting.

use std::sync::Arc;

use api::ErrorKind;
use api::pb::storage_catalog::BackupState;
use blob_store::Counted;
use blob_store::testing::Memory;
use bucket::keys;

use crate::world::{World, backup, memory_world, refused, task, wire_ref};

#[tokio::test]
async fn backups_are_listed_newest_first() {
    let (_, world) = memory_world();
    for (number, name) in (1..).zip(["zebra", "ant", "bee"]) {
        world.full(name, task(number)).await;
    }
    let listed = world.list().await;
    let names = listed
        .into_iter()
        .map(|summary| summary.backup.expect("a name").name);
    assert_eq!(names.collect::<Vec<_>>(), ["bee", "ant", "zebra"]);
}

#[tokio::test]
async fn one_clusters_backups_are_not_anothers() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.begin("other/x", None, task(2)).await.expect("begins");
    let request = api::pb::storage_catalog::ListBackupsRequest {
        cluster: "other".into(),
    };
    let listed = world
        .client
        .clone()
        .list_backups(request)
        .await
        .expect("lists")
        .into_inner();
    assert_eq!(listed.backups.len(), 1);
    assert_eq!(listed.backups[0].state(), BackupState::Running);
}

#[tokio::test]
async fn listing_again_reads_no_manifest_again() {
    let counted = Arc::new(Counted::new(Arc::new(Memory::default())));
    let world = World::on(counted.clone());
    for number in 0..5 {
        world.full(&format!("f{number}"), task(number)).await;
    }
    world.list().await;
    let before = counted.counts();
    world.list().await;
    let after = counted.counts();
    assert_eq!(after.gets, before.gets);
    assert_eq!(after.lists - before.lists, 6);
}

#[tokio::test]
async fn a_backup_is_found_by_its_name_alone_where_that_is_unique() {
    let (memory, world) = memory_world();
    world.full("nightly", task(1)).await;
    assert!(world.get("/nightly").await.is_ok());
    let copy = keys::backup_manifest(&backup("nightly")).replace("/prod/", "/other/");
    memory.overwrite(
        &copy,
        memory_bytes(&memory, &keys::backup_manifest(&backup("nightly"))).await,
    );
    let error = refused(world.get("/nightly").await, "BACKUP_AMBIGUOUS");
    assert!(
        error.message.contains("prod") && error.message.contains("other"),
        "{error}"
    );
    assert!(world.get("prod/nightly").await.is_ok());
}

#[tokio::test]
async fn a_backup_is_found_in_whatever_state_it_is() {
    let (memory, world) = memory_world();
    world.full("complete", task(1)).await;
    world.full("unreadable", task(2)).await;
    let manifest = keys::backup_manifest(&backup("unreadable"));
    memory.overwrite(&manifest, b"not a manifest".to_vec());
    world.full("deleting", task(3)).await;
    let mark = keys::deletion_mark(&backup("deleting"), 1, &uuid::Uuid::nil());
    world.put(&mark, "a mark").await;
    world.begin("running", None, task(4)).await.expect("begins");
    world.begin("failed", None, task(5)).await.expect("begins");
    world.abandon("failed", task(5)).await.expect("gives up");
    for name in ["complete", "unreadable", "deleting", "running", "failed"] {
        let whole = wire_ref(name);
        assert_eq!(world.find(name).await.expect(name), whole);
        let found = world.find(&format!("/{name}")).await;
        assert_eq!(found.expect(name), whole, "without its cluster");
    }
    for name in ["complet", "/complet"] {
        let error = refused(world.find(name).await, "BACKUP_NOT_FOUND");
        assert!(error.hint.expect("a hint").contains("complete"));
    }
    let copy = keys::backup_manifest(&backup("complete")).replace("/prod/", "/other/");
    let bytes = memory_bytes(&memory, &keys::backup_manifest(&backup("complete"))).await;
    memory.overwrite(&copy, bytes);
    refused(world.find("/complete").await, "BACKUP_AMBIGUOUS");
}

pub async fn memory_bytes(memory: &Memory, key: &str) -> bytes::Bytes {
    use blob_store::BlobStore;
    memory.get(key, 1 << 20).await.expect("bytes")
}

#[tokio::test]
async fn a_mistyped_name_is_answered_with_the_nearest() {
    let (_, world) = memory_world();
    world.full("nightly-2026-01-01", task(1)).await;
    world.full("weekly", task(2)).await;
    for name in ["nightly-2026-01-02", "/nightly-2026-01-02"] {
        let error = refused(world.get(name).await, "BACKUP_NOT_FOUND");
        assert_eq!(error.kind, ErrorKind::NotFound);
        let hint = error.hint.expect("a hint");
        assert!(
            hint.contains("nightly-2026-01-01") && !hint.contains("weekly"),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn what_is_not_complete_is_refused_by_its_state() {
    let (_, world) = memory_world();
    world.begin("r1", None, task(1)).await.expect("begins");
    refused(world.get("r1").await, "BACKUP_NOT_COMPLETE");
    world.abandon("r1", task(1)).await.expect("gives up");
    let error = refused(world.get("r1").await, "BACKUP_NOT_COMPLETE");
    assert!(error.message.contains("given up"), "{error}");
}

#[tokio::test]
async fn a_damaged_or_future_manifest_is_listed_as_unreadable_and_refused_with_words() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    let key = keys::backup_manifest(&backup("f1"));
    let good = memory_bytes(&memory, &key).await;
    let mut flipped = good.to_vec();
    *flipped.last_mut().expect("bytes") ^= 1;
    let cases = [
        (flipped, "MANIFEST_DAMAGED", ErrorKind::DataLoss),
        (
            good[..good.len() / 2].to_vec(),
            "MANIFEST_DAMAGED",
            ErrorKind::DataLoss,
        ),
        (
            b"{\"format\":99}\n{}".to_vec(),
            "MANIFEST_FROM_THE_FUTURE",
            ErrorKind::FailedPrecondition,
        ),
    ];
    for (bytes, reason, kind) in cases {
        memory.overwrite(&key, bytes);
        let listed = world.list().await;
        let bad = listed
            .iter()
            .find(|summary| summary.state() == BackupState::Unreadable);
        let bad = bad.expect("unreadable");
        assert!(!bad.detail.is_empty());
        // What its intent says is still known.
        assert!(!bad.started_at.is_empty());
        let error = refused(world.get("f1").await, reason);
        assert_eq!(error.kind, kind);
        assert!(error.hint.is_some());
        assert_eq!(world.state("f2").await, Some(BackupState::Complete));
    }
    memory.overwrite(&key, good);
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn a_differential_whose_base_is_gone_is_never_called_complete() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world
        .store
        .delete(&keys::backup_manifest(&backup("f1")))
        .await
        .expect("deletes");
    assert_eq!(world.state("d1").await, Some(BackupState::Unreadable));
    refused(world.get("d1").await, "BACKUP_INCOMPLETE");
}

#[tokio::test]
async fn strangers_objects_do_not_disturb_a_listing() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    for key in [
        "ringkeep/1/backups/prod/sub/folder.json",
        "ringkeep/1/backups/prod/notes.txt",
        "ringkeep/1/backups/loose.json",
        "ringkeep/1/intents/prod/.hidden.json",
        "ringkeep/1/deletions/prod/no-folder",
        "somebody/elses",
    ] {
        world.put(key, "?").await;
    }
    assert_eq!(world.list().await.len(), 1);
}

#[tokio::test]
async fn the_store_says_which_it_is_and_whether_it_answers() {
    let memory = Memory::default();
    let faulty = Arc::new(blob_store::testing::Faulty::new(Arc::new(memory)));
    let world = World::on(faulty.clone());
    let ask = || async {
        let request = api::pb::storage_catalog::GetStoreStatusRequest {};
        world
            .client
            .clone()
            .get_store_status(request)
            .await
            .expect("answers")
            .into_inner()
    };
    assert!(ask().await.reachable);
    faulty.set(blob_store::testing::Fault::DieBefore(1));
    let status = ask().await;
    assert!(!status.reachable && !status.detail.is_empty());
    assert_eq!(status.store, "memory");
}
