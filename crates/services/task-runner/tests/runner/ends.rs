//! The ends of restores in place rule each other out, are found whatever happened between, and leave nothing unsaid.

use api::clients::TaskRunner;
use api::pb::task_runner::{StepState, Task, TaskState};
use model::leftover::LeftoverOwner;
use state_store::Expected;

use crate::fleet::Fault;
use crate::way_back::{refused, restored, succeeds, world};
use crate::world::{Life, World, codes, state_of};

async fn fails(life: &mut Life, id: &str) -> Task {
    let task = life.ended(id).await;
    assert_eq!(task.state(), TaskState::Failed, "{task:#?}");
    task
}

/// A rollback that has failed after it had moved files.
async fn half_rolled_back(world: &World) -> (Life, String, String) {
    let (mut life, restore) = restored(world).await;
    world.fleet.fail("swap-back n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    fails(&mut life, &rollback).await;
    // Somebody starts the nodes by hand.
    world.fleet.facts().stopped.clear();
    world.fleet.facts().cut_off.clear();
    (life, restore, rollback)
}

#[tokio::test]
async fn a_rollback_that_newer_restores_rule_out_is_cancelled_once_they_have_brought_its_tables() {
    let world = world();
    let (mut life, _, rollback) = half_rolled_back(&world).await;
    let error = life.cancel(&rollback).await.expect_err("half done");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    world.fleet.fail("swap n2", &[Fault::Damaged]);
    let newer = life.restore("b").await;
    fails(&mut life, &newer).await;
    let error = life.resume(&rollback).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED");
    let error = life.cancel(&rollback).await.expect_err("not yet brought");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    life.resume(&newer).await.expect("resumed");
    succeeds(&mut life, &newer).await;
    let finished = world.fleet.count("finish n2");
    life.cancel(&rollback)
        .await
        .expect("its tables are restored");
    let task = life.ended(&rollback).await;
    assert_eq!(task.state(), TaskState::Cancelled, "{task:#?}");
    assert!(
        world.fleet.count("finish n2") > finished,
        "what it left goes"
    );
}

#[tokio::test]
async fn a_rollback_of_stopped_nodes_that_is_ruled_out_can_be_cancelled_too() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("swap n2", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    fails(&mut life, &restore).await;
    world.fleet.fail("swap-back n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    fails(&mut life, &rollback).await;
    world.fleet.facts().stopped.clear();
    world.fleet.facts().cut_off.clear();
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    life.cancel(&rollback)
        .await
        .expect("its tables are restored");
    let task = life.ended(&rollback).await;
    assert_eq!(task.state(), TaskState::Cancelled, "{task:#?}");
}

#[tokio::test]
async fn a_rollback_is_not_resumed_once_the_restore_is_accepted() {
    let world = world();
    let (mut life, restore) = restored(&world).await;
    world.fleet.fail("stop n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    fails(&mut life, &rollback).await;
    let accept = life.accept(&restore).await.expect("nothing was moved");
    succeeds(&mut life, &accept).await;
    let stops = world.fleet.count("stop n1");
    let error = life.resume(&rollback).await.expect_err("accepted");
    assert_eq!(error.reason, "NO_WAY_BACK", "{}", error.message);
    assert!(error.message.contains(&accept), "{}", error.message);
    assert_eq!(world.fleet.count("stop n1"), stops);
}

/// The task as if it had failed before it had touched a file.
async fn untouched(world: &World, id: &str) -> Life {
    let store = world.open().await;
    let key = format!("tasks/{id}");
    let mut record = store.get(&key).await.expect("get").expect("the task").value;
    record["past_point_of_no_return"] = false.into();
    let written = store.put(&key, record, Expected::Anything, None).await;
    written.expect("written");
    world.start_on(store)
}

#[tokio::test]
async fn an_acceptance_is_not_resumed_over_a_rollback_that_needs_the_old_files() {
    let world = world();
    let (mut life, restore) = restored(&world).await;
    world.fleet.fail("finish n1", &[Fault::Damaged]);
    world.fleet.fail("finish n2", &[Fault::Damaged]);
    let accept = life.accept(&restore).await.expect("a task");
    fails(&mut life, &accept).await;
    refused(life.roll_back(&restore).await, &accept);
    life.runner.drain().await;
    drop(life);
    let mut life = untouched(&world, &accept).await;
    world.fleet.fail("swap-back n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    fails(&mut life, &rollback).await;
    let error = life.resume(&accept).await.expect_err("rolled back in part");
    assert_eq!(error.reason, "NO_WAY_BACK", "{}", error.message);
    assert!(error.message.contains(&rollback), "{}", error.message);
    assert_eq!(world.fleet.count("finish n1"), 1, "the first try only");
}

#[tokio::test]
async fn the_ends_of_one_restore_are_found_without_reading_those_of_others() {
    let world = world();
    let (mut life, first) = restored(&world).await;
    let accept = life.accept(&first).await.expect("a task");
    succeeds(&mut life, &accept).await;
    let second = life.restore("b").await;
    succeeds(&mut life, &second).await;
    life.runner.drain().await;
    drop(life);
    let store = world.open().await;
    let documents = store.list(&format!("documents/{accept}/")).await;
    for entry in documents.expect("a list") {
        let deleted = store.delete(&entry.key, Expected::Anything, None).await;
        deleted.expect("deleted");
    }
    let mut life = world.start_on(store);
    let rollback = life.roll_back(&second).await.expect("a task");
    succeeds(&mut life, &rollback).await;
    refused(life.accept(&second).await, &rollback);
}

#[tokio::test]
async fn old_files_are_not_cleared_under_a_rollback() {
    let world = world();
    let (mut life, restore) = restored(&world).await;
    let left = (
        "n1".to_owned(),
        api::pb::types::LeftoverKind::Staged,
        restore.clone(),
    );
    world.fleet.facts().left.insert(left);
    world.fleet.fail("swap-back n2", &[Fault::Hang]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    world.called("swap-back n2").await;
    let (cluster, tasks) = (
        "shop".parse().expect("a name"),
        [restore.parse().expect("an id")],
    );
    for state in ["it runs", "it has failed half-way"] {
        for old_files in [false, true] {
            let cleared = life
                .typed
                .clear_leftovers(&cluster, &tasks, old_files)
                .await;
            let error = cleared.expect_err("the rollback needs them");
            assert_eq!(error.reason, "LEFTOVERS_IN_USE", "{state}");
            let hint = error.hint.expect("a hint");
            assert!(hint.contains(&rollback), "{hint}");
        }
        let found = life.typed.list_leftovers(&cluster).await.expect("a list");
        assert_eq!(found.found[0].owner, LeftoverOwner::Resumable, "{state}");
        life.fail(&rollback, true).await.expect("ended");
        life.ended(&rollback).await;
    }
    life.resume(&rollback).await.expect("resumed");
    succeeds(&mut life, &rollback).await;
    let cleared = life.typed.clear_leftovers(&cluster, &tasks, false).await;
    assert_eq!(cleared.expect("cleared").cleared.len(), 1);
    assert!(world.fleet.facts().left.is_empty());
}

#[tokio::test]
async fn clients_that_could_not_be_let_in_again_are_named() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("cut-off n2", &[Fault::Damaged]);
    world.fleet.fail("let-in n1", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    let task = fails(&mut life, &restore).await;
    assert_eq!(codes(&task), ["CLIENTS_CUT_OFF"]);
    let message = &task.findings[0].message;
    assert!(message.contains("on node n1"), "{message}");
    life.resume(&restore).await.expect("resumed");
    succeeds(&mut life, &restore).await;

    // A rollback lets clients in before, too, which may fail.
    world.fleet.fail("cut-off n2", &[Fault::Damaged]);
    world.fleet.fail("let-in n1", &[Fault::Damaged; 2]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    let task = fails(&mut life, &rollback).await;
    assert_eq!(codes(&task), ["CLIENTS_CUT_OFF"]);
    life.resume(&rollback).await.expect("resumed");
    succeeds(&mut life, &rollback).await;
    assert!(world.fleet.facts().cut_off.is_empty());
    world.check_rules();
}

#[tokio::test]
async fn a_rollback_that_is_ended_by_force_says_that_clients_are_cut_off_or_cassandra_is_stopped() {
    for (call, expected) in [
        ("cut-off n2", "CLIENTS_CUT_OFF"),
        ("swap-back n2", "CASSANDRA_STOPPED"),
    ] {
        let world = world();
        let (mut life, restore) = restored(&world).await;
        world.fleet.fail(call, &[Fault::Hang]);
        let rollback = life.roll_back(&restore).await.expect("a task");
        world.called(call).await;
        life.fail(&rollback, true).await.expect("ended");
        let task = fails(&mut life, &rollback).await;
        assert_eq!(codes(&task), [expected], "{call}");
        assert!(task.findings[0].hint.contains(&rollback), "{call}");
    }
}

#[tokio::test]
async fn nodes_that_are_too_slow_for_the_cutoff_get_twice_the_time() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("cut-off n2", &[Fault::TooLate; 2]);
    let restore = life.restore("b").await;
    succeeds(&mut life, &restore).await;
    let cutoffs = world.fleet.facts().cutoffs.clone();
    let parsed = |text: &String| -> jiff::Timestamp { text.parse().expect("a time") };
    let cutoffs: Vec<jiff::Timestamp> = cutoffs.iter().map(parsed).collect();
    assert_eq!(cutoffs.len(), 3);
    let seconds = i64::try_from(world.config.quiesce_seconds).expect("small");
    let later = |at: usize| cutoffs[at].duration_since(cutoffs[at - 1]).as_secs();
    assert!(later(1) >= seconds, "{cutoffs:?}");
    assert!(later(2) >= 2 * seconds, "{cutoffs:?}");
}

#[tokio::test]
async fn nodes_are_made_quiet_again_also_after_something_was_dropped_before() {
    let world = world();
    world.fleet.facts().replaces_in_place = true;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stop n2", &[Fault::Hang]);
    let id = life.restore("b").await;
    life.until(&id, |task| {
        state_of(task, "stop-n1") == StepState::Succeeded
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
    assert_eq!(world.fleet.count("replace n1"), 1, "that goes forward only");
    world.check_rules();
}

#[tokio::test]
async fn a_rollback_starts_no_node_that_the_restore_could_not_start() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("start n2", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    fails(&mut life, &restore).await;
    let rollback = life.roll_back(&restore).await.expect("a task");
    let task = life.ended(&rollback).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["NEWER_WRITES_POSSIBLE", "REPAIR_ADVISED"]);
    assert_eq!(task.findings[0].subject, "n2");
    assert_eq!(world.fleet.count("let-in n2"), 0);
    assert!(world.fleet.count("let-in n1") > 0, "it may have gone down");
    assert!(world.fleet.facts().stopped.is_empty());
}

#[tokio::test]
async fn a_restore_whose_old_files_are_kept_is_not_forgotten_before_its_end() {
    let mut world = world();
    world.config.keep_finished_tasks = 1;
    let (mut life, restore) = restored(&world).await;
    for name in ["c", "d"] {
        let backup = life.backup(name).await;
        succeeds(&mut life, &backup).await;
    }
    let accept = life.accept(&restore).await.expect("it is known");
    succeeds(&mut life, &accept).await;
    let backup = life.backup("e").await;
    succeeds(&mut life, &backup).await;
    life.runner.drain().await;
    drop(life);
    let mut life = world.start().await;
    let error = life.task(&restore).await.expect_err("forgotten");
    assert_eq!(error.reason, "TASK_NOT_FOUND");
}

#[tokio::test]
async fn the_restore_that_rules_a_rollback_out_is_not_forgotten() {
    let mut world = world();
    world.config.keep_finished_tasks = 1;
    let (mut life, _, rollback) = half_rolled_back(&world).await;
    // Old files of its own would keep it, too.
    world.fleet.facts().in_place = false;
    world.fleet.facts().staged.clear();
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    for name in ["c", "d", "e"] {
        let backup = life.backup_of(name, "another").await;
        succeeds(&mut life, &backup).await;
    }
    let error = life.resume(&rollback).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED");
    assert!(error.message.contains(&newer), "{}", error.message);
}
