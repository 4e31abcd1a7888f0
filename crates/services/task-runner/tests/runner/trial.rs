//! The trial load: what the target would refuse is refused before anything is emptied, and nothing of it stays.

use api::pb::task_runner::{Task, TaskState};

use crate::fleet::Fault;
use crate::world::{Life, World};

/// A restore with a trial, in which this call fails.
async fn failed(call: &str) -> (World, Life, Task) {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().with_trial = true;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail(call, &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed, "{call}");
    (world, life, task)
}

#[tokio::test]
async fn a_restore_is_tried_on_every_node_and_nothing_of_the_trial_stays() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().with_trial = true;
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    for call in ["try n1", "try n2", "cleartrial n1", "cleartrial n2"] {
        assert_eq!(world.fleet.count(call), 1, "{call}");
    }
    assert!(!world.fleet.facts().scratch);
    world.check_rules();
}

#[tokio::test]
async fn what_a_node_refuses_in_the_trial_leaves_everything_live_as_it_is() {
    let (world, mut life, task) = failed("try n2").await;
    assert!(
        task.error.contains("nothing was replaced yet"),
        "{}",
        task.error
    );
    assert_eq!(world.fleet.count("replace n1"), 0);
    life.cancel(&task.id).await.expect("given up");
    let task = life
        .until(&task.id, |task| task.state() == TaskState::Cancelled)
        .await;
    assert_eq!(task.findings.len(), 0, "{:?}", task.findings);
    let facts = world.fleet.facts();
    assert!(!facts.scratch, "the scratch keyspaces are dropped");
    assert!(facts.staged.is_empty() && facts.pins.is_empty());
    drop(facts);
    // When it failed, and when it was given up.
    for call in ["cleartrial n1", "cleartrial n2"] {
        assert_eq!(world.fleet.count(call), 2, "{call}");
    }
    world.check_rules();
}

#[tokio::test]
async fn a_resumed_trial_begins_with_fresh_scratch_keyspaces() {
    let (world, mut life, task) = failed("try n2").await;
    world.fleet.facts().scratch = false;
    life.resume(&task.id).await.expect("resumed");
    let task = life.ended(&task.id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("makescratch n1"), 2);
    world.check_rules();
}

#[tokio::test]
async fn scratch_keyspaces_that_cannot_be_dropped_are_named() {
    let (world, mut life, task) = failed("try n2").await;
    world.fleet.fail("dropscratch n1", &[Fault::Damaged]);
    life.cancel(&task.id).await.expect("given up");
    let task = life
        .until(&task.id, |task| task.state() == TaskState::Cancelled)
        .await;
    let codes: Vec<&str> = task.findings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["TRIAL_NOT_DROPPED"]);
    let hint = &task.findings[0].hint;
    assert!(
        hint.contains("DROP KEYSPACE IF EXISTS ringkeep_trial_1"),
        "{hint}"
    );
}
