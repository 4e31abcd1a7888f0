//! Schedules: kept, changed, and carried out through every death of the runner.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::ErrorKind;
use api::clients::TaskRunner;
use api::pb::task_runner::Priority;
use jiff::Timestamp;
use model::plan::Completeness;
use model::{ClusterName, Selection, Zone};
use schedule::{
    Kinds, Overlap, PastRun, Pause, RunOutcome, Schedule, ScheduleName, ScheduleState, SkipReason,
};
use tokio::time::{Instant, sleep, timeout};

use crate::crash::WRITES_MAX;
use crate::dying_store::{Death, DyingStore};
use crate::fleet::{BackupNow, Fault};
use crate::world::{DEADLINE, Life, World};

const NEVER: &str = "0 0 29 2 *";
const EVERY_SECOND: &str = "* * * * * *";

pub fn shop() -> ClusterName {
    "shop".parse().expect("a name")
}

pub fn nightly() -> ScheduleName {
    "nightly".parse().expect("a name")
}

pub fn schedule(cron: &str) -> Schedule {
    Schedule {
        cluster: shop(),
        name: nightly(),
        cron: cron.parse().expect("an expression"),
        zone: Zone::default(),
        start: None,
        window: None,
        jitter_seconds: 0,
        kinds: Kinds::Differential,
        selection: Selection::default(),
        completeness: Completeness::All,
        overlap: Overlap::Wait,
        catch_up_seconds: 3_600,
        deadline_seconds: None,
        objective: None,
        pause: None,
    }
}

/// A world whose runners carry out schedules.
fn world() -> World {
    let mut world = World::new(&["n1", "n2"]);
    world.config.schedules_every_seconds = 1;
    world
}

impl Life {
    async fn put(&self, schedule: Schedule) -> ScheduleState {
        let put = self.typed.put_schedule(schedule, false).await;
        put.expect("a schedule")
    }

    async fn past(&self) -> Vec<PastRun> {
        let got = self.typed.get_schedule(&shop(), &nightly()).await;
        got.expect("a schedule").1
    }

    async fn past_until(&self, wanted: impl Fn(&[PastRun]) -> bool) -> Vec<PastRun> {
        let until = Instant::now() + 3 * DEADLINE;
        loop {
            let past = self.past().await;
            if wanted(&past) {
                return past;
            }
            assert!(Instant::now() < until, "{past:#?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_ended(run: &PastRun) -> bool {
    run.outcome != RunOutcome::Running
}

fn succeeded(past: &[PastRun]) -> Vec<&PastRun> {
    let good = past
        .iter()
        .filter(|run| run.outcome == RunOutcome::Succeeded);
    good.collect()
}

#[tokio::test]
async fn a_run_that_another_task_comes_before_waits_without_being_planned_again_and_again() {
    let world = world();
    world.has_backup("old");
    world.fleet.fail("stage n1", &[Fault::Gate]);
    let mut life = world.start_with_cluster().await;
    life.restore("old").await;
    world.called("stage n1").await;
    // The run could start beside the restore, but not before the one that waits.
    life.queue_restore("old", Priority::Unspecified).await;
    let selection = Selection {
        keyspaces: vec!["elsewhere".to_owned()],
        ..Selection::default()
    };
    life.put(Schedule {
        selection,
        ..schedule(EVERY_SECOND)
    })
    .await;
    let is_superseded = |run: &&PastRun| run.outcome == RunOutcome::Skipped(SkipReason::Superseded);
    life.past_until(|past| past.iter().filter(is_superseded).count() >= 3)
        .await;
    assert_eq!(world.fleet.count("plan-backup"), 0);
    world.fleet.facts().gate.cancel();
    life.past_until(|past| !succeeded(past).is_empty()).await;
    world.check_rules();
}

#[tokio::test]
async fn runs_are_made_one_after_the_other_the_first_one_full() {
    let world = world();
    let life = world.start_with_cluster().await;
    life.put(schedule(EVERY_SECOND)).await;
    let past = life.past_until(|past| succeeded(past).len() >= 2).await;
    let good = succeeded(&past);
    let kinds: Vec<_> = good
        .iter()
        .rev()
        .map(|run| run.kind.expect("a kind").as_str())
        .collect();
    assert_eq!(kinds[0], "full");
    assert!(
        kinds[1..].iter().all(|kind| *kind == "differential"),
        "{kinds:?}"
    );
    for run in &good {
        let backup = run.backup.as_ref().expect("a name");
        assert_eq!(*backup, nightly().backup(run.first_due));
        let facts = world.fleet.facts();
        assert_eq!(facts.backups[backup.as_str()].0, BackupNow::Complete);
    }
    world.check_rules();
}

#[tokio::test]
async fn a_run_waits_until_another_task_has_ended() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let busy = life.backup("by-hand").await;
    world.called("upload n1").await;
    life.put(schedule(EVERY_SECOND)).await;
    let waiting = async |state: ScheduleState| state.progress.waiting.is_some();
    let until = Instant::now() + DEADLINE;
    loop {
        let (state, past) = life
            .typed
            .get_schedule(&shop(), &nightly())
            .await
            .expect("it");
        assert!(succeeded(&past).is_empty());
        if waiting(state).await {
            break;
        }
        assert!(Instant::now() < until, "no run waits");
        sleep(Duration::from_millis(20)).await;
    }
    life.cancel(&busy).await.expect("cancelled");
    life.past_until(|past| !succeeded(past).is_empty()).await;
}

#[tokio::test]
async fn a_refused_run_is_shown_with_its_findings_and_the_next_one_comes() {
    let world = world();
    let life = world.start_with_cluster().await;
    world.fleet.facts().refusal = Some("DISK_SPACE".into());
    life.put(schedule(EVERY_SECOND)).await;
    let is_refused = |run: &PastRun| run.outcome == RunOutcome::Refused;
    let past = life.past_until(|past| past.iter().any(is_refused)).await;
    let refused = past.iter().find(|run| is_refused(run)).expect("one");
    assert!(refused.detail.contains("DISK_SPACE"), "{refused:?}");
    world.fleet.facts().refusal = None;
    life.past_until(|past| !succeeded(past).is_empty()).await;
}

#[tokio::test]
async fn a_pause_leaves_runs_out_and_ends() {
    let world = world();
    let life = world.start_with_cluster().await;
    let pause = Pause {
        reason: "the cluster moves".to_owned(),
        until: None,
    };
    let paused = Schedule {
        pause: Some(pause),
        ..schedule(EVERY_SECOND)
    };
    life.put(paused).await;
    let skipped = RunOutcome::Skipped(SkipReason::Paused);
    let past = life
        .past_until(|past| past.iter().any(|run| run.outcome == skipped))
        .await;
    assert!(succeeded(&past).is_empty(), "{past:#?}");
    let resumed = life.typed.resume_schedule(&shop(), &nightly()).await;
    assert_eq!(resumed.expect("a schedule").schedule.pause, None);
    life.past_until(|past| !succeeded(past).is_empty()).await;
}

#[tokio::test]
async fn a_run_past_its_deadline_is_cancelled() {
    let world = world();
    let life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let short = Schedule {
        deadline_seconds: Some(1),
        ..schedule(EVERY_SECOND)
    };
    life.put(short).await;
    let is_cancelled = |run: &PastRun| run.outcome == RunOutcome::Cancelled;
    life.past_until(|past| past.iter().any(is_cancelled)).await;
    life.past_until(|past| !succeeded(past).is_empty()).await;
}

#[tokio::test]
async fn a_schedule_is_changed_only_on_request_and_a_change_is_due_from_now_on() {
    let world = World::new(&["n1", "n2"]);
    let life = world.start_with_cluster().await;
    let made = life.put(schedule(NEVER)).await;
    let error = life.typed.put_schedule(schedule(EVERY_SECOND), false).await;
    let error = error.expect_err("it is there");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::AlreadyExists, "SCHEDULE_EXISTS")
    );
    let changed = life.typed.put_schedule(schedule(EVERY_SECOND), true).await;
    let changed = changed.expect("a schedule");
    assert_eq!(changed.schedule.cron.as_str(), EVERY_SECOND);
    assert_eq!(changed.created_at, made.created_at);
    assert!(changed.progress.considered > made.progress.considered);
    // The same times with something else changed: what waits goes on waiting.
    let slower = Schedule {
        deadline_seconds: Some(60),
        ..schedule(EVERY_SECOND)
    };
    let again = life.typed.put_schedule(slower, true).await;
    let again = again.expect("a schedule");
    assert_eq!(again.progress, changed.progress);
    let resumed = life.typed.resume_schedule(&shop(), &nightly()).await;
    let changed = resumed.expect("a schedule");
    assert_eq!(changed, again, "it was not paused");
    let listed = life
        .typed
        .list_schedules(Some(&shop()))
        .await
        .expect("a list");
    assert_eq!(listed, [changed]);
}

#[tokio::test]
async fn a_cluster_with_schedules_is_not_forgotten_and_one_without_cluster_not_made() {
    let world = World::new(&["n1", "n2"]);
    let life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    let error = life
        .typed
        .remove_cluster(&shop())
        .await
        .expect_err("it has one");
    assert_eq!(error.reason, "CLUSTER_HAS_SCHEDULES");
    let deleted = life.typed.delete_schedule(&shop(), &nightly()).await;
    deleted.expect("deleted");
    let gone = life.typed.get_schedule(&shop(), &nightly()).await;
    assert_eq!(gone.expect_err("gone").reason, "SCHEDULE_NOT_FOUND");
    life.typed.remove_cluster(&shop()).await.expect("forgotten");
    let error = life.typed.put_schedule(schedule(NEVER), false).await;
    assert_eq!(error.expect_err("no cluster").reason, "CLUSTER_NOT_FOUND");
}

#[tokio::test]
async fn a_run_by_hand_is_refused_while_another_has_not_ended() {
    let world = world();
    let life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let run = life
        .typed
        .run_schedule(&shop(), &nightly())
        .await
        .expect("a run");
    assert!(run.task.is_some());
    let error = life.typed.run_schedule(&shop(), &nightly()).await;
    assert_eq!(error.expect_err("it runs").reason, "SCHEDULE_RUNS");
}

/// Makes a run by hand until the store dies at the given write, or until the run has ended. Returns whether it died.
async fn live(world: &World, writes: i64, death: Death) -> bool {
    let store = Arc::new(DyingStore::new(world.open().await, writes, death));
    let life = world.start_on(store.clone());
    let story = async {
        drop(life.typed.run_schedule(&shop(), &nightly()).await);
        life.past_until(|past| past.iter().all(is_ended)).await;
    };
    let died = tokio::select! {
        () = store.dead.cancelled() => true,
        () = story => store.dead.is_cancelled(),
    };
    life.runner.kill().await;
    died
}

#[tokio::test]
async fn a_run_that_was_begun_is_made_once_wherever_the_runner_dies() {
    let mut deaths = 0;
    for death in [Death::BeforeWrite, Death::AfterWrite] {
        for writes in 0..WRITES_MAX {
            let place = format!("{death:?} {writes}");
            let world = world();
            let life = world.start_with_cluster().await;
            life.put(schedule(NEVER)).await;
            life.runner.kill().await;
            drop(life);
            let died = timeout(3 * DEADLINE, live(&world, writes, death)).await;
            let died = died.unwrap_or_else(|_| panic!("{place}: neither dead nor done"));
            let life = world.start().await;
            let past = life.past_until(|past| past.iter().all(is_ended)).await;
            assert!(past.len() <= 1, "{place}: {past:#?}");
            let made: BTreeSet<String> = world.fleet.facts().backups.keys().cloned().collect();
            let named: BTreeSet<String> = past
                .iter()
                .filter_map(|run| run.backup.as_ref().map(ToString::to_string))
                .collect();
            assert_eq!(made, named, "{place}: {past:#?}");
            let all_good = past.iter().all(|run| run.outcome == RunOutcome::Succeeded);
            assert!(all_good, "{place}: {past:#?}");
            world.check_rules();
            life.runner.kill().await;
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= 20, "only {deaths} places to die at");
}

#[tokio::test]
async fn only_the_last_runs_are_kept() {
    let world = world();
    let life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    life.runner.kill().await;
    drop(life);
    let store = world.open().await;
    let state = store.get("schedules/shop/nightly").await.expect("a read");
    let mut state: ScheduleState = serde_json::from_value(state.expect("it").value).expect("it");
    // As if two hundred runs had been refused, one in each minute.
    let first = Timestamp::now().as_second() - 200 * 60;
    for at in 0..200 {
        let due = Timestamp::from_second(first + at * 60).expect("a time");
        let run = PastRun {
            outcome: RunOutcome::Refused,
            ..PastRun::begun(&state.schedule.run(due, None), None)
        };
        let key = format!("runs/shop/nightly/{}", due.strftime("%Y%m%dT%H%M%SZ"));
        let value = serde_json::to_value(run).expect("JSON");
        let any = state_store::Expected::Anything;
        store.put(&key, value, any, None).await.expect("a write");
    }
    state.schedule.cron = EVERY_SECOND.parse().expect("an expression");
    let value = serde_json::to_value(&state).expect("JSON");
    let any = state_store::Expected::Anything;
    store
        .put("schedules/shop/nightly", value, any, None)
        .await
        .expect("a write");
    let life = world.start_on(store.clone());
    let until = Instant::now() + 3 * DEADLINE;
    while store.list("runs/").await.expect("a list").len() > 101 {
        assert!(Instant::now() < until, "the history is not pruned");
        sleep(Duration::from_millis(50)).await;
    }
    life.runner.kill().await;
}

#[tokio::test]
async fn a_run_by_hand_follows_another_that_has_ended_also_without_the_loop() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    let first = life.typed.run_schedule(&shop(), &nightly()).await;
    let first = first.expect("a run").task.expect("a task").to_string();
    life.ended(&first).await;
    // Backups are named by the second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let second = life.typed.run_schedule(&shop(), &nightly()).await;
    assert!(second.expect("a run").task.is_some());
    let past = life.past().await;
    assert_eq!(past.len(), 2, "{past:#?}");
    assert_eq!(past[1].outcome, RunOutcome::Succeeded);
    assert_eq!(past[0].kind.map(|kind| kind.as_str()), Some("differential"));
}

#[tokio::test]
async fn a_run_that_only_an_unreachable_agent_refuses_is_tried_again() {
    let world = world();
    let life = world.start_with_cluster().await;
    world.fleet.fail("describe n2", &[Fault::Unavailable; 2]);
    life.put(schedule(EVERY_SECOND)).await;
    let past = life.past_until(|past| !succeeded(past).is_empty()).await;
    let is_refused = |run: &PastRun| run.outcome == RunOutcome::Refused;
    assert!(!past.iter().any(is_refused), "{past:#?}");
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_holds_up_no_other_and_can_be_deleted() {
    let world = world();
    let life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    life.runner.kill().await;
    drop(life);
    let store = world.open().await;
    let any = || state_store::Expected::Anything;
    let value = serde_json::json!({"schedule": "of another release"});
    let key = "schedules/shop/nightly";
    store.put(key, value, any(), None).await.expect("a write");
    let life = world.start_on(store);
    let mut other = schedule(EVERY_SECOND);
    other.name = "other".parse().expect("a name");
    let other_name = other.name.clone();
    life.put(other).await;
    let until = Instant::now() + 3 * DEADLINE;
    loop {
        let got = life.typed.get_schedule(&shop(), &other_name).await;
        if !succeeded(&got.expect("a schedule").1).is_empty() {
            break;
        }
        assert!(Instant::now() < until, "it makes no backup");
        sleep(Duration::from_millis(20)).await;
    }
    let deleted = life.typed.delete_schedule(&shop(), &nightly()).await;
    deleted.expect("deleted");
}

#[tokio::test]
async fn the_task_of_a_run_is_kept_until_its_schedule_has_noted_the_end() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.keep_finished_tasks = 0;
    let mut life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    let run = life.typed.run_schedule(&shop(), &nightly()).await;
    let task = run.expect("a run").task.expect("a task").to_string();
    life.ended(&task).await;
    life.runner.kill().await;
    drop(life);
    // A loop that comes later finds it, and makes no second one.
    world.config.schedules_every_seconds = 1;
    let life = world.start().await;
    let past = life.past_until(|past| past.iter().all(is_ended)).await;
    assert_eq!(past[0].outcome, RunOutcome::Succeeded, "{past:#?}");
    assert_eq!(world.fleet.count("snapshot n1"), 1);
}

#[tokio::test]
async fn a_run_by_hand_that_finds_no_base_makes_the_next_one_full() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    life.put(schedule(NEVER)).await;
    let first = life.typed.run_schedule(&shop(), &nightly()).await;
    let first = first.expect("a run").task.expect("a task").to_string();
    life.ended(&first).await;
    // Backups are named by the second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.fleet.fail("begin", &[Fault::NoBase]);
    let refused = life.typed.run_schedule(&shop(), &nightly()).await;
    assert_eq!(refused.expect_err("there is none").reason, "NO_BASE");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let next = life.typed.run_schedule(&shop(), &nightly()).await;
    let next = next.expect("a run").task.expect("a task").to_string();
    life.ended(&next).await;
    let past = life.past().await;
    assert_eq!(
        past[0].kind.map(|kind| kind.as_str()),
        Some("full"),
        "{past:#?}"
    );
}
