//! Events reach their receivers, at least once, whatever dies; and no task waits for a receiver.

use std::sync::atomic::Ordering;

use api::clients::TaskRunner;
use api::pb::task_runner::TaskState;
use chassis::webhook::WebhookConfig;
use schedule::Objective;
use state_store::StateStore;
use tokio::time::{Duration, Instant, sleep};

use crate::fleet::Fault;
use crate::receiver::Receiver;
use crate::schedules::{nightly, schedule, shop};
use crate::world::{DEADLINE, Life, World};

/// A world whose runners send to these receivers.
pub fn world(receivers: &[&Receiver]) -> World {
    let mut world = World::new(&["n1", "n2"]);
    let webhooks = receivers.iter().enumerate().map(|(at, receiver)| {
        let config = serde_json::json!({
            "name": format!("hook-{at}"),
            "url": receiver.url,
            "header": "X-Token",
            "secret": "let me in",
            "timeout_seconds": 2,
        });
        serde_json::from_value::<WebhookConfig>(config).expect("settings")
    });
    world.config.events.webhooks = webhooks.collect();
    world
}

pub async fn backup(life: &mut Life, name: &str) -> TaskState {
    let id = life.backup(name).await;
    life.ended(&id).await.state()
}

pub async fn took(receiver: &Receiver, expected: &[&str]) {
    let what = format!("{expected:?}");
    receiver
        .until(&what, |receiver| receiver.taken() == expected)
        .await;
}

/// Waits until nothing is left to be sent.
pub async fn is_emptied(store: &dyn StateStore) {
    let until = Instant::now() + 3 * DEADLINE;
    while !store.list("outbox/").await.expect("a list").is_empty() {
        assert!(Instant::now() < until, "events are left");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_task_reports_its_beginning_and_its_end_with_the_secret_in_the_header() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.step_retry_for_seconds = 0;
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    assert_eq!(backup(&mut life, "good").await, TaskState::Succeeded);
    took(&receiver, &["task_started", "task_succeeded"]).await;
    world.fleet.fail("upload n1", &[Fault::Damaged]);
    assert_eq!(backup(&mut life, "bad").await, TaskState::Failed);
    let all = [
        "task_started",
        "task_succeeded",
        "task_started",
        "task_failed",
    ];
    took(&receiver, &all).await;

    let received = receiver.received();
    let head = &received[0].head;
    assert_eq!(head[0], "POST /hook HTTP/1.1");
    let has = |line: &str| head.iter().any(|header| header.eq_ignore_ascii_case(line));
    assert!(
        has("x-token: let me in") && has("content-type: application/json"),
        "{head:?}"
    );
    let failed = &received.last().expect("some").event;
    assert_eq!(failed["version"], 1);
    assert_eq!(failed["cluster"], "shop");
    assert_eq!(failed["task"]["kind"], "backup");
    assert_eq!(failed["task"]["backup"], "bad");
    assert_eq!(failed["task"]["attempt"], 1);
    let error = failed["task"]["error"].as_str().expect("an error");
    assert!(error.contains("upload"), "{error}");
    is_emptied(store.as_ref()).await;
    life.runner.drain().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_or_hangs_holds_up_no_task_and_no_other_receiver() {
    let (down, up) = (Receiver::start().await, Receiver::start().await);
    // It refuses, hangs, and refuses again before it takes something.
    down.reply(&[503, 0, 429]);
    let world = world(&[&down, &up]);
    let mut life = world.start_with_cluster().await;
    assert_eq!(backup(&mut life, "b").await, TaskState::Succeeded);
    took(&up, &["task_started", "task_succeeded"]).await;
    took(&down, &["task_started", "task_succeeded"]).await;
    let first: Vec<_> = down.received()[..4]
        .iter()
        .map(|message| message.event["id"].clone())
        .collect();
    assert!(first.iter().all(|id| *id == first[0]), "{first:?}");
}

#[tokio::test]
async fn what_a_receiver_rejects_for_good_is_not_sent_again() {
    let receiver = Receiver::start().await;
    receiver.reply(&[400]);
    let world = world(&[&receiver]);
    let mut life = world.start_with_cluster().await;
    backup(&mut life, "b").await;
    took(&receiver, &["task_succeeded"]).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn events_that_cannot_be_delivered_for_too_long_are_dropped() {
    let receiver = Receiver::start().await;
    receiver.reply(&[503; 1_000]);
    let world = world(&[&receiver]);
    let mut life = world.start_with_cluster().await;
    backup(&mut life, "b").await;
    receiver
        .until("a try", |receiver| !receiver.received().is_empty())
        .await;
    life.runner.drain().await;
    drop(life);
    let store = world.open().await;
    assert_eq!(store.list("outbox/").await.expect("a list").len(), 2);
    world.clock_ahead.store(25 * 3_600, Ordering::Relaxed);
    let life = world.start_on(store.clone());
    is_emptied(store.as_ref()).await;
    life.runner.drain().await;
}

#[tokio::test]
async fn a_backup_that_finds_its_cluster_busy_reports_nothing() {
    let receiver = Receiver::start().await;
    let world = world(&[&receiver]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Gate]);
    let first = life.backup("first").await;
    world.called("upload n1").await;
    let busy = life.create_backup("second").await.expect_err("busy");
    assert_eq!(busy.reason, "CLUSTER_BUSY");
    world.fleet.facts().gate.cancel();
    life.ended(&first).await;
    took(&receiver, &["task_started", "task_succeeded"]).await;
}

#[tokio::test]
async fn a_resumed_task_reports_so_with_its_attempt() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.step_retry_for_seconds = 0;
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("load n2", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    assert_eq!(life.ended(&restore).await.state(), TaskState::Failed);
    life.resume(&restore).await.expect("resumed");
    assert_eq!(life.ended(&restore).await.state(), TaskState::Succeeded);
    let all = [
        "task_started",
        "task_failed",
        "task_resumed",
        "task_succeeded",
    ];
    took(&receiver, &all).await;
    let resumed = receiver.received().into_iter();
    let mut resumed = resumed.filter(|message| message.event["event"] == "task_resumed");
    assert_eq!(resumed.next().expect("one").event["task"]["attempt"], 2);
}

#[tokio::test]
async fn an_objective_reports_once_that_it_is_broken_and_once_that_it_is_met_again() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.schedules_every_seconds = 1;
    let life = world.start_with_cluster().await;
    let mut new = schedule("0 0 29 2 *");
    new.objective = Some(Objective { seconds: 7_200 });
    let put = life.typed.put_schedule(new, false).await;
    put.expect("a schedule");
    world.clock_ahead.store(7_300, Ordering::Relaxed);
    took(&receiver, &["objective_broken"]).await;
    let event = receiver.received()[0].event.clone();
    assert_eq!(event["schedule"]["name"], "nightly");
    assert_eq!(event["schedule"]["objective_seconds"], 7_200);
    // A runner that starts again has nothing new to say.
    life.runner.drain().await;
    drop(life);
    let life = world.start().await;
    let run = life.typed.run_schedule(&shop(), &nightly()).await;
    run.expect("a run");
    let all = [
        "objective_broken",
        "task_started",
        "task_succeeded",
        "objective_restored",
    ];
    took(&receiver, &all).await;
}

#[tokio::test]
async fn the_id_of_an_event_has_its_time_because_a_task_may_fail_twice_in_an_attempt() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.step_retry_for_seconds = 0;
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("load n2", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    assert_eq!(life.ended(&restore).await.state(), TaskState::Failed);
    life.resume(&restore).await.expect("resumed");
    life.ended(&restore).await;
    let all = [
        "task_started",
        "task_failed",
        "task_resumed",
        "task_succeeded",
    ];
    took(&receiver, &all).await;
    for message in receiver.received() {
        let event = message.event;
        let at: jiff::Timestamp = event["at"].as_str().expect("a time").parse().expect("one");
        let id = event["id"].as_str().expect("an id");
        let end = format!("-{}", at.as_microsecond());
        assert!(id.ends_with(&end), "{id} of {at}");
    }
}

#[tokio::test]
async fn an_objective_that_is_removed_is_not_met_again() {
    let receiver = Receiver::start().await;
    let mut world = world(&[&receiver]);
    world.config.schedules_every_seconds = 1;
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    let mut new = schedule("0 0 29 2 *");
    new.objective = Some(Objective { seconds: 7_200 });
    let put = life.typed.put_schedule(new.clone(), false).await;
    put.expect("a schedule");
    world.clock_ahead.store(7_300, Ordering::Relaxed);
    took(&receiver, &["objective_broken"]).await;
    new.objective = None;
    let put = life.typed.put_schedule(new, true).await;
    put.expect("a schedule");
    let until = Instant::now() + DEADLINE;
    loop {
        let entry = store.get("schedules/shop/nightly").await.expect("read");
        let value = entry.expect("a schedule").value;
        if value["alarms"]["objective_broken"] == false {
            break;
        }
        assert!(Instant::now() < until, "{value}");
        sleep(Duration::from_millis(20)).await;
    }
    is_emptied(store.as_ref()).await;
    assert_eq!(receiver.taken(), ["objective_broken"]);
    life.runner.drain().await;
}
