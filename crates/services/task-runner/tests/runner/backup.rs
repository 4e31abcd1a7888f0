//! Backups from the wish to the end.

use api::ErrorKind;
use api::pb::planner::Completeness;
use api::pb::task_runner::{self as pb, StepState, TaskState};
use api::pb::types::BackupKind;

use crate::fleet::{BackupNow, Fault};
use crate::world::{World, codes, state_of};

#[tokio::test]
async fn a_backup_snapshots_all_uploads_commits_and_clears() {
    let world = World::new(&["n1", "n2", "n3"]);
    world.fleet.facts().taken_ms = [("n1", 1_000), ("n2", 1_250), ("n3", 1_100)]
        .map(|(node, ms)| (node.to_owned(), ms))
        .into();
    let mut life = world.start_with_cluster().await;
    let id = life.backup("monday").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    assert!(
        task.steps
            .iter()
            .all(|step| step.state() == StepState::Succeeded)
    );
    assert!((task.progress - 1.0).abs() < 1e-9);
    assert!(!task.finished_at.is_empty());
    world.check_rules();
    let facts = world.fleet.facts();
    assert_eq!(facts.backups["monday"].0, BackupNow::Complete);
    assert!(facts.snapshots.is_empty(), "cleared");
    assert_eq!(facts.spread_ms, Some(250));
    assert_eq!(codes(&task), [""; 0]);
}

#[tokio::test]
async fn a_backup_whose_snapshots_are_far_apart_reports_it() {
    let world = World::new(&["n1", "n2"]);
    world.fleet.facts().taken_ms = [("n1", 1_000), ("n2", 91_000)]
        .map(|(node, ms)| (node.to_owned(), ms))
        .into();
    let mut life = world.start_with_cluster().await;
    let id = life.backup("monday").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    assert_eq!(codes(&task), ["SNAPSHOTS_APART"]);
    let message = &task.findings[0].message;
    assert!(message.contains("are 1m 30s apart"), "{message}");
}

#[tokio::test]
async fn a_refused_backup_touches_nothing() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().refusal = Some("DISK_SPACE".into());
    let created = life.create_backup("b").await.expect("an answer");
    assert_eq!(created.task_id, "");
    assert_eq!(created.findings[0].code, "DISK_SPACE");
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
    assert!(life.tasks().await.is_empty());
}

#[tokio::test]
async fn the_planner_learns_which_agents_do_not_answer() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("describe n2", &[Fault::Unavailable]);
    let created = life.create_backup("b").await.expect("an answer");
    assert_eq!(created.findings[0].code, "AGENT_UNREACHABLE");
    assert_eq!(created.task_id, "");
}

#[tokio::test]
async fn a_backup_goes_without_a_node_if_that_is_asked_for_and_names_it() {
    // The first of the ring has the lowest release, and its agent is gone for good.
    let world = World::new(&["n1", "n2", "n3"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().stopped.insert("n1".into());
    let request = pb::CreateBackupRequest {
        cluster: "shop".into(),
        name: "without".into(),
        kind: BackupKind::Full as i32,
        completeness: Completeness::Quorum as i32,
        ..pb::CreateBackupRequest::default()
    };
    let created = life.client.create_backup(request).await;
    let created = created.expect("an answer").into_inner();
    let task = life.ended(&created.task_id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    world.check_rules();
    assert!(!task.steps.iter().any(|step| step.node == "n1"));
    let facts = world.fleet.facts();
    assert_eq!(facts.missing, ["n1"]);
    assert!(facts.snapshots.is_empty(), "cleared");
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_in_the_answer_and_leaves_no_task() {
    let world = World::new(&["n1"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    let error = life.create_backup("b").await.expect_err("taken");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::AlreadyExists, "BACKUP_EXISTS")
    );
    assert!(life.tasks().await.is_empty());
    assert_eq!(world.fleet.changes(), ["begin"]);
    let id = life.backup("c").await;
    assert_eq!(
        life.ended(&id).await.state(),
        TaskState::Succeeded,
        "the cluster is free"
    );
}

#[tokio::test]
async fn a_backup_without_a_name_gets_one() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let first = life.create_backup("").await.expect("a backup");
    life.ended(&first.task_id).await;
    let second = life
        .create_backup("")
        .await
        .expect("a backup within the same second");
    let name = |created: &pb::CreateBackupResponse| created.backup.clone().expect("a ref").name;
    assert!(name(&first).starts_with("shop-20"), "{}", name(&first));
    assert_ne!(name(&first), name(&second));
}

#[tokio::test]
async fn a_cluster_has_one_task_at_a_time() {
    let world = World::new(&["n1"]);
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("a").await;
    world.called("upload n1").await;
    let backup = life.create_backup("b").await.expect_err("busy");
    let restore = life.start_restore("old").await.expect_err("busy");
    for error in [backup, restore] {
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::FailedPrecondition, "CLUSTER_BUSY")
        );
        assert!(error.message.contains(&id), "{}", error.message);
    }
    life.cancel(&id).await.expect("cancelled");
    life.ended(&id).await;
    let id = life.backup("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn steps_are_tried_again_until_they_succeed() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    for (call, faults) in [
        ("begin", &[Fault::Unavailable, Fault::LoseAnswer][..]),
        ("snapshot n1", &[Fault::Unavailable, Fault::LoseAnswer]),
        (
            "upload n2",
            &[Fault::Unavailable, Fault::Break, Fault::LoseAnswer],
        ),
        ("commit", &[Fault::LoseAnswer]),
        ("clear n1", &[Fault::Unavailable]),
    ] {
        world.fleet.fail(call, faults);
    }
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    assert_eq!(world.fleet.count("upload n2"), 4);
    assert!(
        task.steps.iter().all(|step| step.error.is_empty()),
        "errors that passed are gone"
    );
    world.check_rules();
}

#[tokio::test]
async fn a_step_that_is_tried_again_shows_its_last_error() {
    let mut world = World::new(&["n1"]);
    world.config.step_retry_first_ms = 60_000;
    world.config.step_retry_max_ms = 60_000;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Break]);
    let id = life.backup("b").await;
    let task = life
        .until(&id, |task| {
            task.steps.iter().any(|step| !step.error.is_empty())
        })
        .await;
    let step = task
        .steps
        .iter()
        .find(|step| step.id == "upload-n1")
        .expect("the step");
    assert_eq!(
        (step.state(), step.error.as_str()),
        (StepState::Running, "broken off")
    );
    assert_eq!(
        (step.bytes_done, step.bytes_total),
        (500, 1000),
        "as far as it was"
    );
    assert!(task.progress > 0.0 && task.progress < 1.0);
}

#[tokio::test]
async fn an_agent_that_falls_silent_is_asked_again() {
    let mut world = World::new(&["n1"]);
    world.config.step_silence_seconds = 1;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    assert_eq!(world.fleet.count("upload n1"), 2);
}

#[tokio::test]
async fn a_backup_that_fails_is_abandoned_and_its_snapshots_cleared() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Damaged]);
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    for part in [
        "step `upload-n1` on node n1 failed",
        "damaged",
        "ask a human",
        "make a new backup",
    ] {
        assert!(task.error.contains(part), "{part} in {}", task.error);
    }
    assert_eq!(state_of(&task, "upload-n1"), StepState::Failed);
    assert_eq!(state_of(&task, "upload-n2"), StepState::Cancelled);
    assert!(codes(&task).is_empty(), "{task:#?}");
    {
        let facts = world.fleet.facts();
        assert!(facts.snapshots.is_empty());
        let BackupNow::Failed(reason) = &facts.backups["b"].0 else {
            panic!("{:?}", facts.backups);
        };
        assert!(reason.contains("upload-n1"), "{reason}");
    }
    let error = life.resume(&id).await.expect_err("its name is burnt");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::FailedPrecondition, "TASK_NOT_RESUMABLE")
    );
    assert!(error.hint.expect("a hint").contains("backup create"));
    let error = life.cancel(&id).await.expect_err("it has ended");
    assert_eq!(error.reason, "TASK_ENDED");
}

#[tokio::test]
async fn a_step_that_never_gets_further_is_given_up() {
    let mut world = World::new(&["n1"]);
    world.config.step_retry_for_seconds = 0;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("snapshot n1", &[Fault::Unavailable]);
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("down"), "{}", task.error);
    assert!(matches!(
        world.fleet.facts().backups["b"].0,
        BackupNow::Failed(_)
    ));
}

#[tokio::test]
async fn what_could_not_be_undone_becomes_a_finding() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.step_retry_for_seconds = 0;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Damaged]);
    world.fleet.fail("clear n2", &[Fault::Unavailable]);
    world.fleet.fail("abandon", &[Fault::Unavailable]);
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert_eq!(
        codes(&task),
        ["SNAPSHOT_NOT_CLEARED", "BACKUP_NOT_ABANDONED"]
    );
    assert_eq!(task.findings[0].subject, "n2");
    let tag = format!("nodetool clearsnapshot -t ringkeep-{id}");
    assert!(
        task.findings[0].hint.contains(&tag),
        "{}",
        task.findings[0].hint
    );
}

#[tokio::test]
async fn a_snapshot_that_stays_takes_nothing_from_a_committed_backup() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("clear n1", &[Fault::Damaged]);
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(codes(&task), ["SNAPSHOT_NOT_CLEARED"]);
    assert!((task.progress - 1.0).abs() < 1e-9);
    assert_eq!(world.fleet.facts().backups["b"].0, BackupNow::Complete);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_for_good_is_found_in_the_bucket() {
    let mut world = World::new(&["n1"]);
    world.config.step_retry_for_seconds = 0;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("commit", &[Fault::LoseAnswer]);
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    assert_eq!(world.fleet.count("abandon"), 0);
    assert!(world.fleet.facts().snapshots.is_empty());
}

#[tokio::test]
async fn a_ring_that_changed_since_the_plan_fails_the_backup() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("snapshot n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    world.called("snapshot n1").await;
    world.fleet.facts().rack = "r2".into();
    life.runner.drain().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        task.error.contains("the ring has changed"),
        "{}",
        task.error
    );
}

#[tokio::test]
async fn a_schema_that_changed_since_the_plan_is_told() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("snapshot n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    world.called("snapshot n1").await;
    world.fleet.facts().schema_version = "schema-2".into();
    life.runner.drain().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(codes(&task), ["SCHEMA_CHANGED_DURING_BACKUP"]);
}

#[tokio::test]
async fn a_differential_uploads_against_the_base_that_was_pinned() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let request = pb::CreateBackupRequest {
        cluster: "shop".into(),
        name: "d".into(),
        kind: BackupKind::Differential as i32,
        ..pb::CreateBackupRequest::default()
    };
    let created = life
        .client
        .create_backup(request.clone())
        .await
        .expect("a backup");
    let task = life.ended(&created.into_inner().task_id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(world.fleet.facts().base.as_deref(), Some("the-base"));
    let full_with_base = pb::CreateBackupRequest {
        kind: BackupKind::Full as i32,
        base: "x".into(),
        ..request
    };
    let error = life
        .client
        .create_backup(full_with_base)
        .await
        .expect_err("nonsense");
    assert_eq!(api::RemoteError::from(error).field.as_deref(), Some("base"));
}

#[tokio::test]
async fn leave_to_keep_damaged_sstables_outlives_a_restart() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("snapshot n1", &[Fault::Hang]);
    let request = pb::CreateBackupRequest {
        cluster: "shop".into(),
        name: "b".into(),
        kind: BackupKind::Full as i32,
        keep_damaged: true,
        ..pb::CreateBackupRequest::default()
    };
    let created = life.client.create_backup(request).await.expect("a backup");
    world.called("snapshot n1").await;
    life.runner.drain().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.ended(&created.into_inner().task_id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(world.fleet.facts().keep_damaged, Some(true));
    let other = life.backup("c").await;
    life.ended(&other).await;
    assert_eq!(world.fleet.facts().keep_damaged, Some(false));
}

#[tokio::test]
async fn full_backups_are_copied_from_what_the_catalog_names_unless_all_is_to_be_uploaded() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    for (name, reupload, copy_from) in [("a", false, "the-source"), ("b", true, "")] {
        let request = pb::CreateBackupRequest {
            cluster: "shop".into(),
            name: name.into(),
            kind: BackupKind::Full as i32,
            reupload,
            ..pb::CreateBackupRequest::default()
        };
        let created = life.client.create_backup(request).await.expect("a backup");
        life.ended(&created.into_inner().task_id).await;
        let told = world.fleet.facts().copy_from.clone();
        assert_eq!(told.as_deref(), Some(copy_from));
    }
}
