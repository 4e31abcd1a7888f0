//! Verifying and deleting backups as tasks.

use api::ErrorKind;
use api::pb::storage_catalog::VerifyLevel;
use api::pb::task_runner::{Priority, TaskKind, TaskState};

use crate::fleet::{BackupNow, Fault};
use crate::world::{Life, World};

async fn world_with_backup() -> (World, Life) {
    let world = World::new(&["n1"]);
    world.has_backup("b");
    let life = world.start_with_cluster().await;
    (world, life)
}

/// Kills the runner while a call hangs, and starts the next one.
async fn killed_in(world: &World, life: Life, call: &str) -> Life {
    world.called(call).await;
    life.runner.kill().await;
    drop(life);
    world.start().await
}

#[tokio::test]
async fn a_verification_that_finds_nothing_succeeds_with_its_report() {
    let (_world, mut life) = world_with_backup().await;
    let id = life.verify("b").await.expect("a task");
    let task = life.ended(&id).await;
    assert_eq!(task.kind(), TaskKind::Verify);
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let report = life.until(&id, |task| task.verification.is_some()).await;
    let report = report.verification.expect("a report");
    assert!(report.ok && report.damage.is_empty());
    assert_eq!(report.level(), VerifyLevel::Manifest);
    assert_eq!(report.backup.expect("a backup").name, "b");
}

#[tokio::test]
async fn a_verification_that_finds_damage_fails_with_its_report() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.facts().damage = vec!["x".into(), "y".into()];
    let id = life.verify("b").await.expect("a task");
    let task = life.until(&id, |task| task.verification.is_some()).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("x: is missing and 1 more"), "{task:#?}");
    assert_eq!(task.verification.expect("a report").damage.len(), 2);
    let error = life
        .resume(&id)
        .await
        .expect_err("starts from the beginning");
    assert_eq!(error.reason, "TASK_NOT_RESUMABLE");
    assert!(error.hint.expect("a hint").contains("backup verify"));
    assert_eq!(world.fleet.count("verify"), 1, "damage is not retried");
}

#[tokio::test]
async fn a_verification_goes_on_after_its_runner_was_killed() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("verify", &[Fault::Hang, Fault::Break]);
    let id = life.verify("b").await.expect("a task");
    let mut life = killed_in(&world, life, "verify").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("verify"), 3);
}

#[tokio::test]
async fn a_verification_can_be_cancelled() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("verify", &[Fault::Hang]);
    let id = life.verify("b").await.expect("a task");
    world.called("verify").await;
    life.cancel(&id).await.expect("cancelled");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled);
    assert!(task.verification.is_none());
}

#[tokio::test]
async fn what_is_not_there_is_refused_at_once() {
    let (_world, mut life) = world_with_backup().await;
    for error in [life.verify("x").await, life.delete("x").await] {
        let error = error.expect_err("no such backup");
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::NotFound, "BACKUP_NOT_FOUND")
        );
    }
    assert!(life.tasks().await.is_empty());
}

#[tokio::test]
async fn a_deletion_removes_the_backup_and_says_how_much() {
    let (world, mut life) = world_with_backup().await;
    let id = life.delete("b").await.expect("a task");
    let task = life.until(&id, |task| task.deletion.is_some()).await;
    assert_eq!(task.kind(), TaskKind::Delete);
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let deletion = task.deletion.expect("a result");
    assert_eq!((deletion.deleted_objects, deletion.freed_bytes), (3, 9));
    assert!(world.fleet.facts().backups.is_empty());
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_goes_on_after_a_restart() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("delete", &[Fault::Break, Fault::Hang]);
    let id = life.delete("b").await.expect("a task");
    life.until(&id, |_| world.fleet.count("delete") == 2).await;
    let left = world.fleet.facts().backups["b"].0.clone();
    assert_eq!(left, BackupNow::Deleting);
    let mut life = killed_in(&world, life, "delete").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert!(world.fleet.facts().backups.is_empty());
}

#[tokio::test]
async fn a_deletion_whose_reply_was_lost_has_succeeded() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("delete", &[Fault::LoseAnswer]);
    let id = life.delete("b").await.expect("a task");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("delete"), 2);
}

#[tokio::test]
async fn a_deletion_that_failed_can_be_resumed() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.facts().pins.insert("a task".into());
    let id = life.delete("b").await.expect("a task");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        task.error.contains("pinned (ask a human)"),
        "{}",
        task.error
    );
    let left = world.fleet.facts().backups["b"].0.clone();
    assert_eq!(left, BackupNow::Complete);
    world.fleet.facts().pins.clear();
    life.resume(&id).await.expect("goes on");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert!(world.fleet.facts().backups.is_empty());
}

#[tokio::test]
async fn a_deletion_that_has_begun_cannot_be_cancelled() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("delete", &[Fault::Hang]);
    let id = life.delete("b").await.expect("a task");
    world.called("delete").await;
    let error = life.cancel(&id).await.expect_err("it has begun");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::FailedPrecondition, "DELETION_HAS_BEGUN")
    );
}

#[tokio::test]
async fn a_deletion_that_is_resumed_spares_a_newer_backup_of_the_same_name() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("delete", &[Fault::Damaged]);
    let id = life.delete("b").await.expect("a task");
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    // As if the catalog had come to the end by itself, or another deletion had.
    world.fleet.facts().backups.clear();
    let newer = life.backup("b").await;
    assert_eq!(life.ended(&newer).await.state(), TaskState::Succeeded);
    life.resume(&id).await.expect("is tried");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains(&newer), "{}", task.error);
    assert_eq!(world.fleet.count("delete"), 1);
    let left = world.fleet.facts().backups["b"].0.clone();
    assert_eq!(left, BackupNow::Complete);
}

#[tokio::test]
async fn a_deletion_that_is_resumed_spares_a_backup_that_had_waited_for_its_turn() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("upload n1", &[Fault::Gate]);
    let first = life.backup("a").await;
    world.called("upload n1").await;
    // Created before the deletion, it reserves its name once it has its turn.
    let waiting = life.queue_backup("b", Priority::Unspecified).await;
    world.fleet.fail("delete", &[Fault::Damaged]);
    let deletion = life.delete("b").await.expect("a task");
    assert_eq!(life.ended(&deletion).await.state(), TaskState::Failed);
    // As if the catalog had come to the end by itself, or another deletion had.
    world.fleet.facts().backups.remove("b");
    world.fleet.facts().gate.cancel();
    assert_eq!(life.ended(&first).await.state(), TaskState::Succeeded);
    assert_eq!(life.ended(&waiting).await.state(), TaskState::Succeeded);
    life.resume(&deletion).await.expect("is tried");
    let task = life.ended(&deletion).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("it is another one"), "{}", task.error);
    let left = world.fleet.facts().backups["b"].0.clone();
    assert_eq!(left, BackupNow::Complete);
}

#[tokio::test]
async fn both_run_beside_a_backup_of_the_same_cluster() {
    let (world, mut life) = world_with_backup().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let backup = life.backup("c").await;
    life.running(&backup, "upload-n1").await;
    let verification = life.verify("b").await.expect("a task");
    let task = life.ended(&verification).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let deletion = life.delete("b").await.expect("a task");
    let task = life.ended(&deletion).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let task = life.task(&backup).await.expect("a task");
    assert_eq!(task.state(), TaskState::Running);
}
