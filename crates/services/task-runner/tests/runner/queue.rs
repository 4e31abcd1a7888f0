//! Tasks that share a cluster, wait for each other, or for a place among those that run.

use api::ErrorKind;
use api::pb::task_runner::{Priority, TaskKind, TaskState};

use crate::fleet::Fault;
use crate::sharing::{end_of, shared};
use crate::world::{Life, World};

/// A world in which tasks hang at the first call of each of these kinds, until the gate opens.
fn gated(calls: &[&str]) -> World {
    let world = World::new(&["n1", "n2"]);
    for call in calls {
        world.fleet.fail(call, &[Fault::Gate]);
    }
    world
}

fn open_gate(world: &World) {
    world.fleet.facts().gate.cancel();
}

/// Waits until the task says that it waits for this one.
async fn waits_for(life: &mut Life, id: &str, other: &str) {
    let task = life
        .until(id, |task| {
            let waiting = task.waiting.as_ref();
            waiting.is_some_and(|waiting| waiting.task_id == other)
        })
        .await;
    assert_eq!(task.state(), TaskState::Pending);
}

#[tokio::test]
async fn a_task_that_is_queued_waits_for_the_one_that_has_the_cluster_and_says_so() {
    let world = gated(&["upload n1"]);
    let mut life = world.start_with_cluster().await;
    let first = life.backup("a").await;
    let second = life.queue_backup("b", Priority::Unspecified).await;
    waits_for(&mut life, &second, &first).await;
    let waiting = life.task(&second).await.expect("a task").waiting;
    assert_eq!(waiting.expect("it waits").kind(), TaskKind::Backup);
    // One that does not want to wait is refused, whichever of the two is named.
    let refused = life.create_backup("c").await.expect_err("busy");
    assert_eq!(refused.reason, "CLUSTER_BUSY");
    open_gate(&world);
    assert_eq!(life.ended(&second).await.state(), TaskState::Succeeded);
    assert_eq!(life.ended(&first).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_overtakes_a_backup_that_waits_and_nothing_overtakes_both() {
    let world = gated(&["upload n1"]);
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    let first = life.backup("a").await;
    let backup = life.queue_backup("b", Priority::Unspecified).await;
    let restore = life.queue_restore("old", Priority::Unspecified).await;
    waits_for(&mut life, &backup, &first).await;
    waits_for(&mut life, &restore, &first).await;
    open_gate(&world);
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
    let calls = world.fleet.changes();
    let at = |call: &str| calls.iter().rposition(|made| made == call);
    assert!(at("unpin") < at("snapshot n1"), "{calls:?}");
    world.check_rules();
}

#[tokio::test]
async fn a_backup_of_other_keyspaces_runs_beside_an_online_restore() {
    let world = gated(&["stage n1"]);
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    let restore = life.restore("old").await;
    world.called("stage n1").await;
    let refused = life.create_backup("all").await.expect_err("busy");
    assert_eq!(refused.reason, "CLUSTER_BUSY");
    // Agents would refuse its calls if it had a number of the cluster above that of the restore.
    let beside = life.backup_of("other", "elsewhere").await;
    assert_eq!(life.ended(&beside).await.state(), TaskState::Succeeded);
    assert_eq!(
        life.task(&restore).await.expect("a task").state(),
        TaskState::Running
    );
    open_gate(&world);
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_does_not_start_beside_a_backup_nor_in_place_beside_anything() {
    let world = gated(&["upload n1"]);
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    let backup = life.backup_of("other", "elsewhere").await;
    world.called("upload n1").await;
    for in_place in [false, true] {
        world.fleet.facts().in_place = in_place;
        let refused = life.start_restore("old").await.expect_err("busy");
        assert_eq!(refused.kind, ErrorKind::FailedPrecondition);
        assert_eq!(refused.reason, "CLUSTER_BUSY");
    }
    open_gate(&world);
    assert_eq!(life.ended(&backup).await.state(), TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn a_task_that_waits_is_cancelled_without_having_touched_anything() {
    let world = gated(&["upload n1"]);
    let mut life = world.start_with_cluster().await;
    let first = life.backup("a").await;
    let second = life.queue_backup("b", Priority::Unspecified).await;
    waits_for(&mut life, &second, &first).await;
    life.cancel(&second).await.expect("cancelled");
    assert_eq!(life.ended(&second).await.state(), TaskState::Cancelled);
    assert!(!world.fleet.facts().backups.contains_key("b"));
    assert_eq!(world.fleet.count("abandon"), 0);
    open_gate(&world);
    assert_eq!(life.ended(&first).await.state(), TaskState::Succeeded);
}

#[tokio::test]
async fn a_task_that_waits_does_so_over_a_restart_and_keeps_its_place() {
    let world = gated(&["upload n1"]);
    let store = shared(&world).await;
    let mut one = world.start_on(store.clone());
    let first = one.backup("a").await;
    let second = one.queue_backup("b", Priority::Unspecified).await;
    waits_for(&mut one, &second, &first).await;
    one.runner.drain().await;
    let mut two = world.start_on(store);
    waits_for(&mut two, &second, &first).await;
    open_gate(&world);
    assert_eq!(end_of(&mut two, &second).await, TaskState::Succeeded);
    assert_eq!(end_of(&mut two, &first).await, TaskState::Succeeded);
    world.check_rules();
}

#[tokio::test]
async fn limits_hold_over_several_runners_and_places_are_taken_in_order() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.running_per_store = 1;
    world.has_backup("a");
    let store = shared(&world).await;
    let mut runners = [world.start_on(store.clone()), world.start_on(store)];
    world.fleet.fail("verify", &[Fault::Gate; 5]);
    let mut ids = Vec::new();
    for at in 0..5 {
        ids.push(runners[at % 2].verify("a").await.expect("a task"));
        world.called("verify").await;
    }
    // What is urgent does not wait for a place.
    let restore = runners[1].restore("a").await;
    assert_eq!(
        end_of(&mut runners[1], &restore).await,
        TaskState::Succeeded
    );
    for (at, id) in ids.iter().enumerate() {
        let has_begun = |_: &api::pb::task_runner::Task| world.fleet.count("verify") > at;
        runners[0].until(id, has_begun).await;
        assert_eq!(world.fleet.count("verify"), at + 1, "one at a time");
        for other in &ids[at + 1..] {
            let task = runners[0].task(other).await.expect("a task");
            assert!(task.waiting.is_some(), "{task:#?}");
        }
        let closed = tokio_util::sync::CancellationToken::new();
        let gate = std::mem::replace(&mut world.fleet.facts().gate, closed);
        gate.cancel();
        assert_eq!(end_of(&mut runners[0], id).await, TaskState::Succeeded);
    }
    world.check_rules();
}

#[tokio::test]
async fn a_backup_that_waits_for_a_place_also_waits_if_another_task_takes_its_cluster() {
    let mut world = gated(&["verify", "stage n1"]);
    world.config.running_per_store = 1;
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    let first = life.verify("old").await.expect("a task");
    world.called("verify").await;
    // Nothing is in its way but the limit, so it was accepted.
    let backup = life.backup("b").await;
    let waits = |task: &api::pb::task_runner::Task| task.waiting.is_some();
    life.until(&backup, waits).await;
    let restore = life.restore("old").await;
    waits_for(&mut life, &backup, &restore).await;
    open_gate(&world);
    for id in [first, restore, backup] {
        assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    }
    world.check_rules();
}

#[tokio::test]
async fn a_restore_that_waits_has_its_backup_pinned_until_it_ends() {
    let world = gated(&["upload n1"]);
    world.has_backup("old");
    let mut life = world.start_with_cluster().await;
    let backup = life.backup("a").await;
    world.called("upload n1").await;
    let is_pinned = |id: &str| world.fleet.facts().pins.contains(id);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = life.queue_restore("old", Priority::Unspecified).await;
        life.until(&id, |_| is_pinned(&id)).await;
        ids.push(id);
    }
    life.cancel(&ids[0]).await.expect("cancelled");
    assert_eq!(life.ended(&ids[0]).await.state(), TaskState::Cancelled);
    assert!(!is_pinned(&ids[0]) && is_pinned(&ids[1]));
    open_gate(&world);
    assert_eq!(life.ended(&ids[1]).await.state(), TaskState::Succeeded);
    assert!(world.fleet.facts().pins.is_empty());
    life.ended(&backup).await;
}

#[tokio::test]
async fn a_task_that_waits_and_cannot_be_read_does_not_keep_the_others_waiting() {
    let world = gated(&["upload n1"]);
    let store = shared(&world).await;
    let mut one = world.start_on(store.clone());
    let first = one.backup("a").await;
    world.called("upload n1").await;
    let lost = one.queue_backup("b", Priority::Unspecified).await;
    waits_for(&mut one, &lost, &first).await;
    one.runner.drain().await;
    let anything = state_store::Expected::Anything;
    let documents = store.list(&format!("documents/{lost}/backup/")).await;
    for entry in documents.expect("a list") {
        let deleted = store.delete(&entry.key, anything, None).await;
        deleted.expect("deleted");
    }
    let mut two = world.start_on(store);
    let is_paused = |task: &api::pb::task_runner::Task| task.state() == TaskState::Paused;
    let task = two.until(&lost, is_paused).await;
    let why = task.paused.expect("paused").why;
    assert!(why.contains(&format!("task fail {lost} --force")), "{why}");
    open_gate(&world);
    assert_eq!(end_of(&mut two, &first).await, TaskState::Succeeded);
    let next = two.queue_backup("c", Priority::Lowest).await;
    assert_eq!(end_of(&mut two, &next).await, TaskState::Succeeded);
    two.fail(&lost, true).await.expect("ended");
    assert_eq!(end_of(&mut two, &lost).await, TaskState::Failed);
}

#[tokio::test]
async fn a_cluster_for_which_a_task_waits_is_not_forgotten() {
    let world = gated(&["upload n1"]);
    let mut life = world.start_with_cluster().await;
    let first = life.backup("a").await;
    world.called("upload n1").await;
    let paused = life.pause(&first, "").await.expect("paused");
    assert_eq!(paused.state(), TaskState::Paused);
    let request = api::pb::task_runner::RemoveClusterRequest {
        name: "shop".into(),
    };
    let refused = life.client.remove_cluster(request).await;
    let refused = api::RemoteError::from(refused.expect_err("busy"));
    assert_eq!(refused.reason, "CLUSTER_BUSY");
}
