//! Tasks that are paused, by users or because the retries of a step ran out.

use std::sync::Arc;

use api::pb::task_runner::{StepState, Task, TaskState};
use api::pb::types::MaintenanceCommand;

use crate::dying_store::{Death, DyingStore};
use crate::fleet::{BackupNow, Fault};
use crate::maintenance;
use crate::sharing::{end_of, shared};
use crate::world::{Life, World, codes, is_final, state_of};

/// A world in which this call hangs at first.
async fn hanging(call: &str) -> (World, Life) {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("old");
    world.fleet.fail(call, &[Fault::Hang]);
    let life = world.start_with_cluster().await;
    (world, life)
}

fn why(task: &Task) -> &str {
    task.paused.as_ref().map_or("", |paused| &paused.why)
}

#[tokio::test]
async fn a_paused_backup_stops_gives_its_cluster_up_and_goes_on_where_it_was() {
    let (world, mut life) = hanging("upload n2").await;
    let id = life.backup("b").await;
    world.called("upload n2").await;
    life.until(&id, |task| {
        state_of(task, "capture") == StepState::Succeeded
    })
    .await;
    let paused = life.pause(&id, "for the sale").await.expect("paused");
    assert_eq!(paused.state(), TaskState::Paused);
    assert_eq!(why(&paused), "paused on request: for the sale");
    assert!(!world.fleet.facts().hanging.contains("upload n2"));
    let again = life.pause(&id, "twice").await.expect("it is paused");
    assert_eq!(why(&again), "paused on request: for the sale");
    // All nodes have their snapshots, so what others do is not in it.
    assert!(!paused.paused.expect("paused").keeps_cluster);
    let restore = life.restore("old").await;
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);

    let resumed = life.resume(&id).await.expect("it goes on");
    assert_eq!(resumed.attempt, 2);
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    assert_eq!(world.fleet.count("snapshot n1"), 1);
    world.check_rules();
}

#[tokio::test]
async fn a_backup_that_is_paused_between_its_snapshots_keeps_its_cluster() {
    let (world, mut life) = hanging("snapshot n2").await;
    let id = life.backup("b").await;
    world.called("snapshot n2").await;
    let paused = life.pause(&id, "").await.expect("paused");
    assert!(paused.paused.expect("paused").keeps_cluster);
    let busy = life.start_restore("old").await.expect_err("busy");
    assert_eq!(busy.reason, "CLUSTER_BUSY");
    assert!(busy.message.contains("it is paused"), "{busy:?}");
    life.cancel(&id).await.expect("cancelled");
    assert_eq!(life.ended(&id).await.state(), TaskState::Cancelled);
    assert!(world.fleet.facts().snapshots.is_empty());
    let restore = life.restore("old").await;
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn a_restore_that_has_emptied_tables_keeps_its_cluster_while_it_is_paused() {
    for (call, keeps) in [("stage n2", false), ("load n2", true)] {
        let (world, mut life) = hanging(call).await;
        let id = life.restore("old").await;
        world.called(call).await;
        let paused = life.pause(&id, "").await.expect("paused");
        let paused = paused.paused.expect("paused");
        assert_eq!(paused.keeps_cluster, keeps, "{call}");
        assert_eq!(life.create_backup("b").await.is_err(), keeps, "{call}");
        for task in life.tasks().await {
            if task.id != id {
                life.ended(&task.id).await;
            }
        }
        let resumed = life.resume(&id).await;
        if keeps {
            resumed.expect("it goes on");
            assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
        } else {
            // A backup of its tables was made since: what it would load is older.
            let refused = resumed.expect_err("superseded");
            assert_eq!(refused.reason, "TASK_SUPERSEDED");
            assert_eq!(
                life.task(&id).await.expect("a task").state(),
                TaskState::Paused
            );
        }
        world.check_rules();
    }
}

#[tokio::test]
async fn a_paused_task_stays_paused_over_a_restart_and_another_runner_resumes_it() {
    let world = World::new(&["n1", "n2"]);
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let store = shared(&world).await;
    let mut one = world.start_on(store.clone());
    let mut two = world.start_on(store.clone());
    let id = one.backup("b").await;
    world.called("upload n2").await;
    // The request goes through the state to the task's driver.
    let paused = two.pause(&id, "for the night").await.expect("paused");
    assert_eq!(paused.state(), TaskState::Paused);
    one.runner.drain().await;
    two.runner.drain().await;
    let mut three = world.start_on(store);
    let task = three.task(&id).await.expect("a task");
    assert_eq!(task.state(), TaskState::Paused);
    assert_eq!(why(&task), "paused on request: for the night");
    three.resume(&id).await.expect("it goes on");
    assert_eq!(end_of(&mut three, &id).await, TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_backup_whose_retries_run_out_is_paused_and_not_lost() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.step_retry_for_seconds = 0;
    world.config.pause_when_retries_run_out = true;
    world.fleet.fail("upload n2", &[Fault::DownBehindGate]);
    let mut life = world.start_with_cluster().await;
    let id = life.backup("b").await;
    life.until(&id, |task| {
        state_of(task, "capture") == StepState::Succeeded
    })
    .await;
    world.fleet.facts().gate.cancel();
    let task = life
        .until(&id, |task| task.state() == TaskState::Paused)
        .await;
    assert!(
        task.paused
            .as_ref()
            .is_some_and(|paused| !paused.keeps_cluster)
    );
    assert!(task.paused.as_ref().is_some_and(|paused| paused.gave_up));
    for part in [
        "upload-n2",
        "down",
        "ringkeep task resume",
        "ringkeep task cancel",
    ] {
        assert!(why(&task).contains(part), "{part}: {}", why(&task));
    }
    assert!(matches!(
        world.fleet.facts().backups.get("b"),
        Some((BackupNow::Running, _))
    ));
    life.resume(&id).await.expect("it goes on");
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn what_no_other_try_can_mend_fails_and_is_not_paused() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.pause_when_retries_run_out = true;
    world.fleet.fail("upload n2", &[Fault::Damaged]);
    let mut life = world.start_with_cluster().await;
    let id = life.backup("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
}

#[tokio::test]
async fn a_paused_task_is_ended_by_force_where_it_is() {
    let (world, mut life) = hanging("load n2").await;
    let id = life.restore("old").await;
    world.called("load n2").await;
    life.pause(&id, "").await.expect("paused");
    let refused = life.cancel(&id).await.expect_err("too late");
    assert_eq!(refused.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    let refused = life.fail(&id, false).await.expect_err("only by force");
    assert_eq!(refused.reason, "TASK_FAIL_NEEDS_FORCE");
    life.fail(&id, true).await.expect("ended");
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    let backup = life.backup("b").await;
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn a_restore_in_place_that_is_paused_names_the_nodes_that_are_down() {
    let (world, mut life) = hanging("swap n2").await;
    world.fleet.facts().in_place = true;
    let id = life.restore("old").await;
    world.called("swap n2").await;
    let paused = life.pause(&id, "").await.expect("paused");
    let expected = "Cassandra is stopped on nodes n1, n2 until the task goes on";
    assert!(why(&paused).contains(expected), "{}", why(&paused));
    life.resume(&id).await.expect("it goes on");
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_task_that_waits_is_paused_and_keeps_its_place() {
    let (world, mut life) = hanging("upload n2").await;
    let first = life.backup("a").await;
    world.called("upload n2").await;
    let unspecified = api::pb::task_runner::Priority::Unspecified;
    let second = life.queue_backup("b", unspecified).await;
    life.until(&second, |task| task.waiting.is_some()).await;
    let paused = life.pause(&second, "").await.expect("paused");
    assert_eq!(paused.state(), TaskState::Paused);
    life.cancel(&first).await.expect("cancelled");
    life.ended(&first).await;
    assert_eq!(
        life.task(&second).await.expect("a task").state(),
        TaskState::Paused
    );
    life.resume(&second).await.expect("it goes on");
    assert_eq!(life.ended(&second).await.state(), TaskState::Succeeded);
    world.check_rules();
}

/// A world in which steps are not tried again and tasks pause by themselves.
fn impatient(call: &str) -> World {
    let mut world = World::new(&["n1", "n2"]);
    world.config.step_retry_for_seconds = 0;
    world.config.pause_when_retries_run_out = true;
    world.has_backup("old");
    world.fleet.fail(call, &[Fault::Unavailable]);
    world
}

#[tokio::test]
async fn what_would_keep_its_cluster_closed_fails_and_is_not_paused_by_itself() {
    let world = impatient("snapshot n2");
    let mut life = world.start_with_cluster().await;
    let backup = life.backup("b").await;
    assert_eq!(life.ended(&backup).await.state(), TaskState::Failed);

    let world = impatient("cleanup n1");
    let mut life = world.start_with_cluster().await;
    let request = maintenance::request(&[MaintenanceCommand::Cleanup]);
    let started = life.maintain(request).await.expect("a task");
    let task = life.ended(&started.task_id).await;
    assert_eq!(task.state(), TaskState::Failed);
    let next = life.backup("next").await;
    assert_eq!(life.ended(&next).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn a_restore_in_place_that_pauses_by_itself_has_the_findings_of_one_that_has_failed() {
    let world = impatient("swap n2");
    world.fleet.facts().in_place = true;
    let mut life = world.start_with_cluster().await;
    let id = life.restore("old").await;
    let is_paused = |task: &Task| task.state() == TaskState::Paused;
    let paused = life.until(&id, is_paused).await;
    assert_eq!(codes(&paused), ["CASSANDRA_STOPPED"], "{paused:#?}");
    life.resume(&id).await.expect("it goes on");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert!(!codes(&task).contains(&"CASSANDRA_STOPPED"), "{task:#?}");
}

/// A backup that has its snapshots, was paused, and gave its cluster up.
async fn backup_that_gave_up() -> (World, Life, String) {
    let (world, mut life) = hanging("upload n2").await;
    let id = life.backup("b").await;
    world.called("upload n2").await;
    life.until(&id, |task| {
        state_of(task, "capture") == StepState::Succeeded
    })
    .await;
    let paused = life.pause(&id, "").await.expect("paused");
    assert!(!paused.paused.expect("paused").keeps_cluster);
    (world, life, id)
}

#[tokio::test]
async fn a_backup_that_had_its_snapshots_before_a_restore_does_not_supersede_it() {
    let (world, mut life, backup) = backup_that_gave_up().await;
    world.fleet.fail("stage n2", &[Fault::Hang]);
    let restore = life.restore("old").await;
    world.called("stage n2").await;
    life.pause(&restore, "").await.expect("paused");
    life.resume(&backup).await.expect("it goes on");
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
    life.resume(&restore)
        .await
        .expect("nothing newer was saved");
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_paused_task_whose_cluster_another_has_waits_for_it_on_request() {
    let (world, mut life, backup) = backup_that_gave_up().await;
    world.fleet.fail("stage n1", &[Fault::Gate]);
    let restore = life.restore("old").await;
    world.called("stage n1").await;
    let refused = life.resume(&backup).await.expect_err("busy");
    assert_eq!(refused.reason, "CLUSTER_BUSY");
    let task = life.task(&backup).await.expect("a task");
    assert_eq!(task.state(), TaskState::Paused);
    let resumed = life.resume_in_turn(&backup).await.expect("it waits");
    assert_eq!(resumed.state(), TaskState::Pending);
    let waiting = resumed.waiting.expect("why it waits");
    assert_eq!(waiting.task_id, restore);
    world.fleet.facts().gate.cancel();
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
    assert_eq!(
        world.fleet.count("snapshot n1"),
        1,
        "it goes on where it was"
    );
    world.check_rules();
}

#[tokio::test]
async fn a_task_that_waits_again_undoes_what_it_has_made_if_it_is_cancelled() {
    let (world, mut life, backup) = backup_that_gave_up().await;
    world.fleet.fail("stage n1", &[Fault::Gate]);
    let restore = life.restore("old").await;
    world.called("stage n1").await;
    life.resume_in_turn(&backup).await.expect("it waits");
    life.cancel(&backup).await.expect("cancelled");
    assert_eq!(life.ended(&backup).await.state(), TaskState::Cancelled);
    assert!(world.fleet.facts().snapshots.is_empty());
    let name = world.fleet.facts().backups["b"].0.clone();
    assert!(matches!(name, BackupNow::Failed(_)), "{name:?}");
    world.fleet.facts().gate.cancel();
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn a_paused_restore_that_gave_its_cluster_up_is_cancelled_while_another_task_has_it() {
    let (world, mut life) = hanging("stage n2").await;
    let restore = life.restore("old").await;
    world.called("stage n2").await;
    life.pause(&restore, "").await.expect("paused");
    world.fleet.fail("upload n1", &[Fault::Gate]);
    let backup = life.backup("b").await;
    world.called("upload n1").await;
    life.cancel(&restore).await.expect("cancelled");
    assert_eq!(life.ended(&restore).await.state(), TaskState::Cancelled);
    {
        let facts = world.fleet.facts();
        assert!(facts.pins.is_empty() && facts.staged.is_empty());
        facts.gate.cancel();
    }
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_that_is_paused_while_it_waits_does_not_run_after_a_newer_one() {
    let (world, mut life) = hanging("upload n2").await;
    let first = life.backup("a").await;
    world.called("upload n2").await;
    let unspecified = api::pb::task_runner::Priority::Unspecified;
    let old = life.queue_restore("old", unspecified).await;
    let paused = life.pause(&old, "").await.expect("paused");
    assert_eq!(paused.state(), TaskState::Paused);
    life.cancel(&first).await.expect("cancelled");
    life.ended(&first).await;
    let newer = life.restore("old").await;
    assert_eq!(life.ended(&newer).await.state(), TaskState::Succeeded);
    let refused = life.resume(&old).await.expect_err("superseded");
    assert_eq!(refused.reason, "TASK_SUPERSEDED");
    assert!(refused.message.contains(&newer), "{refused:?}");
    assert_eq!(world.fleet.count("load n1"), 1, "of the newer one");
    life.cancel(&old).await.expect("cancelled");
    assert_eq!(life.ended(&old).await.state(), TaskState::Cancelled);
}

/// About as many as a pause, a resume and the rest of a backup make.
const WRITES: i64 = 30;

/// Pauses a backup whose upload hangs, and resumes it, on a state that dies at this write. Returns whether it died.
async fn paused_until_death(world: &World, id: &str, writes: i64, death: Death) -> bool {
    let store = Arc::new(DyingStore::new(world.open().await, writes, death));
    let mut life = world.start_on(store.clone());
    let story = async {
        while world.fleet.count("upload n2") < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        life.pause(id, "").await.expect("paused");
        life.resume(id).await.expect("it goes on");
        life.ended(id).await;
        life.runner.drain().await;
    };
    let died = tokio::select! {
        () = store.dead.cancelled() => true,
        () = story => store.dead.is_cancelled(),
    };
    life.runner.kill().await;
    died
}

/// Whether there was such a write.
async fn pause_survives(writes: i64, death: Death) -> bool {
    let place = format!("{death:?} {writes}");
    let world = World::new(&["n1", "n2"]);
    world.fleet.fail("upload n2", &[Fault::Hang, Fault::Hang]);
    let mut life = world.start_with_cluster().await;
    let id = life.backup("b").await;
    world.called("upload n2").await;
    life.runner.kill().await;
    drop(life);
    let died = paused_until_death(&world, &id, writes, death).await;
    // If it died before its upload began.
    world.fleet.facts().faults.clear();
    let mut life = world.start().await;
    let at_rest = |task: &Task| task.state() == TaskState::Paused || is_final(task.state());
    let task = life.until(&id, at_rest).await;
    if task.state() == TaskState::Paused {
        life.resume(&id).await.expect(&place);
    }
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{place}: {task:#?}");
    assert!(world.fleet.facts().snapshots.is_empty(), "{place}");
    world.check_rules();
    died
}

#[tokio::test]
async fn a_pause_and_a_resume_survive_a_death_at_each_write() {
    for death in [Death::BeforeWrite, Death::AfterWrite] {
        let mut deaths = 0;
        for writes in 0..WRITES {
            deaths += u32::from(pause_survives(writes, death).await);
        }
        // A write that its caller gives up does not end the runner.
        assert!(deaths > 20, "{death:?}: {deaths}");
    }
}
