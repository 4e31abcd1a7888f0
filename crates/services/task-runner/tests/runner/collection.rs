//! Collections of garbage as tasks.

use api::clients::TaskRunner;
use api::pb::task_runner::{RetentionOutcome, Task, TaskKind, TaskState};
use model::ClusterName;

use crate::fleet::Fault;
use crate::world::{Life, World};

fn shop() -> ClusterName {
    "shop".parse().expect("a name")
}

async fn world() -> (World, Life) {
    let world = World::new(&["n1"]);
    world.has_backup("b");
    world.fleet.facts().garbage = ["x".to_owned(), "y".to_owned()].into();
    let life = world.start_with_cluster().await;
    (world, life)
}

async fn collected(life: &mut Life) -> Task {
    let started = life.typed.run_collection(&shop(), &[]).await;
    let id = started.expect("a task").to_string();
    life.until(&id, |task| task.collection.is_some()).await
}

fn check_all_is_gone(world: &World, task: &Task) {
    assert_eq!(task.kind(), TaskKind::Collection);
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert!(world.fleet.facts().garbage.is_empty());
    assert!(world.fleet.facts().backups.contains_key("b"));
}

#[tokio::test]
async fn what_is_of_no_use_goes_and_is_counted() {
    let (world, mut life) = world().await;
    let plan = life.typed.plan_collection(&shop()).await.expect("a plan");
    assert_eq!(plan.garbage.len(), 2);
    assert_eq!(
        world.fleet.facts().garbage.len(),
        2,
        "a plan deletes nothing"
    );
    let task = collected(&mut life).await;
    check_all_is_gone(&world, &task);
    let report = task.collection.expect("a report");
    let bytes: u64 = report.entries.iter().map(|entry| entry.freed_bytes).sum();
    assert_eq!((report.entries.len(), bytes), (2, 18));
}

#[tokio::test]
async fn a_lost_reply_and_a_store_that_is_away_for_a_moment_change_nothing() {
    let (world, mut life) = world().await;
    world
        .fleet
        .fail("delete", &[Fault::LoseAnswer, Fault::Unavailable]);
    world.fleet.fail("find-garbage", &[Fault::Unavailable]);
    let task = collected(&mut life).await;
    check_all_is_gone(&world, &task);
}

#[tokio::test]
async fn a_killed_collection_goes_on_and_a_cancelled_one_stops() {
    let (world, life) = world().await;
    world.fleet.fail("delete", &[Fault::Hang]);
    let started = life.typed.run_collection(&shop(), &[]).await;
    let id = started.expect("a task").to_string();
    world.called("delete").await;
    life.runner.kill().await;
    drop(life);
    world.fleet.fail("delete", &[Fault::Hang]);
    let mut life = world.start().await;
    life.until(&id, |_| world.fleet.count("delete") == 2).await;
    life.cancel(&id).await.expect("cancelled");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled);
    let task = collected(&mut life).await;
    check_all_is_gone(&world, &task);
}

#[tokio::test]
async fn pins_of_ended_tasks_are_released_and_those_of_others_stay() {
    let (world, mut life) = world().await;
    world.has_backup("c");
    let ended = life.verify("b").await.expect("a task");
    life.ended(&ended).await;
    let unknown = uuid::Uuid::from_u128(9).to_string();
    {
        let mut facts = world.fleet.facts();
        facts.held_by.insert("b".into(), ended.clone());
        facts.held_by.insert("c".into(), unknown.clone());
    }
    let plan = life.typed.plan_collection(&shop()).await.expect("a plan");
    let tasks = |pins: &[(model::BackupRef, model::TaskId)]| -> Vec<String> {
        pins.iter().map(|(_, task)| task.to_string()).collect()
    };
    assert_eq!(tasks(&plan.stale_pins), [ended]);
    assert_eq!(tasks(&plan.unknown_pins), [unknown]);
    let task = collected(&mut life).await;
    check_all_is_gone(&world, &task);
    let report = task.collection.expect("a report");
    assert_eq!(report.entries[0].outcome(), RetentionOutcome::Deleted);
    let left: Vec<String> = world.fleet.facts().held_by.keys().cloned().collect();
    assert_eq!(left, ["c"]);
}

#[tokio::test]
async fn pins_of_lost_tasks_are_released_on_request_and_of_no_task_that_is_known() {
    let (world, mut life) = world().await;
    world.has_backup("c");
    world.fleet.fail("verify", &[Fault::Hang]);
    let alive = life.verify("b").await.expect("a task");
    let lost = uuid::Uuid::from_u128(9).to_string();
    {
        let mut facts = world.fleet.facts();
        facts.held_by.insert("b".into(), alive.clone());
        facts.held_by.insert("c".into(), lost.clone());
    }
    let named = [&alive, &lost].map(|id| id.parse().expect("an id"));
    let started = life.typed.run_collection(&shop(), &named).await;
    let id = started.expect("a task").to_string();
    let task = life.until(&id, |task| task.collection.is_some()).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let left: Vec<String> = world.fleet.facts().held_by.keys().cloned().collect();
    assert_eq!(left, ["b"]);
}
