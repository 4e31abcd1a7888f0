//! Tasks that are ended as they are, and what they say that they leave.

use api::pb::task_runner::{StepState, Task, TaskState};

use crate::fleet::Fault;
use crate::world::{Life, World, codes, state_of};

/// A restore that hangs at this call, past its point of no return.
async fn hanging(in_place: bool, call: &str) -> (World, Life, String) {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().in_place = in_place;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail(call, &[Fault::Hang]);
    let id = life.restore("b").await;
    world.called(call).await;
    (world, life, id)
}

#[track_caller]
fn finding<'a>(task: &'a Task, code: &str) -> &'a api::pb::types::Finding {
    let found = task.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code}: {task:#?}"))
}

#[tokio::test]
async fn a_restore_past_its_point_of_no_return_is_ended_by_force_and_frees_its_cluster() {
    let (world, mut life, id) = hanging(true, "swap n2").await;
    life.until(&id, |task| {
        state_of(task, "swap-n1") == StepState::Succeeded
    })
    .await;
    let error = life.cancel(&id).await.expect_err("too late");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    let error = life.fail(&id, false).await.expect_err("not without force");
    assert_eq!(error.reason, "TASK_FAIL_NEEDS_FORCE");
    life.fail(&id, true).await.expect("ended");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    let all = [
        "CASSANDRA_STOPPED",
        "ENDED_BY_FORCE",
        "LEFT_ON_NODES",
        "PIN_NOT_RELEASED",
    ];
    assert_eq!(codes(&task), all);
    let stopped = &finding(&task, "CASSANDRA_STOPPED").message;
    assert!(stopped.contains("on nodes n1, n2"), "{stopped}");
    let left = &finding(&task, "LEFT_ON_NODES").message;
    assert!(left.contains("old files"), "{left}");
    let tables = &finding(&task, "ENDED_BY_FORCE").message;
    assert!(tables.contains("ks.t"), "{tables}");
    life.fail(&id, true).await.expect("twice is fine");

    // Another task has the cluster now; and once it has ended, this one goes on.
    world.fleet.facts().stopped.clear();
    let backup = life.backup("c").await;
    life.ended(&backup).await;
    assert!(life.task(&id).await.expect("kept").findings.len() == 4);
}

#[tokio::test]
async fn a_restore_that_was_ended_by_force_goes_on_when_it_is_resumed() {
    let (world, mut life, id) = hanging(true, "start n2").await;
    life.fail(&id, true).await.expect("ended");
    life.ended(&id).await;
    life.resume(&id).await.expect("resumed");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert!(!codes(&task).contains(&"CASSANDRA_STOPPED"));
    assert!(world.fleet.facts().stopped.is_empty());
    world.check_rules();
}

#[tokio::test]
async fn a_cancellation_that_does_not_end_is_ended_by_force() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    world.fleet.fail("clear n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    world.called("upload n1").await;
    life.cancel(&id).await.expect("cancelled");
    world.called("clear n1").await;
    life.fail(&id, true).await.expect("ended");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert_eq!(
        codes(&task),
        ["SNAPSHOT_NOT_CLEARED", "BACKUP_NOT_ABANDONED"]
    );
    assert!(
        task.error.contains("cancelled on request"),
        "{}",
        task.error
    );
}

#[tokio::test]
async fn a_runner_that_dies_while_a_task_is_ended_by_force_ends_it_at_its_next_start() {
    let (world, mut life, id) = hanging(false, "load n1").await;
    life.fail(&id, true).await.expect("on disk");
    life.runner.kill().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        finding(&task, "LEFT_ON_NODES")
            .message
            .contains("compaction")
    );
}

#[tokio::test]
async fn a_task_that_cannot_be_driven_is_ended_by_force() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    world.called("upload n1").await;
    life.runner.kill().await;
    drop(life);
    let store = world.open().await;
    for entry in store.list("documents/").await.expect("a list") {
        let any = state_store::Expected::Anything;
        store.delete(&entry.key, any, None).await.expect("deleted");
    }
    let mut life = world.start_on(store);
    let task = life.fail(&id, true).await.expect("ended");
    assert_eq!(task.state(), TaskState::Failed);
    life.backup("c").await;
}

#[tokio::test]
async fn a_cluster_that_is_busy_with_a_task_that_only_waits_says_so_and_names_the_way_out() {
    let (world, mut life, id) = hanging(false, "load n1").await;
    let error = life.create_backup("c").await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    assert!(!error.message.contains("only waits"), "{}", error.message);
    let hint = error.hint.expect("a hint");
    assert!(hint.contains(&format!("task fail {id} --force")), "{hint}");
    life.fail(&id, true).await.expect("ended");
    life.ended(&id).await;

    world.fleet.fail("load n1", &[Fault::Unavailable; 100_000]);
    life.resume(&id).await.expect("resumed");
    life.until(&id, |task| {
        let error = |step: &str| {
            let found = task.steps.iter().find(|found| found.id == step);
            found.is_some_and(|found| !found.error.is_empty())
        };
        error("load-n1") && state_of(task, "load-n2") == StepState::Succeeded
    })
    .await;
    // What a step waits for is on disk within a second or two.
    let error = loop {
        let error = life.create_backup("c").await.expect_err("busy");
        if error.message.contains("only waits: step `load-n1`") {
            break error;
        }
        assert_eq!(error.reason, "CLUSTER_BUSY");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(error.message.contains("down"), "{}", error.message);
}

#[tokio::test]
async fn a_failed_restore_in_place_names_the_nodes_on_which_cassandra_is_stopped() {
    for (call, stopped, way) in [
        ("stop n2", "nodes n1, n2", "task cancel"),
        ("start n2", "n2", "task resume"),
    ] {
        let world = World::new(&["n1", "n2"]);
        world.has_backup("b");
        world.fleet.facts().in_place = true;
        let mut life = world.start_with_cluster().await;
        world.fleet.fail(call, &[Fault::Damaged]);
        let id = life.restore("b").await;
        let task = life.ended(&id).await;
        assert_eq!(task.state(), TaskState::Failed);
        assert_eq!(codes(&task), ["CASSANDRA_STOPPED"], "{call}");
        let found = finding(&task, "CASSANDRA_STOPPED");
        assert!(found.message.contains(stopped), "{}", found.message);
        assert!(found.hint.contains(way), "{}", found.hint);
        assert!(task.error.contains(stopped), "{}", task.error);
    }
}
