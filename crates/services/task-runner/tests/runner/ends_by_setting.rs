//! Restores in place that are accepted by a setting.

use std::sync::atomic::Ordering;

use api::pb::task_runner::{Task, TaskKind, TaskState};
use tokio::time::{Duration, sleep};

use crate::fleet::Fault;
use crate::way_back::{refused, restored, succeeds};
use crate::world::{Life, World, codes};

const HOUR: i64 = 3_600;

fn world() -> World {
    let mut world = crate::way_back::world();
    world.config.accept_in_place_after_hours = 2;
    world
}

async fn acceptances(life: &mut Life) -> Vec<Task> {
    let mut tasks = life.tasks().await;
    tasks.retain(|task| task.kind() == TaskKind::Accept);
    tasks
}

async fn first_acceptance(life: &mut Life) -> Task {
    loop {
        if let Some(task) = acceptances(life).await.pop() {
            return life.ended(&task.id).await;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// The same world with another runner, whose clock is that much later than the first one's.
async fn later(world: &World, life: Life, seconds: i64) -> Life {
    life.runner.drain().await;
    drop(life);
    world.clock_ahead.store(seconds, Ordering::Relaxed);
    world.start().await
}

#[tokio::test]
async fn a_restore_is_accepted_once_when_its_time_has_come_and_the_task_says_why() {
    let world = world();
    let (mut life, restore) = restored(&world).await;
    let restored = life.task(&restore).await.expect("a task");
    assert_eq!(acceptances(&mut life).await, []);
    assert_eq!(restored.state(), TaskState::Succeeded);
    let mut life = later(&world, life, 3 * HOUR).await;
    let task = first_acceptance(&mut life).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["ACCEPTED_BY_SETTING"]);
    let message = &task.findings[0].message;
    assert!(
        message.contains(&restore) && message.contains("2 h"),
        "{message}"
    );
    assert!(world.fleet.facts().staged.is_empty());
    refused(life.roll_back(&restore).await, &task.id);
    let mut life = later(&world, life, 30 * HOUR).await;
    assert_eq!(first_acceptance(&mut life).await.id, task.id);
    assert_eq!(acceptances(&mut life).await.len(), 1);
}

#[tokio::test]
async fn the_runner_looks_again_while_it_runs() {
    let world = world();
    let (mut life, _) = restored(&world).await;
    world.clock_ahead.store(3 * HOUR, Ordering::Relaxed);
    tokio::time::pause();
    sleep(Duration::from_secs(301)).await;
    tokio::time::resume();
    let task = first_acceptance(&mut life).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

#[tokio::test]
async fn only_a_restore_that_succeeded_and_that_no_task_has_tried_to_end_is_accepted() {
    let world = world();
    let (mut life, doubted) = restored(&world).await;
    world.fleet.fail("stop n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&doubted).await.expect("a task");
    life.ended(&rollback).await;
    life.cancel(&rollback).await.expect("cancelled");
    life.ended(&rollback).await;
    world.fleet.fail("start n2", &[Fault::Damaged]);
    let failed = life.restore("b").await;
    assert_eq!(life.ended(&failed).await.state(), TaskState::Failed);
    world.fleet.facts().stopped.clear();
    world.fleet.facts().cut_off.clear();
    let good = life.restore("b").await;
    succeeds(&mut life, &good).await;
    // They are looked at from the oldest on.
    let mut life = later(&world, life, 3 * HOUR).await;
    let task = first_acceptance(&mut life).await;
    assert!(task.findings[0].message.contains(&good), "{task:?}");
    assert_eq!(acceptances(&mut life).await.len(), 1);
}

#[tokio::test]
async fn before_its_time_a_restore_is_accepted_by_users_only_and_says_when_it_will_be() {
    let world = world();
    let (mut life, restore) = restored(&world).await;
    let task = life.task(&restore).await.expect("a task");
    let mut findings = task.findings.iter();
    let kept = findings.find(|finding| finding.code == "OLD_FILES_KEPT");
    let hint = &kept.expect("a finding").hint;
    assert!(
        hint.contains(&restore) && hint.contains("2 h after"),
        "{hint}"
    );
    let mut life = later(&world, life, HOUR).await;
    let accept = life.accept(&restore).await.expect("a task");
    succeeds(&mut life, &accept).await;
    let task = life.task(&accept).await.expect("a task");
    assert_eq!(codes(&task), [] as [&str; 0], "a user has asked for it");
    assert_eq!(acceptances(&mut life).await.len(), 1);
}
