//! Restores that had their turn before and wait again, or have given their cluster up.

use std::sync::Arc;

use api::pb::task_runner::TaskState;
use serde_json::json;
use state_store::Expected;

use crate::faulty_store::{FaultyStore, WriteFault};
use crate::fleet::Fault;
use crate::sharing::shared;
use crate::world::{Life, World};

fn world() -> World {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("old");
    world
}

/// A restore that has ended or paused before another task has its cluster, which keeps it until the gate opens.
async fn other_begins(world: &World, life: &mut Life) -> String {
    world.fleet.fail("upload n1", &[Fault::Gate]);
    let other = life.backup_of("other", "another").await;
    world.called("upload n1").await;
    other
}

async fn other_ends(world: &World, life: &mut Life, other: &str) {
    world.fleet.facts().gate.cancel();
    succeeds(life, other).await;
}

async fn succeeds(life: &mut Life, id: &str) {
    let task = life.ended(id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

/// A restore that has staged the files of one node.
async fn staging(world: &World, life: &mut Life) -> String {
    world.fleet.fail("stage n2", &[Fault::Hang]);
    let id = life.restore("old").await;
    world.called("stage n2").await;
    life.running(&id, "stage-n2").await;
    id
}

async fn cancelled(life: &mut Life, id: &str) {
    life.cancel(id).await.expect("cancelled");
    assert_eq!(life.ended(id).await.state(), TaskState::Cancelled);
}

/// A restore that has failed at this call.
async fn failed(world: &World, life: &mut Life, call: &str) -> String {
    world.fleet.fail(call, &[Fault::Damaged]);
    let id = life.restore("old").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed, "{call}");
    id
}

#[tokio::test]
async fn a_cancelled_restore_stages_again_although_it_was_stopped_while_it_waited() {
    for by_force in [false, true] {
        let world = world();
        let mut life = world.start_with_cluster().await;
        let id = staging(&world, &mut life).await;
        cancelled(&mut life, &id).await;
        let before = world.fleet.count("stage n1");
        let other = other_begins(&world, &mut life).await;
        life.resume_in_turn(&id).await.expect("it waits");
        if by_force {
            life.fail(&id, true).await.expect("ended");
            life.ended(&id).await;
        } else {
            life.pause(&id, "").await.expect("paused");
        }
        other_ends(&world, &mut life, &other).await;
        life.resume(&id).await.expect("it goes on");
        succeeds(&mut life, &id).await;
        assert_eq!(world.fleet.count("stage n1"), before + 1);
        world.check_rules();
    }
}

#[tokio::test]
async fn a_restore_that_has_changed_its_cluster_does_not_wait_beside_another_task() {
    for call in ["cql n1", "load n2"] {
        let world = world();
        let mut life = world.start_with_cluster().await;
        let id = failed(&world, &mut life, call).await;
        let other = other_begins(&world, &mut life).await;
        let refused = life.resume_in_turn(&id).await.expect_err(call);
        assert_eq!(refused.reason, "TASK_NOT_RESUMABLE", "{refused:?}");
        assert!(refused.message.contains(&other), "{refused:?}");
        let hint = refused.hint.expect("a hint");
        assert!(hint.contains("once the cluster is free"), "{hint}");
        let task = life.task(&id).await.expect("a task");
        assert_eq!(task.state(), TaskState::Failed);
        other_ends(&world, &mut life, &other).await;
        life.resume(&id).await.expect("the cluster is free");
        succeeds(&mut life, &id).await;
        world.check_rules();
    }
}

#[tokio::test]
async fn what_was_undone_is_not_undone_again_while_another_task_has_the_cluster() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let id = failed(&world, &mut life, "cql n1").await;
    life.cancel(&id).await.expect("cancelled");
    let is_cancelled = |task: &api::pb::task_runner::Task| task.state() == TaskState::Cancelled;
    life.until(&id, is_cancelled).await;
    let before = world.fleet.count("finish n1");
    assert!(before > 0, "it was undone");
    let other = other_begins(&world, &mut life).await;
    life.resume_in_turn(&id).await.expect("it waits");
    life.cancel(&id).await.expect("cancelled");
    life.until(&id, is_cancelled).await;
    assert_eq!(world.fleet.count("finish n1"), before);
    assert!(world.fleet.facts().pins.is_empty());
    other_ends(&world, &mut life, &other).await;
}

#[tokio::test]
async fn a_resume_that_fails_leaves_a_paused_task_its_cluster() {
    let world = world();
    world.fleet.fail("load n2", &[Fault::Hang]);
    let store = shared(&world).await;
    let mut life = world.start_on(store.clone());
    let id = life.restore("old").await;
    world.called("load n2").await;
    let paused = life.pause(&id, "").await.expect("paused");
    assert!(paused.paused.expect("paused").keeps_cluster);
    life.runner.drain().await;
    let mut failures = 0;
    for writes in 0..4 {
        let faulty = FaultyStore::with_fault(store.clone(), WriteFault::Failed, writes);
        let mut life = world.start_on(Arc::new(faulty));
        let resumed = life.resume(&id).await;
        if resumed.is_ok() {
            succeeds(&mut life, &id).await;
            break;
        }
        failures += 1;
        life.runner.drain().await;
        let mut life = world.start_on(store.clone());
        let task = life.task(&id).await.expect("a task");
        assert_eq!(task.state(), TaskState::Paused, "{writes}");
        let busy = life.start_restore("old").await.expect_err("busy");
        assert_eq!(busy.reason, "CLUSTER_BUSY", "{writes}");
        life.runner.drain().await;
    }
    assert!(failures > 1, "{failures}");
}

#[tokio::test]
async fn a_restore_that_goes_on_after_it_emptied_tables_forbids_older_ones() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let old = failed(&world, &mut life, "load n2").await;
    world.fleet.fail("load n1", &[Fault::Damaged]);
    let newer = failed(&world, &mut life, "load n2").await;
    life.runner.kill().await;
    drop(life);
    // It was resumed, and has not got its cluster again yet.
    let store = world.open().await;
    let key = format!("tasks/{newer}");
    let mut record = store.get(&key).await.expect("get").expect("the task").value;
    let ended = record["finished_at"].take();
    record["paused"] = json!({
        "since": ended, "why": "", "gave_up": false, "keeps_cluster": false,
    });
    record["first_ended"] = ended;
    record["state"] = "paused".into();
    record["ending"].take();
    let write = state_store::Write::put(key, record, Expected::Anything);
    store.write(&[write], None).await.expect("written");
    let mut life = world.start_on(store);
    let refused = life.resume(&old).await.expect_err("superseded");
    assert_eq!(refused.reason, "TASK_SUPERSEDED");
    assert!(refused.message.contains(&newer), "{refused:?}");
}

#[tokio::test]
async fn the_task_that_forbids_a_paused_restore_to_go_on_is_not_forgotten() {
    let mut world = world();
    world.config.keep_finished_tasks = 1;
    let mut life = world.start_with_cluster().await;
    let old = staging(&world, &mut life).await;
    life.pause(&old, "").await.expect("paused");
    let newer = life.restore("old").await;
    succeeds(&mut life, &newer).await;
    for name in ["c", "d", "e"] {
        let backup = life.backup_of(name, "another").await;
        life.ended(&backup).await;
    }
    let refused = life.resume(&old).await.expect_err("superseded");
    assert_eq!(refused.reason, "TASK_SUPERSEDED");
    assert!(refused.message.contains(&newer), "{refused:?}");
}

#[tokio::test]
async fn a_restore_that_was_superseded_while_it_waited_keeps_nothing() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let old = staging(&world, &mut life).await;
    life.pause(&old, "").await.expect("paused");
    world.fleet.fail("stage n1", &[Fault::Gate]);
    let newer = life.restore("old").await;
    life.running(&newer, "stage-n1").await;
    life.resume_in_turn(&old).await.expect("it waits");
    world.fleet.facts().gate.cancel();
    succeeds(&mut life, &newer).await;
    let task = life.ended(&old).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains(&newer), "{}", task.error);
    let facts = world.fleet.facts();
    assert!(facts.pins.is_empty() && facts.staged.is_empty());
}
