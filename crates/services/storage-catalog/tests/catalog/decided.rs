//! Deletions that a caller has decided on by a list: only the backup that was meant goes, and only while those are there by
//! which it may go.

use std::sync::Arc;

use api::RemoteError;
use api::pb::storage_catalog::{
    BackupState, BackupSummary, DeleteBackupIfRequest, GarbageKind, VerifyLevel,
};
use blob_store::BlobStore;
use blob_store::testing::{Fault, Faulty, Memory};
use bucket::keys;
use futures::future::BoxFuture;

use crate::interleaved::{CALLS_MAX, Held};
use crate::world::{World, backup, memory_world, refused, task, wire_ref};

fn relying_on(name: &str, others: &[&str]) -> DeleteBackupIfRequest {
    DeleteBackupIfRequest {
        backup: wire_ref(name),
        relies_on: others.iter().map(|other| (*other).to_owned()).collect(),
        ..DeleteBackupIfRequest::default()
    }
}

async fn summary(world: &World, name: &str) -> BackupSummary {
    let listed = world.list().await;
    let mut listed = listed.into_iter();
    let found = listed.find(|summary| summary.backup == wire_ref(name));
    found.expect("a backup")
}

#[tokio::test]
async fn a_deletion_that_relies_on_others_is_refused_once_one_is_gone_or_goes() {
    let (memory, world) = memory_world();
    for (number, name) in ["f1", "f2", "f3"].into_iter().enumerate() {
        world.full(name, task(number as u128 + 1)).await;
    }
    let mark = keys::deletion_mark(&backup("f3"), 1, &uuid::Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    let error = world.delete_if(relying_on("f1", &["f2", "f3"])).await;
    let error = refused(error, "RELIED_ON_GONE");
    assert!(error.message.contains("f3"), "{error}");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    memory.delete(&mark).await.expect("deletes");
    world.delete("f3").await.expect("deletes");
    refused(
        world.delete_if(relying_on("f1", &["f3"])).await,
        "RELIED_ON_GONE",
    );
    world
        .delete_if(relying_on("f1", &["f2"]))
        .await
        .expect("deletes");
    assert_eq!(world.state("f2").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn another_backup_of_the_name_is_not_deleted() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let decided = |started_at: &str| DeleteBackupIfRequest {
        started_at: started_at.to_owned(),
        ..relying_on("f1", &[])
    };
    let error = world.delete_if(decided("2020-01-01T00:00:00Z")).await;
    refused(error, "BACKUP_IS_ANOTHER");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    let now = summary(&world, "f1").await.started_at;
    world.delete_if(decided(&now)).await.expect("deletes");
}

#[tokio::test]
async fn a_backup_that_is_being_made_is_deleted_on_demand_if_it_is_the_one_that_was_found() {
    let (_, world) = memory_world();
    world.begin("f1", None, task(1)).await.expect("begins");
    let found = world.found_started("f1").await;
    let meant = |started_at: &str, even_if_running| DeleteBackupIfRequest {
        started_at: started_at.to_owned(),
        even_if_running,
        ..relying_on("f1", &[])
    };
    refused(
        world.delete_if(meant(&found, false)).await,
        "BACKUP_RUNNING",
    );
    let another = meant("2020-01-01T00:00:00Z", true);
    refused(world.delete_if(another).await, "BACKUP_IS_ANOTHER");
    assert_eq!(world.state("f1").await, Some(BackupState::Running));
    world.delete_if(meant(&found, true)).await.expect("deletes");
    assert_eq!(world.state("f1").await, None);
}

#[tokio::test]
async fn when_a_backup_was_begun_is_found_whatever_its_state() {
    let (_, world) = memory_world();
    world.full("whole", task(1)).await;
    let listed = summary(&world, "whole").await.started_at;
    assert_eq!(world.found_started("whole").await, listed);
    world
        .begin("given-up", None, task(2))
        .await
        .expect("begins");
    world.abandon("given-up", task(2)).await.expect("gives up");
    let listed = summary(&world, "given-up").await.started_at;
    assert_eq!(world.found_started("given-up").await, listed);
}

#[tokio::test]
async fn a_deletion_that_comes_too_late_deletes_nothing() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    let until = |not_after: &str| DeleteBackupIfRequest {
        not_after: not_after.to_owned(),
        ..relying_on("f1", &[])
    };
    let error = world.delete_if(until("2026-01-01T00:00:00Z")).await;
    refused(error, "DELETION_TOO_LATE");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    let later = until("2027-01-01T00:00:00Z");
    world.delete_if(later).await.expect("deletes");
}

#[tokio::test]
async fn a_manifest_that_may_be_taken_back_is_not_relied_on() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    let failure = keys::failure(&backup("f2"));
    world.put(&failure, "given up while it was committed").await;
    let delete = || world.delete_if(relying_on("f1", &["f2"]));
    refused(delete().await, "RELIED_ON_GONE");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    memory.delete(&failure).await.expect("deletes");
    delete().await.expect("deletes");
}

/// The request to create it was held up until the backup had been deleted.
#[tokio::test]
async fn a_manifest_that_arrives_late_makes_no_backup() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    world.differential("d2", "f2", task(3)).await;
    let manifests = ["d2", "f2"].map(|name| keys::backup_manifest(&backup(name)));
    let mut late = Vec::new();
    for key in &manifests {
        late.push(memory.get(key, 1 << 20).await.expect("a manifest"));
    }
    for name in ["d2", "f2"] {
        world.delete(name).await.expect("deletes");
    }
    for (key, manifest) in manifests.iter().zip(late) {
        memory.overwrite(key, manifest);
    }
    for name in ["d2", "f2"] {
        assert_eq!(world.state(name).await, Some(BackupState::Deleting));
        refused(world.get(name).await, "BACKUP_DELETING");
    }
    let relying = relying_on("f1", &["f2"]);
    refused(world.delete_if(relying).await, "RELIED_ON_GONE");
    let begun = world.begin("d3", Some(""), task(4)).await;
    begun.expect("on the one that is there");
    let intents = world.list().await.into_iter();
    let bases = intents.filter(|it| it.backup == wire_ref("d3"));
    assert_eq!(bases.map(|it| it.base).collect::<Vec<_>>(), ["f1"]);
    // A differential is collected before its base.
    for name in ["d2", "f2"] {
        let garbage = world.garbage().await.into_iter();
        let mut garbage = garbage.filter(|it| it.backup == wire_ref(name));
        let kind = garbage.next().expect("garbage").kind();
        assert_eq!(kind, GarbageKind::HalfDeleted, "{name}");
        let only_garbage = DeleteBackupIfRequest {
            only_garbage: true,
            ..relying_on(name, &[])
        };
        world.delete_if(only_garbage).await.expect("deletes");
        assert_eq!(world.state(name).await, None);
    }
}

#[tokio::test]
async fn a_deletion_that_has_left_only_its_mark_is_taken_back_and_one_that_has_begun_is_finished() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let mark = keys::deletion_mark(&backup("f1"), 1, &uuid::Uuid::from_u128(1));
    world.put(&mark, "a mark").await;
    let finish = || {
        world.delete_if(DeleteBackupIfRequest {
            only_if_begun: true,
            ..relying_on("f1", &[])
        })
    };
    refused(finish().await, "DELETION_NOT_BEGUN");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    assert!(!memory.keys().contains(&mark));
    refused(finish().await, "DELETION_NOT_BEGUN");
    world.assert_complete_is_whole().await;
    world.put(&mark, "a mark").await;
    let tombstone = keys::tombstone(&backup("f1"));
    world.put(&tombstone, "a tombstone").await;
    finish().await.expect("deletes");
    assert_eq!(world.state("f1").await, None);
}

/// One of its store calls fails, with or without effect.
#[tokio::test]
async fn a_deletion_that_fails_before_it_deletes_leaves_no_mark() {
    let (scene, world) = memory_world();
    world.full("f1", task(1)).await;
    for call in 1.. {
        assert!(call < CALLS_MAX, "it never deletes");
        // With effect first, so that the name is buried before its burial fails without.
        for fault in [Fault::LoseAnswer(call), Fault::FailOnce(call)] {
            let memory = scene.fork();
            let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
            faulty.set(fault);
            let ended = World::on(faulty).delete("f1").await;
            let all = memory.keys();
            if all.contains(&keys::tombstone(&backup("f1"))) {
                assert!(call > 5, "marks and checks come first");
                return;
            }
            assert!(ended.is_err(), "{call}");
            let marks = keys::deletion_marks(&backup("f1"));
            let mut marked = all.iter().filter(|key| key.starts_with(&marks));
            assert_eq!(marked.next(), None, "{call}");
        }
    }
}

fn delete_one(world: Arc<World>) -> BoxFuture<'static, Result<(), RemoteError>> {
    Box::pin(async move {
        world.delete_if(relying_on("f1", &["f2"])).await?;
        Ok(())
    })
}

fn delete_the_other(world: Arc<World>) -> BoxFuture<'static, Result<(), RemoteError>> {
    Box::pin(async move {
        world.delete_if(relying_on("f2", &["f1"])).await?;
        Ok(())
    })
}

/// Each is held before any of its store calls while the other goes on.
#[tokio::test]
async fn of_two_deletions_that_rely_on_each_other_one_is_refused_in_any_order() {
    let scene = Memory::default();
    let world = World::on(Arc::new(scene.clone()));
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    let mut went = [0, 0];
    for nth in 1..CALLS_MAX {
        let mut is_last = false;
        for mth in 1..CALLS_MAX {
            let memory = scene.fork();
            let first = Held::before(nth, &memory, delete_one).await;
            let second = Held::before(mth, &memory, delete_the_other).await;
            let ended = (first.ended.is_some(), second.ended.is_some());
            let (first, second) = (first.go_on().await, second.go_on().await);
            let at = format!("{nth} and {mth}: {first:?}, {second:?}");
            assert!(first.is_err() || second.is_err(), "{at}");
            went[0] += usize::from(first.is_ok());
            went[1] += usize::from(second.is_ok());
            let after = World::on(Arc::new(memory));
            after.assert_complete_is_whole().await;
            let left = [after.state("f1").await, after.state("f2").await];
            assert!(
                left.contains(&Some(BackupState::Complete)),
                "{at}: {left:?}"
            );
            is_last = ended.0;
            if ended.1 {
                break;
            }
        }
        if is_last {
            assert!(
                went[0] > 0 && went[1] > 0,
                "one of them always comes first: {went:?}"
            );
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn lists_show_what_verifications_have_found() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    let clean = summary(&world, "f1").await;
    assert_eq!(
        (clean.damage_found, clean.damage_found_at.as_str()),
        (0, "")
    );
    assert!(!clean.read_clean_at.is_empty());
    assert_eq!(clean.sstables_clean_at, "", "no rows were decoded");
    assert_eq!(clean.task_id, task(1).to_string());
    let covers = clean.covers.expect("what it covers");
    assert!(covers.selection.is_some() && covers.missing.is_empty());
    let data = keys::data(&backup("f1"));
    let all = memory.keys();
    let object = all
        .iter()
        .find(|key| key.starts_with(&data))
        .expect("an object");
    memory.delete(object).await.expect("deletes");
    world
        .verify("f1", VerifyLevel::Manifest)
        .await
        .expect("verifies");
    let damaged = summary(&world, "f1").await;
    assert_eq!(damaged.damage_found, 1);
    assert_eq!(damaged.damage_level(), VerifyLevel::Manifest);
    let time = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
    assert!(time(&damaged.damage_found_at) > time(&damaged.read_clean_at));
    world
        .verify("f1", VerifyLevel::Objects)
        .await
        .expect("verifies");
    let read = summary(&world, "f1").await;
    assert_eq!(read.read_clean_at, "", "the newest one has found damage");
    assert_eq!(read.damage_level(), VerifyLevel::Objects);
    let shown = world.get("f1").await.expect("a backup").summary;
    assert_eq!(shown.expect("a summary").damage_found, 1);
    // What another backup had that bore the name says nothing of this one.
    let (other, world) = memory_world();
    world.full("f1", task(2)).await;
    let results = keys::verifications(&backup("f1"));
    for key in memory.keys() {
        if key.starts_with(&results) {
            let result = memory.get(&key, 1 << 20).await.expect("a result");
            other.overwrite(&key, result);
        }
    }
    assert_eq!(summary(&world, "f1").await.damage_found, 0);
}
