//! Tasks that end although nothing moves and nothing replies.

use std::sync::Arc;

use api::pb::task_runner::{StepState, Task, TaskState};
use tokio::time::timeout;

use crate::fleet::Fault;
use crate::narrow_store::NarrowStore;
use crate::world::{DEADLINE, World, codes, state_of};

/// A world in which steps are given up after a second, by whatever limit.
fn impatient(in_place: bool) -> World {
    let mut world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().in_place = in_place;
    world.config.step_retry_for_seconds = 1;
    world.config.step_silence_seconds = 1;
    world.config.nodetool_silence_seconds = 1;
    world.config.clean_up_limit_seconds = 1;
    world
}

/// A restore that has ended after these faults of one call.
async fn restored(world: &World, call: &str, faults: &[Fault]) -> Task {
    let mut life = world.start_with_cluster().await;
    world.fleet.fail(call, faults);
    let id = life.restore("b").await;
    life.ended(&id).await
}

#[tokio::test]
async fn reports_that_repeat_themselves_are_silence() {
    for (call, step) in [("stage n1", "stage-n1"), ("views n2", "views")] {
        let world = impatient(false);
        let task = restored(&world, call, &[Fault::Stuck; 20]).await;
        assert_eq!(task.state(), TaskState::Failed, "{step}");
        assert_eq!(state_of(&task, step), StepState::Failed);
        let error = &task.error;
        assert!(error.contains("no progress for 1 s at: 500"), "{error}");
        assert!(world.fleet.count(call) > 1, "{step} is tried again first");
    }
}

#[tokio::test]
async fn a_step_that_was_stuck_once_goes_on_with_the_next_try() {
    let world = impatient(false);
    let task = restored(&world, "load n1", &[Fault::Stuck]).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("load n1"), 2);
}

#[tokio::test]
async fn calls_that_fail_late_and_get_nowhere_are_given_up() {
    let world = impatient(true);
    let task = restored(&world, "start n1", &[Fault::Late; 20]).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert_eq!(state_of(&task, "start-n1"), StepState::Failed);
    let tries = world.fleet.count("start n1");
    assert!((2..5).contains(&tries), "{tries}");
}

#[tokio::test]
async fn a_step_that_has_used_up_its_time_names_the_setting() {
    let mut world = impatient(true);
    world.config.step_retry_for_seconds = 60;
    world.config.step_limits.stop_seconds = 1;
    let task = restored(&world, "stop n1", &[Fault::Hang; 20]).await;
    assert_eq!(task.state(), TaskState::Failed);
    for words in ["not done within 1 s", "stop_seconds in [tasks.step_limits]"] {
        assert!(task.error.contains(words), "{}", task.error);
    }
}

#[tokio::test]
async fn a_cancellation_ends_although_an_agent_never_replies() {
    let world = impatient(false);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    world.fleet.fail("clear n2", &[Fault::Hang; 20]);
    let id = life.backup("c").await;
    world.called("upload n1").await;
    life.cancel(&id).await.expect("cancelled");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled);
    assert_eq!(codes(&task), ["SNAPSHOT_NOT_CLEARED"]);
    assert_eq!(task.findings[0].subject, "n2");
}

#[tokio::test]
async fn a_runner_that_drains_does_not_wait_for_a_plan() {
    let world = impatient(false);
    let life = world.start_with_cluster().await;
    world.fleet.fail("sstables", &[Fault::Hang]);
    let (runner, mut asking) = (life.runner.clone(), life);
    let planning = tokio::spawn(async move { asking.start_restore("b").await });
    world.called("sstables").await;
    timeout(DEADLINE, runner.drain()).await.expect("in time");
    let error = planning.await.expect("no panic").expect_err("no plan");
    assert_eq!(error.reason, "SHUTTING_DOWN");
}

#[tokio::test]
async fn a_task_whose_state_the_store_refuses_for_good_fails() {
    let world = impatient(false);
    let store = NarrowStore {
        inner: world.open().await,
        refused: &["steps/", "000001", "succeeded"],
    };
    let mut life = world.start_on(Arc::new(store));
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("could not be kept"), "{}", task.error);
}

#[tokio::test]
async fn a_verification_that_always_breaks_off_is_given_up_although_each_try_lasts() {
    let world = impatient(false);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("verify", &[Fault::Stuck; 20]);
    let id = life.verify("b").await.expect("a task");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    let tries = world.fleet.count("verify");
    assert!((2..6).contains(&tries), "{tries}");
}
