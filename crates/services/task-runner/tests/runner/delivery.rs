//! Events are delivered by one runner of several, each webhook on its own, whatever dies.

use std::sync::Arc;

use api::pb::task_runner::TaskState;
use serde_json::json;
use state_store::Expected;
use tokio::time::{Duration, Instant, sleep};

use crate::dying_store::{Death, DyingStore};
use crate::events::{backup, is_emptied, took, world};
use crate::receiver::Receiver;
use crate::world::DEADLINE;

/// The metrics of this process.
fn page() -> String {
    chassis::prometheus::install().render()
}

#[tokio::test]
async fn counters_of_a_webhook_are_on_the_page_before_anything_is_counted() {
    page();
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    "untried".clone_into(&mut world.config.events.webhooks[0].name);
    let life = world.start_with_cluster().await;
    for counter in ["delivered", "failed", "dropped"] {
        let line = format!("ringkeep_events_{counter}_total{{webhook=\"untried\"}} 0");
        let until = Instant::now() + DEADLINE;
        while !page().lines().any(|shown| shown == line) {
            assert!(Instant::now() < until, "{line} is missing: {}", page());
            sleep(Duration::from_millis(20)).await;
        }
    }
    life.runner.drain().await;
}

#[tokio::test]
async fn a_try_that_does_not_end_holds_up_no_other_receiver() {
    let (hanging, up) = (Receiver::start().await, Receiver::start().await);
    hanging.reply(&[0; 100]);
    let mut world = world(&[&hanging, &up]);
    // Longer than this test may take.
    world.config.events.webhooks[0].timeout_seconds = 86_400;
    world.config.lease_seconds = 86_400;
    let mut life = world.start_with_cluster().await;
    for name in ["a", "b"] {
        assert_eq!(backup(&mut life, name).await, TaskState::Succeeded);
        let tried = |receiver: &Receiver| !receiver.received().is_empty();
        hanging.until("a try", tried).await;
    }
    let all = ["task_started", "task_succeeded"].repeat(2);
    took(&up, &all).await;
    assert_eq!(hanging.received().len(), 1);
    life.runner.drain().await;
}

#[tokio::test]
async fn of_two_runners_one_delivers_and_the_other_takes_over() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.lease_seconds = 3;
    let store = world.open().await;
    let mut first = world.start_on(store.clone());
    first
        .add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    let mut second = world.start_on(store.clone());
    assert_eq!(backup(&mut first, "a").await, TaskState::Succeeded);
    assert_eq!(backup(&mut second, "b").await, TaskState::Succeeded);
    let all = ["task_started", "task_succeeded"].repeat(2);
    took(&receiver, &all).await;
    is_emptied(store.as_ref()).await;
    // Each once: no other has sent it, too.
    assert_eq!(receiver.received().len(), 4);
    first.runner.drain().await;
    drop(first);
    assert_eq!(backup(&mut second, "c").await, TaskState::Succeeded);
    let all = ["task_started", "task_succeeded"].repeat(3);
    took(&receiver, &all).await;
    second.runner.drain().await;
}

#[tokio::test]
async fn what_waits_for_a_webhook_that_was_removed_is_deleted_once_it_is_too_old() {
    let world = world(&[]);
    let store = world.open().await;
    let (old, new) = (
        "outbox/removed/20200101T000000.000000000-x",
        "outbox/removed/29990101T000000.000000000-x",
    );
    for key in [old, new] {
        let put = store.put(key, json!({}), Expected::Anything, None);
        put.await.expect("written");
    }
    let life = world.start_on(store.clone());
    let until = Instant::now() + DEADLINE;
    while store.get(old).await.expect("read").is_some() {
        assert!(Instant::now() < until, "the old event stays");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(store.get(new).await.expect("read").is_some());
    life.runner.drain().await;
}

/// Kills the runner after this many of its writes; whatever is on disk then, the events of the task arrive in the end.
/// Returns whether there were so many.
async fn survives(writes: i64) -> bool {
    let receiver = Receiver::start().await;
    let world = world(&[&receiver]);
    world.start_with_cluster().await.runner.drain().await;
    let store = Arc::new(DyingStore::new(
        world.open().await,
        writes,
        Death::AfterWrite,
    ));
    let mut life = world.start_on(store.clone());
    let story = async {
        if let Ok(created) = life.create_backup("b").await {
            life.ended(&created.task_id).await;
            life.runner.drain().await;
        }
    };
    tokio::select! {
        () = store.dead.cancelled() => {}
        () = story => {}
    }
    let died = store.dead.is_cancelled();
    life.runner.kill().await;
    drop((life, store));
    let mut life = world.start().await;
    let expected = match life.tasks().await.first() {
        // It died before the task was there.
        None => Vec::new(),
        Some(task) => {
            let id = task.id.clone();
            assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
            vec!["task_started", "task_succeeded"]
        }
    };
    took(&receiver, &expected).await;
    life.runner.drain().await;
    died
}

#[tokio::test]
async fn no_death_of_the_runner_loses_an_event() {
    const AT_ONCE: i64 = 8;
    let mut deaths = 0;
    loop {
        let lives = (deaths..deaths + AT_ONCE).map(survives);
        let died = futures::future::join_all(lives).await;
        deaths += AT_ONCE;
        if !died.iter().all(|died| *died) {
            break;
        }
    }
    assert!(deaths > AT_ONCE, "there were hardly any writes");
}
