//! What the runner shows to Prometheus of a state that it cannot read, or that an earlier release has written.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use api::clients::TaskRunner;
use jiff::Timestamp;
use schedule::Pause;
use serde_json::json;
use state_store::{Expected, StateStore};
use tokio::time::{Instant, sleep};

use crate::faulty_store::{Cut, FaultyStore};
use crate::schedules::schedule;
use crate::signals::{NEVER, REGISTERED, is, is_gone, until, value, world};
use crate::way_back;
use crate::world::DEADLINE;

#[tokio::test]
async fn entries_that_cannot_be_read_are_counted_and_hide_nothing_else() {
    let world = world();
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    let unreadable = "ringkeep_state_unreadable_entries";
    is(&life, unreadable, 0.0).await;
    let task = uuid::Uuid::now_v7();
    let keys = [
        "clusters/damaged".to_owned(),
        "ended/shop/backup/failed".to_owned(),
        format!("unaccepted/{task}"),
        "schedules/shop/damaged".to_owned(),
        "reach/shop".to_owned(),
        format!("tasks/{task}"),
    ];
    for key in keys.iter().chain([&format!("unfinished/{task}")]) {
        let put = store.put(key, json!("damaged"), Expected::Anything, None);
        put.await.expect("written");
    }
    is(&life, unreadable, keys.len() as f64).await;
    assert_eq!(value(&life, REGISTERED), Some(1.0));
    for key in &keys {
        let delete = store.delete(key, Expected::Anything, None);
        delete.await.expect("deleted");
    }
    is(&life, unreadable, 0.0).await;
}

#[tokio::test]
async fn a_runner_that_is_cut_off_from_the_state_soon_shows_only_when_it_last_read_it() {
    let world = world();
    let faulty = Arc::new(FaultyStore::new(world.open().await));
    let mut life = world.start_on(faulty.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    is(&life, REGISTERED, 1.0).await;
    faulty.set(Cut::Refusing);
    let read = "ringkeep_state_read_timestamp_seconds";
    // Two more readings have failed: what was read last is still shown.
    let missed = faulty.missed.load(Ordering::Relaxed);
    let until = Instant::now() + DEADLINE;
    while faulty.missed.load(Ordering::Relaxed) < missed + 20 {
        assert!(Instant::now() < until, "nothing reads the state");
        sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(value(&life, REGISTERED), Some(1.0));
    let read_at = value(&life, read);
    world.clock_ahead.store(301, Ordering::Relaxed);
    is_gone(&life, REGISTERED).await;
    let page = life.runner.gauges().render();
    let shown = page.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(shown.count(), 1, "{page}");
    assert!(value(&life, read) <= read_at.map(|at| at + 2.0), "{page}");
    assert!(value(&life, read) >= read_at, "{page}");
    faulty.set(Cut::Healed);
    is(&life, REGISTERED, 1.0).await;
}

#[tokio::test]
async fn what_an_earlier_release_has_not_kept_is_filled_in_once() {
    let mut world = way_back::world();
    world.config.signals_every_seconds = 1;
    let (life, restore) = way_back::restored(&world).await;
    let waiting = r#"ringkeep_restores_unaccepted{cluster="shop"}"#;
    let restored = r#"ringkeep_task_last_end_timestamp_seconds{cluster="shop",kind="restore",state="succeeded"}"#;
    is(&life, waiting, 1.0).await;
    let restored_at = until(&life, restored, |value| value.is_some()).await;
    life.runner.drain().await;
    drop(life);

    // As an earlier release leaves it.
    let store = world.open().await;
    forget(store.as_ref(), &["ended/", "unaccepted/", "seeded/"]).await;
    let mut life = world.start_on(store.clone());
    is(&life, waiting, 1.0).await;
    assert_eq!(value(&life, restored), restored_at);

    // What was decided since is not asked again.
    let accept = life.accept(&restore).await.expect("a task");
    life.ended(&accept).await;
    is(&life, waiting, 0.0).await;
    life.runner.drain().await;
    drop(life);
    forget(store.as_ref(), &["seeded/"]).await;
    let life = world.start_on(store.clone());
    is(&life, waiting, 0.0).await;

    // With the mark there, nothing is looked through.
    life.runner.drain().await;
    drop(life);
    forget(store.as_ref(), &["ended/"]).await;
    let life = world.start_on(store);
    is(&life, waiting, 0.0).await;
    assert_eq!(value(&life, restored), None);
}

async fn forget(store: &dyn StateStore, prefixes: &[&str]) {
    for prefix in prefixes {
        for entry in store.list(prefix).await.expect("a list") {
            let delete = store.delete(&entry.key, Expected::Anything, None);
            delete.await.expect("deleted");
        }
    }
}

#[tokio::test]
async fn a_pause_of_an_earlier_release_begins_when_it_is_first_seen() {
    let mut world = world();
    world.config.schedules_every_seconds = 1;
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    let mut new = schedule(NEVER);
    new.pause = Some(Pause {
        reason: "tests".into(),
        until: None,
    });
    let put = life.typed.put_schedule(new, false).await;
    put.expect("a schedule");
    life.runner.drain().await;
    drop(life);
    let entry = store.get("schedules/shop/nightly").await.expect("read");
    let mut value = entry.expect("a schedule").value;
    let alarms = value.as_object_mut().expect("an object").remove("alarms");
    assert!(alarms.is_some());
    let put = store.put("schedules/shop/nightly", value, Expected::Anything, None);
    put.await.expect("written");
    let life = world.start_on(store);
    let since = r#"ringkeep_schedule_paused_timestamp_seconds{cluster="shop",schedule="nightly"}"#;
    until(&life, since, |value| value.is_some()).await;
}

#[tokio::test]
async fn a_pause_that_is_put_after_another_has_ended_begins_then() {
    let world = world();
    let life = world.start_with_cluster().await;
    let paused = |seconds: i64| {
        let until = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        let mut new = schedule(NEVER);
        new.pause = Some(Pause {
            reason: "tests".into(),
            until: Some(until),
        });
        new
    };
    let since = r#"ringkeep_schedule_paused_timestamp_seconds{cluster="shop",schedule="nightly"}"#;
    let put = life.typed.put_schedule(paused(3_600), false).await;
    put.expect("a schedule");
    let first = until(&life, since, |value| value.is_some()).await;
    world.clock_ahead.store(7_200, Ordering::Relaxed);
    is_gone(&life, since).await;
    let put = life.typed.put_schedule(paused(10_800), true).await;
    put.expect("a schedule");
    let second = until(&life, since, |value| value.is_some()).await;
    assert!(
        second >= first.map(|at| at + 7_000.0),
        "{first:?} {second:?}"
    );
}
