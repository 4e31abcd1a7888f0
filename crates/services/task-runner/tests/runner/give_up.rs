//! Restores that fail before they replace anything: resumed, or given up without a trace.

use api::pb::task_runner::{Task, TaskState};
use uuid::Uuid;

use crate::fleet::Fault;
use crate::world::{Life, World, codes};

/// A restore that has failed at this call.
async fn failed(in_place: bool, call: &str) -> (World, Life, Task) {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().in_place = in_place;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail(call, &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed, "{call}");
    (world, life, task)
}

async fn cancelled(life: &mut Life, id: &str) -> Task {
    life.cancel(id).await.expect("given up");
    life.until(id, |task| task.state() == TaskState::Cancelled)
        .await
}

#[track_caller]
fn nothing_is_left(world: &World) {
    let facts = world.fleet.facts();
    assert!(facts.staged.is_empty(), "staging is gone");
    assert!(facts.pins.is_empty(), "the pin is gone");
    assert!(facts.stopped.is_empty(), "every node runs");
    assert!(
        !facts.emptied && facts.loaded.is_empty(),
        "nothing was replaced"
    );
}

#[tokio::test]
async fn a_restore_that_cannot_make_what_is_missing_is_given_up_without_a_trace() {
    let (world, mut life, task) = failed(false, "cql n1").await;
    assert!(
        task.error.contains("nothing was replaced yet"),
        "{}",
        task.error
    );
    let task = cancelled(&mut life, &task.id).await;
    nothing_is_left(&world);
    assert_eq!(codes(&task), ["MADE_AND_KEPT"]);
    let hint = &task.findings[0].hint;
    assert!(hint.contains("DROP TABLE IF EXISTS ks.t"), "{hint}");
    world.check_rules();
}

#[tokio::test]
async fn what_a_cut_short_schema_step_has_made_does_not_outdate_its_plan() {
    let (world, mut life, task) = failed(false, "cql n1").await;
    world.fleet.facts().schema_version = "made in part".into();
    let made = [("t".to_owned(), Uuid::nil().to_string())];
    world.fleet.facts().table_ids.extend(made);
    life.resume(&task.id).await.expect("resumed");
    let task = life.ended(&task.id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

#[tokio::test]
async fn a_table_that_somebody_else_has_made_since_outdates_the_plan() {
    let (world, mut life, task) = failed(false, "cql n1").await;
    let made = [("t".to_owned(), Uuid::max().to_string())];
    world.fleet.facts().table_ids.extend(made);
    life.resume(&task.id).await.expect("resumed");
    let task = life.ended(&task.id).await;
    assert!(task.error.starts_with("PLAN_OUTDATED"), "{}", task.error);
    assert!(
        task.error.contains(&Uuid::max().to_string()),
        "{}",
        task.error
    );
    assert_eq!(world.fleet.count("cql n1"), 1, "nothing is dropped");
}

#[tokio::test]
async fn a_restore_that_failed_while_it_emptied_tables_only_goes_forward() {
    let (world, mut life, task) = failed(false, "replace n1").await;
    let error = life.cancel(&task.id).await.expect_err("too late");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    assert_eq!(world.fleet.facts().staged.len(), 2);
    life.resume(&task.id).await.expect("resumed");
    let task = life.ended(&task.id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("cql n1"), 2, "once made, and the views");
}

#[tokio::test]
async fn nodes_that_were_stopped_in_vain_are_started_again() {
    let (world, mut life, task) = failed(true, "stop n2").await;
    assert!(
        task.error.contains("starts Cassandra again"),
        "{}",
        task.error
    );
    let task = cancelled(&mut life, &task.id).await;
    nothing_is_left(&world);
    assert_eq!(codes(&task), ["REPAIR_ADVISED", "MADE_AND_KEPT"]);
    for start in ["let-in n1", "let-in n2"] {
        assert_eq!(world.fleet.count(start), 1, "{start}");
    }
}

#[tokio::test]
async fn a_node_that_does_not_start_again_is_named() {
    let (world, mut life, task) = failed(true, "stop n2").await;
    world.fleet.fail("let-in n1", &[Fault::Damaged]);
    let task = cancelled(&mut life, &task.id).await;
    let expected = ["CASSANDRA_NOT_STARTED", "REPAIR_ADVISED", "MADE_AND_KEPT"];
    assert_eq!(codes(&task), expected);
    assert_eq!(task.findings[0].subject, "n1");
    let facts = world.fleet.facts();
    assert!(facts.staged.is_empty() && facts.pins.is_empty());
}

#[tokio::test]
async fn a_restore_that_failed_to_stop_a_node_goes_on_although_others_are_down() {
    let (world, mut life, task) = failed(true, "stop n2").await;
    world.called("stop n1").await;
    life.resume(&task.id).await.expect("resumed");
    let task = life.ended(&task.id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    world.check_rules();
}

#[tokio::test]
async fn a_restore_is_cancelled_while_it_stops_nodes_and_not_while_it_swaps() {
    for (call, step, too_late) in [("stop n2", "stop-n2", false), ("swap n2", "swap-n2", true)] {
        let world = World::new(&["n1", "n2"]);
        world.has_backup("b");
        world.fleet.facts().in_place = true;
        let mut life = world.start_with_cluster().await;
        world.fleet.fail(call, &[Fault::Hang]);
        let id = life.restore("b").await;
        life.running(&id, step).await;
        world.called(call).await;
        let answer = life.cancel(&id).await;
        assert_eq!(answer.is_err(), too_late, "{step}");
        if !too_late {
            life.ended(&id).await;
            nothing_is_left(&world);
        }
    }
}
