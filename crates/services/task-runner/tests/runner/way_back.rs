//! Restores in place are accepted or rolled back, and clients are cut off before any node stops.

use api::pb::task_runner::{TaskKind, TaskState};

use crate::fleet::Fault;
use crate::world::{Answer, Life, World};

pub fn world() -> World {
    let mut world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().in_place = true;
    world.config.step_retry_for_seconds = 10;
    world
}

pub async fn restored(world: &World) -> (Life, String) {
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    succeeds(&mut life, &id).await;
    (life, id)
}

pub async fn succeeds(life: &mut Life, id: &str) {
    let task = life.ended(id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

#[track_caller]
pub fn refused(answer: Answer<String>, words: &str) {
    let error = answer.expect_err("refused");
    assert_eq!(error.reason, "NO_WAY_BACK", "{}", error.message);
    assert!(error.message.contains(words), "{}", error.message);
}

#[tokio::test]
async fn an_accepted_restore_has_no_old_files_and_is_not_rolled_back() {
    let world = world();
    let (mut life, id) = restored(&world).await;
    assert_eq!(world.fleet.facts().staged.len(), 2, "old files are kept");
    let accepts = life.accept(&id).await.expect("accepted");
    let task = life.ended(&accepts).await;
    assert_eq!(
        (task.kind(), task.state()),
        (TaskKind::Accept, TaskState::Succeeded)
    );
    assert!(world.fleet.facts().staged.is_empty());
    assert_eq!(life.accept(&id).await.expect("again"), accepts);
    refused(life.roll_back(&id).await, &accepts);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_that_is_rolled_back_leaves_nothing_and_is_neither_accepted_nor_resumed() {
    let world = world();
    let (mut life, id) = restored(&world).await;
    let rollback = life.roll_back(&id).await.expect("rolled back");
    let task = life.ended(&rollback).await;
    assert_eq!(task.kind(), TaskKind::Rollback);
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(crate::world::codes(&task), ["REPAIR_ADVISED"]);
    {
        let facts = world.fleet.facts();
        assert!(facts.loaded.is_empty() && facts.staged.is_empty());
        assert!(facts.stopped.is_empty() && facts.cut_off.is_empty());
    }
    assert_eq!(life.roll_back(&id).await.expect("again"), rollback);
    refused(life.accept(&id).await, &rollback);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_that_failed_in_its_swap_is_rolled_back_and_not_resumed_then() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("swap n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    refused(life.accept(&id).await, "it has not succeeded");
    let marks = world.fleet.count("mark n1");
    let rollback = life.roll_back(&id).await.expect("rolled back");
    succeeds(&mut life, &rollback).await;
    assert_eq!(
        world.fleet.count("mark n1"),
        marks,
        "no node is started on files of which others have other ones"
    );
    let error = life.resume(&id).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED");
}

#[tokio::test]
async fn a_restore_is_not_rolled_back_over_a_newer_one_that_can_be() {
    let world = world();
    let (mut life, older) = restored(&world).await;
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    let error = life.roll_back(&older).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED", "{}", error.message);
    let accepts = life.accept(&older).await.expect("its files may go");
    succeeds(&mut life, &accepts).await;
}

#[tokio::test]
async fn only_restores_in_place_have_a_way_back() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    succeeds(&mut life, &id).await;
    refused(life.roll_back(&id).await, "not in place");
    refused(life.accept(&id).await, "not in place");
    let backup = life.backup("c").await;
    life.ended(&backup).await;
    refused(life.roll_back(&backup).await, "no restore");
}

#[tokio::test]
async fn a_rollback_that_failed_half_way_goes_on() {
    let world = world();
    let (mut life, id) = restored(&world).await;
    world.fleet.fail("swap-back n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&id).await.expect("a task");
    assert_eq!(life.ended(&rollback).await.state(), TaskState::Failed);
    refused(life.roll_back(&id).await, &rollback);
    refused(life.accept(&id).await, &rollback);
    life.resume(&rollback).await.expect("resumed");
    succeeds(&mut life, &rollback).await;
    assert!(world.fleet.facts().loaded.is_empty());
    world.check_rules();
}

#[tokio::test]
async fn a_rollback_that_is_cancelled_before_it_moves_files_lets_clients_in() {
    let world = world();
    let (mut life, id) = restored(&world).await;
    world.fleet.fail("stop n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&id).await.expect("a task");
    assert_eq!(life.ended(&rollback).await.state(), TaskState::Failed);
    life.cancel(&rollback).await.expect("cancelled");
    life.ended(&rollback).await;
    {
        let facts = world.fleet.facts();
        assert!(facts.cut_off.is_empty() && facts.stopped.is_empty());
        assert_eq!(facts.loaded.len(), 2, "the restored files stay");
    }
    let again = life.roll_back(&id).await.expect("another");
    succeeds(&mut life, &again).await;
}

#[tokio::test]
async fn no_node_stops_and_clients_stay_if_one_node_cannot_be_marked() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("mark n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        task.error.contains("nothing was replaced"),
        "{}",
        task.error
    );
    let facts = world.fleet.facts();
    assert!(facts.cut_off.is_empty() && facts.stopped.is_empty());
    let called = |call: &str| facts.calls.iter().any(|made| made.starts_with(call));
    assert!(!called("cut-off") && !called("stop"), "{:?}", facts.calls);
}

#[tokio::test]
async fn a_cutoff_that_was_missed_on_one_node_is_moved_for_all() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("cut-off n2", &[Fault::Unavailable]);
    let id = life.restore("b").await;
    succeeds(&mut life, &id).await;
    for call in ["mark n1", "mark n2", "cut-off n1", "cut-off n2"] {
        assert_eq!(world.fleet.count(call), 2, "{call}");
    }
    world.check_rules();
}

#[tokio::test]
async fn nodes_are_made_quiet_and_stopped_again_by_a_runner_that_was_restarted_between() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stop n2", &[Fault::Hang]);
    let id = life.restore("b").await;
    life.until(&id, |task| {
        crate::world::state_of(task, "stop-n1") == api::pb::task_runner::StepState::Succeeded
    })
    .await;
    world.called("stop n2").await;
    life.runner.drain().await;
    // An operator starts the node meanwhile, and clients write to it.
    world.fleet.facts().cut_off.clear();
    world.fleet.facts().stopped.clear();
    drop(life);
    let mut life = world.start().await;
    succeeds(&mut life, &id).await;
    assert_eq!(world.fleet.count("mark n1"), 2);
    assert_eq!(world.fleet.count("stop n1"), 2);
    world.check_rules();
}

#[tokio::test]
async fn a_rollback_is_not_resumed_over_a_newer_restore() {
    let world = world();
    let (mut life, id) = restored(&world).await;
    world.fleet.fail("stop n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&id).await.expect("a task");
    assert_eq!(life.ended(&rollback).await.state(), TaskState::Failed);
    life.cancel(&rollback).await.expect("cancelled");
    life.ended(&rollback).await;
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    let error = life.resume(&rollback).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED", "{}", error.message);
    assert!(error.message.contains(&newer), "{}", error.message);
    assert_eq!(world.fleet.count("swap-back n1"), 0);
}

#[tokio::test]
async fn a_resume_lets_clients_in_and_compares_the_cluster_before_nodes_stop_again() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stop n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    let described = world.fleet.count("describe n1");
    life.resume(&id).await.expect("resumed");
    succeeds(&mut life, &id).await;
    assert!(world.fleet.count("describe n1") > described);
    let facts = world.fleet.facts();
    let last = |call: &str| facts.calls.iter().rposition(|made| made == call);
    assert!(last("let-in n1") < last("mark n1"), "{:?}", facts.calls);
    drop(facts);
    assert_eq!(world.fleet.count("mark n1"), 2);
    assert_eq!(world.fleet.count("stop n1"), 2);
    world.check_rules();
}
