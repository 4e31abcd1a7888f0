//! What the runner shows to Prometheus comes from the stored state, and follows it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use api::clients::TaskRunner;
use api::pb::task_runner::TaskState;
use jiff::Timestamp;
use schedule::{Objective, Pause};
use state_store::{RedbStore, StateStore};
use tokio::time::{Instant, sleep};

use crate::fleet::Fault;
use crate::schedules::{nightly, schedule, shop};
use crate::way_back;
use crate::world::{DEADLINE, Life, World};

pub const NEVER: &str = "0 0 29 2 *";

/// A world whose runners read the state every second.
pub fn world() -> World {
    let mut world = World::new(&["n1", "n2"]);
    world.config.signals_every_seconds = 1;
    world
}

/// The value of a gauge with exactly these labels, as it is rendered.
pub fn value(life: &Life, series: &str) -> Option<f64> {
    let page = life.runner.gauges().render();
    let mut lines = page.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().expect("a number"))
}

pub async fn until(life: &Life, series: &str, wanted: impl Fn(Option<f64>) -> bool) -> Option<f64> {
    let until = Instant::now() + DEADLINE;
    loop {
        let value = value(life, series);
        if wanted(value) {
            return value;
        }
        let page = life.runner.gauges().render();
        assert!(Instant::now() < until, "{series} is {value:?}\n{page}");
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

pub async fn is(life: &Life, series: &str, wanted: f64) {
    until(life, series, |value| value == Some(wanted)).await;
}

pub async fn is_gone(life: &Life, series: &str) {
    until(life, series, |value| value.is_none()).await;
}

pub const REGISTERED: &str = r#"ringkeep_cluster_registered{cluster="shop"}"#;
const LAST_GOOD: &str =
    r#"ringkeep_cluster_last_good_backup_start_timestamp_seconds{cluster="shop"}"#;

#[tokio::test]
async fn the_last_good_backup_is_the_same_on_every_runner_and_after_its_task_is_forgotten() {
    let mut world = world();
    world.config.keep_finished_tasks = 0;
    let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
    let store: Arc<dyn StateStore> = Arc::new(store.expect("open"));
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    is(&life, REGISTERED, 1.0).await;
    assert_eq!(value(&life, LAST_GOOD), None);

    let before = Timestamp::now().as_second() as f64;
    let task = life.backup("b").await;
    life.until_forgotten(&task).await;
    let good = until(&life, LAST_GOOD, |value| value.is_some()).await;
    assert!(good >= Some(before), "{good:?} {before}");

    // One that fails later changes nothing of it.
    world.config.step_retry_for_seconds = 0;
    world.fleet.fail("upload n1", &[Fault::Damaged]);
    let failed = life.backup("c").await;
    life.until_forgotten(&failed).await;
    let last_failure =
        r#"ringkeep_task_last_end_timestamp_seconds{cluster="shop",kind="backup",state="failed"}"#;
    let failed_at = until(&life, last_failure, |value| value.is_some()).await;

    let other = world.start_on(store.clone());
    until(&other, LAST_GOOD, |value| value == good).await;
    assert_eq!(value(&other, last_failure), failed_at);
    life.runner.kill().await;
    let after = world.start_on(store);
    until(&after, LAST_GOOD, |value| value == good).await;
    after
        .typed
        .remove_cluster(&shop())
        .await
        .expect("forgotten");
    is_gone(&after, LAST_GOOD).await;
    assert_eq!(value(&after, REGISTERED), None);
}

#[tokio::test]
async fn a_task_that_gets_nowhere_shows_when_it_last_got_further() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let task = life.backup("b").await;
    world.called("upload n2").await;
    let running = r#"ringkeep_tasks_unfinished{cluster="shop",kind="backup",state="running"}"#;
    is(&life, running, 1.0).await;
    let progress = r#"ringkeep_task_progress_timestamp_seconds{cluster="shop",kind="backup"}"#;
    let at = until(&life, progress, |value| value.is_some()).await;
    // However late it is, and whichever process looks.
    world.clock_ahead.store(86_400, Ordering::Relaxed);
    let read = "ringkeep_state_read_timestamp_seconds";
    let tomorrow = |value: Option<f64>| value > at.map(|at| at + 80_000.0);
    until(&life, read, tomorrow).await;
    assert_eq!(value(&life, progress), at);
    life.cancel(&task).await.expect("cancelled");
    is_gone(&life, progress).await;
    is_gone(&life, running).await;
}

#[tokio::test]
async fn a_restore_in_place_waits_until_it_is_accepted() {
    let mut world = way_back::world();
    world.config.signals_every_seconds = 1;
    let (mut life, restore) = way_back::restored(&world).await;
    let waiting = r#"ringkeep_restores_unaccepted{cluster="shop"}"#;
    let since = r#"ringkeep_restore_unaccepted_timestamp_seconds{cluster="shop"}"#;
    is(&life, waiting, 1.0).await;
    assert!(value(&life, since).is_some());
    let accept = life.accept(&restore).await.expect("a task");
    let task = life.ended(&accept).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    is(&life, waiting, 0.0).await;
    assert_eq!(value(&life, since), None);
}

#[tokio::test]
async fn a_restore_that_was_rolled_back_waits_for_nothing() {
    let mut world = way_back::world();
    world.config.signals_every_seconds = 1;
    let (mut life, restore) = way_back::restored(&world).await;
    let waiting = r#"ringkeep_restores_unaccepted{cluster="shop"}"#;
    is(&life, waiting, 1.0).await;
    // A rollback that fails leaves the question open.
    world.fleet.fail("swap-back n2", &[Fault::Damaged]);
    let rollback = life.roll_back(&restore).await.expect("a task");
    let task = life.ended(&rollback).await;
    assert_eq!(task.state(), TaskState::Failed, "{task:#?}");
    let failed = r#"ringkeep_task_last_end_timestamp_seconds{cluster="shop",kind="rollback",state="failed"}"#;
    until(&life, failed, |value| value.is_some()).await;
    assert_eq!(value(&life, waiting), Some(1.0));
    life.resume(&rollback).await.expect("resumed");
    let task = life.ended(&rollback).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    is(&life, waiting, 0.0).await;
}

#[tokio::test]
async fn schedules_show_their_next_run_pauses_failures_and_objectives_until_they_are_deleted() {
    let world = world();
    let life = world.start_with_cluster().await;
    let of =
        |name: &str| format!(r#"ringkeep_schedule_{name}{{cluster="shop",schedule="nightly"}}"#);
    let mut new = schedule(NEVER);
    new.objective = Some(Objective { seconds: 7_200 });
    let put = life.typed.put_schedule(new, false).await;
    put.expect("a schedule");
    let due = until(&life, &of("next_start_timestamp_seconds"), |due| {
        due.is_some()
    })
    .await;
    assert!(due > Some(Timestamp::now().as_second() as f64));
    assert_eq!(value(&life, &of("objective_seconds")), Some(7_200.0));
    assert_eq!(value(&life, &of("objective_broken")), Some(0.0));
    assert_eq!(value(&life, &of("failed_runs")), Some(0.0));
    assert_eq!(value(&life, &of("paused")), Some(0.0));
    assert_eq!(value(&life, &of("paused_timestamp_seconds")), None);

    let pause = Pause {
        reason: "tests".into(),
        until: None,
    };
    let (shop, nightly) = (shop(), nightly());
    let paused = life.typed.pause_schedule(&shop, &nightly, pause);
    paused.await.expect("paused");
    is(&life, &of("paused"), 1.0).await;
    assert!(value(&life, &of("paused_timestamp_seconds")).is_some());
    let resumed = life.typed.resume_schedule(&shop, &nightly);
    resumed.await.expect("resumed");
    is(&life, &of("paused"), 0.0).await;
    assert_eq!(value(&life, &of("paused_timestamp_seconds")), None);

    // A backup of a schedule that is not made in time breaks its objective.
    world.clock_ahead.store(7_300, Ordering::Relaxed);
    is(&life, &of("objective_broken"), 1.0).await;
    let deleted = life.typed.delete_schedule(&shop, &nightly);
    deleted.await.expect("deleted");
    for gauge in ["next_start_timestamp_seconds", "objective_broken", "paused"] {
        is_gone(&life, &of(gauge)).await;
    }
}

#[tokio::test]
async fn runs_that_fail_are_counted_until_one_is_good() {
    let mut world = world();
    world.config.schedules_every_seconds = 1;
    world.config.step_retry_for_seconds = 0;
    let life = world.start_with_cluster().await;
    let failures = r#"ringkeep_schedule_failed_runs{cluster="shop",schedule="nightly"}"#;
    let good = r#"ringkeep_schedule_last_good_backup_start_timestamp_seconds{cluster="shop",schedule="nightly"}"#;
    let put = life.typed.put_schedule(schedule(NEVER), false).await;
    put.expect("a schedule");
    for number in [1.0, 2.0] {
        world.fleet.fail("upload n1", &[Fault::Damaged]);
        let run = life.typed.run_schedule(&shop(), &nightly()).await;
        run.expect("a run");
        is(&life, failures, number).await;
    }
    assert_eq!(value(&life, good), None);
    let run = life.typed.run_schedule(&shop(), &nightly()).await;
    run.expect("a run");
    is(&life, failures, 0.0).await;
    assert!(value(&life, good).is_some());
}

#[tokio::test]
async fn agents_that_do_not_reply_are_counted_by_cluster() {
    let mut world = world();
    world.config.leftovers_every_seconds = 1;
    let life = world.start_with_cluster().await;
    let unreachable = r#"ringkeep_agents_unreachable{cluster="shop"}"#;
    is(&life, unreachable, 0.0).await;
    assert_eq!(
        value(&life, r#"ringkeep_agents{cluster="shop"}"#),
        Some(2.0)
    );
    world
        .fleet
        .fail("leftovers n2", &[Fault::Unavailable; 1_000]);
    is(&life, unreachable, 1.0).await;
}
