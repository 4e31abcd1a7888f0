//! Beginning and giving up.

use api::ErrorKind;
use api::pb::storage_catalog::{BackupState, BeginBackupRequest};
use bucket::keys;

use crate::world::{backup, memory_world, refused, task, wire_ref};

#[tokio::test]
async fn a_begun_backup_is_running_and_its_name_is_taken() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    assert_eq!(world.state("b1").await, Some(BackupState::Running));
    let error = refused(world.begin("b1", None, task(2)).await, "BACKUP_EXISTS");
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert!(error.hint.is_some());
}

#[tokio::test]
async fn beginning_again_with_the_same_task_answers_what_was_begun() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let first = world.begin("d1", Some(""), task(2)).await.expect("begins");
    assert_eq!(first.base, "f1");
    // A newer full backup does not change what was begun.
    world.full("f2", task(3)).await;
    let keys = memory.keys();
    assert_eq!(
        world.begin("d1", Some(""), task(2)).await.expect("again"),
        first
    );
    assert_eq!(memory.keys(), keys);
}

#[tokio::test]
async fn the_name_of_a_complete_or_failed_backup_is_taken() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    refused(world.begin("f1", None, task(2)).await, "BACKUP_EXISTS");
    world.begin("x", None, task(3)).await.expect("begins");
    world.abandon("x", task(3)).await.expect("gives up");
    refused(world.begin("x", None, task(4)).await, "BACKUP_EXISTS");
    refused(world.begin("x", None, task(3)).await, "BACKUP_EXISTS");
}

#[tokio::test]
async fn a_differential_without_a_full_backup_is_refused_with_a_hint() {
    let (_, world) = memory_world();
    let error = refused(world.begin("d1", Some(""), task(1)).await, "NO_BASE");
    assert_eq!(error.kind, ErrorKind::FailedPrecondition);
    assert!(error.hint.expect("a hint").contains("full"));
    assert_eq!(world.state("d1").await, None);
}

#[tokio::test]
async fn the_newest_complete_full_backup_is_the_base() {
    let (_, world) = memory_world();
    world.full("f2", task(1)).await;
    world.full("f1", task(2)).await;
    world.begin("f0", None, task(3)).await.expect("runs on");
    world.differential("d1", "f1", task(4)).await;
    let begun = world.begin("d2", Some(""), task(5)).await.expect("begins");
    assert_eq!(begun.base, "f1");
}

#[tokio::test]
async fn a_full_backup_of_another_cluster_is_no_base() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    refused(world.begin("other/d1", Some(""), task(2)).await, "NO_BASE");
    refused(
        world.begin("other/d1", Some("f1"), task(2)).await,
        "BASE_UNSUITABLE",
    );
}

#[tokio::test]
async fn what_is_not_a_complete_full_backup_is_refused_as_a_base() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world.begin("r1", None, task(3)).await.expect("runs on");
    for base in ["d1", "r1", "nothing"] {
        refused(
            world.begin("d2", Some(base), task(4)).await,
            "BASE_UNSUITABLE",
        );
    }
    assert_eq!(world.state("d2").await, None);
}

#[tokio::test]
async fn the_base_is_pinned_while_the_differential_runs() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .begin("d1", Some("f1"), task(2))
        .await
        .expect("begins");
    let pin = keys::pin(&backup("f1"), &task(2));
    assert!(memory.keys().contains(&pin));
    let error = refused(world.delete("f1").await, "BACKUP_PINNED");
    assert!(error.message.contains(&task(2).to_string()), "{error}");

    // The intent alone holds it too, should the pin be removed by hand.
    world.unpin("f1", task(2)).await.expect("unpins");
    let error = refused(world.delete("f1").await, "BACKUP_IS_BASE");
    assert!(error.message.contains("d1"), "{error}");

    world.abandon("d1", task(2)).await.expect("gives up");
    assert!(!memory.keys().contains(&pin));
    world.delete("f1").await.expect("deletes");
}

#[tokio::test]
async fn a_failed_backup_is_listed_with_its_reason() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    for _ in 0..2 {
        world.abandon("b1", task(1)).await.expect("gives up");
    }
    let listed = world.list().await;
    assert_eq!(listed[0].state(), BackupState::Failed);
    assert_eq!(listed[0].detail, "a disk broke");
    assert!(!listed[0].finished_at.is_empty());
}

#[tokio::test]
async fn only_the_task_that_began_it_gives_a_backup_up_and_not_after_the_commit() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    refused(world.abandon("b1", task(2)).await, "OTHER_TASK");
    world
        .abandon("never", task(1))
        .await
        .expect("there is nothing to give up");
    world.full("f1", task(3)).await;
    refused(world.abandon("f1", task(3)).await, "BACKUP_COMMITTED");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn a_request_that_is_wrong_in_itself_names_its_field() {
    let (_, world) = memory_world();
    let good = BeginBackupRequest {
        backup: wire_ref("b1"),
        kind: 1,
        base: String::new(),
        task_id: task(1).to_string(),
        selection: None,
    };
    let cases = [
        (
            BeginBackupRequest {
                backup: None,
                ..good.clone()
            },
            "backup",
        ),
        (
            BeginBackupRequest {
                backup: wire_ref("a b"),
                ..good.clone()
            },
            "backup.name",
        ),
        (
            BeginBackupRequest {
                kind: 0,
                ..good.clone()
            },
            "kind",
        ),
        (
            BeginBackupRequest {
                task_id: "x".into(),
                ..good.clone()
            },
            "task_id",
        ),
        (
            BeginBackupRequest {
                base: "../x".into(),
                ..good.clone()
            },
            "base",
        ),
    ];
    for (request, field) in cases {
        let status = world
            .client
            .clone()
            .begin_backup(request)
            .await
            .expect_err(field);
        let error = api::RemoteError::from(status);
        assert_eq!(error.kind, ErrorKind::InvalidArgument);
        assert_eq!(error.field.as_deref(), Some(field));
    }
    let with_base = BeginBackupRequest {
        base: "f1".into(),
        ..good
    };
    let status = world
        .client
        .clone()
        .begin_backup(with_base)
        .await
        .expect_err("a base");
    assert_eq!(api::RemoteError::from(status).reason, "BASE_OF_FULL");
}
