//! Several runners on one state, and a state that cannot be reached: no step has two drivers, and every task ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::clients::TaskRunner;
use api::pb::task_runner::{StepState, TaskState};
use jiff::Timestamp;
use schedule::RunOutcome;
use state_store::{RedbStore, StateStore};
use tokio::time::{Instant, sleep, timeout};

use crate::crash::{Story, WRITES_MAX, ask, check_end, world as world_of};
use crate::faulty_store::{Cut, FaultyStore, WriteFault};
use crate::fleet::Fault;
use crate::schedules::{nightly, schedule, shop};
use crate::world::{DEADLINE, Life, World};

/// Longer than a lease of these tests, and than a runner takes to look for tasks without a driver.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(120);
/// Short, for a test that waits until it has run out; on a busy machine a driver may lose it without a fault.
pub const SHORT_LEASE: u64 = 5;
/// So long that no driver loses it because the machine is busy.
const LONG_LEASE: u64 = 30;

/// A world whose leases are short, and the state that its runners share.
async fn world() -> (World, Arc<dyn StateStore>) {
    let mut world = World::new(&["n1", "n2"]);
    world.config.lease_seconds = SHORT_LEASE;
    let store = shared(&world).await;
    (world, store)
}

/// A state with the cluster.
pub async fn shared(world: &World) -> Arc<dyn StateStore> {
    let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
    let store: Arc<dyn StateStore> = Arc::new(store.expect("open"));
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    life.runner.drain().await;
    store
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + TAKEN_OVER_WITHIN;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The end of a task that may take longer than one look.
pub async fn end_of(life: &mut Life, id: &str) -> TaskState {
    let until = Instant::now() + TAKEN_OVER_WITHIN;
    loop {
        let task = life.task(id).await.expect("a task");
        if crate::world::is_final(task.state()) {
            return task.state();
        }
        assert!(Instant::now() < until, "still {task:#?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// How often the lease of a task was granted so far.
async fn grants(store: &dyn StateStore, id: &str) -> u64 {
    let key = format!("tasks/{id}");
    let until = Instant::now() + DEADLINE;
    loop {
        match store.acquire(&key, "test", DEADLINE).await {
            Ok(next) => return next.token - 1,
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn is_taken_over(cut: Cut) {
    let (world, store) = world().await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let mut one = world.start_on(faulty.clone());
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = one.backup("b").await;
    world.called("upload n2").await;
    let mut two = world.start_on(store.clone());
    faulty.set(cut);
    assert_eq!(end_of(&mut two, &id).await, TaskState::Succeeded, "{cut:?}");
    // With that the first driver has long given up its step: two at once would break a rule.
    world.check_rules();
    faulty.set(Cut::Healed);
    two.runner.drain().await;
    one.runner.kill().await;
    let grants = grants(&*store, &id).await;
    assert!(grants >= 2, "{cut:?}: taken over");
    let uploads = world.fleet.count("upload n2") as u64;
    assert!(
        (2..=grants).contains(&uploads),
        "{cut:?}: {uploads} of {grants}"
    );
}

#[tokio::test]
async fn a_task_whose_runner_cannot_reach_the_state_is_taken_over_and_never_driven_twice() {
    is_taken_over(Cut::Refusing).await;
}

#[tokio::test]
async fn a_task_whose_runner_hears_nothing_from_the_state_is_taken_over_and_never_driven_twice() {
    is_taken_over(Cut::Silent).await;
}

#[tokio::test]
async fn a_task_whose_lease_is_renewed_too_late_goes_on() {
    let (world, store) = world().await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let mut life = world.start_on(faulty.clone());
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = life.backup("b").await;
    world.called("upload n2").await;
    faulty.set(Cut::SlowRenewals);
    until("the step is dropped", || {
        !world.fleet.facts().hanging.contains("upload n2")
    })
    .await;
    // The renewal succeeds now, if it is still waited for.
    faulty.set(Cut::Healed);
    assert_eq!(end_of(&mut life, &id).await, TaskState::Succeeded);
    world.check_rules();
    life.runner.drain().await;
}

#[tokio::test]
async fn a_task_of_a_dead_runner_is_taken_over() {
    let (world, store) = world().await;
    let mut one = world.start_on(store.clone());
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = one.backup("b").await;
    world.called("upload n2").await;
    let mut two = world.start_on(store.clone());
    one.runner.kill().await;
    assert_eq!(end_of(&mut two, &id).await, TaskState::Succeeded);
    world.check_rules();
    two.runner.drain().await;
    assert!(grants(&*store, &id).await >= 2, "driven again");
}

#[tokio::test]
async fn while_the_state_is_away_running_steps_finish_and_none_is_started() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let mut life = world.start_on(faulty.clone());
    for node in ["n1", "n2"] {
        world.fleet.fail(&format!("upload {node}"), &[Fault::Gate]);
    }
    let id = life.backup("b").await;
    world.called("upload n1").await;
    world.called("upload n2").await;
    faulty.set(Cut::Refusing);
    world.fleet.facts().gate.cancel();
    until("both uploads end", || {
        world.fleet.facts().uploaded.len() == 2
    })
    .await;
    let missed = faulty.missed.load(Ordering::SeqCst);
    until("what came of them is tried to be written", || {
        faulty.missed.load(Ordering::SeqCst) > missed + 6
    })
    .await;
    assert_eq!(world.fleet.count("commit"), 0, "nothing was started");
    let refused = life.create_backup("c").await.expect_err("nothing new");
    assert_eq!(refused.reason, "STATE_STORE");
    faulty.set(Cut::Healed);
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(world.fleet.count("upload n1"), 1, "nothing ran twice");
    assert_eq!(world.fleet.count("upload n2"), 1, "nothing ran twice");
    world.check_rules();
    life.runner.drain().await;
    assert_eq!(grants(&*store, &id).await, 1, "by the same driver");
}

/// How often the task had a driver; none if there was no such write. The task comes to its end whatever becomes of it.
async fn survives(story: Story, fault: WriteFault, writes: i64) -> Option<u64> {
    let place = format!("{story:?} {fault:?} {writes}");
    let mut world = world_of(story);
    world.config.lease_seconds = LONG_LEASE;
    let store = shared(&world).await;
    let faulty = FaultyStore::with_fault(store.clone(), fault, writes);
    let faulty = Arc::new(faulty);
    let mut life = world.start_on(faulty.clone());
    ask(&mut life, story).await;
    if life.tasks().await.is_empty() {
        // Whoever asked was told of an error, and asks again.
        ask(&mut life, story).await;
    }
    let tasks = life.tasks().await;
    assert_eq!(tasks.len(), 1, "{place}");
    let end = end_of(&mut life, &tasks[0].id).await;
    // A backup that could not be begun for sure is given up.
    if end == TaskState::Succeeded || story != Story::Backup {
        check_end(&world, story, end, &place);
    }
    world.check_rules();
    for step in &life.task(&tasks[0].id).await.expect("a task").steps {
        let is_open = matches!(step.state(), StepState::Running | StepState::Pending);
        assert!(!is_open || end != TaskState::Succeeded, "{place}: {step:?}");
    }
    life.runner.drain().await;
    match faulty.has_struck() {
        true => Some(grants(&*store, &tasks[0].id).await),
        false => None,
    }
}

async fn survives_everywhere(story: Story, fault: WriteFault) {
    let mut drivers = Vec::new();
    for writes in 0..WRITES_MAX {
        let survived = timeout(2 * TAKEN_OVER_WITHIN, survives(story, fault, writes));
        let Ok(driven) = survived.await else {
            panic!("{story:?} {fault:?} {writes}: not done");
        };
        let Some(driven) = driven else { break };
        drivers.push(driven);
    }
    assert!(drivers.len() > 10, "only {} writes", drivers.len());
    // What a driver has written itself it does not take for another's work; only before it has its cluster it leaves the task.
    let left = drivers.iter().filter(|driven| **driven > 1).count();
    assert!(left <= 4, "{drivers:?}");
}

#[tokio::test]
async fn a_backup_ends_whichever_reply_of_the_state_is_lost() {
    survives_everywhere(Story::Backup, WriteFault::ReplyLost).await;
}

#[tokio::test]
async fn a_backup_ends_whichever_write_fails() {
    survives_everywhere(Story::Backup, WriteFault::Failed).await;
}

#[tokio::test]
async fn a_backup_ends_whichever_write_comes_late() {
    survives_everywhere(Story::Backup, WriteFault::Late).await;
}

#[tokio::test]
async fn a_restore_ends_whichever_reply_of_the_state_is_lost() {
    survives_everywhere(Story::Online, WriteFault::ReplyLost).await;
}

#[tokio::test]
async fn a_restore_ends_whichever_write_comes_late() {
    survives_everywhere(Story::Online, WriteFault::Late).await;
}

/// Whether the end was noted before the last write of the record; none if there was no such write.
async fn notes_its_end_first(writes: i64) -> Option<bool> {
    let mut world = World::new(&["n1"]);
    world.config.lease_seconds = SHORT_LEASE;
    let store = shared(&world).await;
    let faulty = FaultyStore::with_fault(store.clone(), WriteFault::ReplyLost, writes);
    let faulty = Arc::new(faulty);
    let mut life = world.start_on(faulty.clone());
    let is_noted_first = match life.create_backup("b").await {
        // The reply to its creation was lost.
        Err(_) => false,
        Ok(created) => {
            end_of(&mut life, &created.task_id).await;
            let version = async |key: String| {
                let entry = store.get(&key).await.expect("read");
                entry.map(|entry| entry.version)
            };
            let noted = version("ended/shop/backup/succeeded".to_owned()).await;
            noted < version(format!("tasks/{}", created.task_id)).await
        }
    };
    life.runner.drain().await;
    faulty.has_struck().then_some(is_noted_first)
}

#[tokio::test]
async fn an_end_whose_reply_was_lost_is_not_noted_again_later() {
    let mut noted_first = 0;
    for writes in 0..WRITES_MAX {
        let Some(is_noted_first) = notes_its_end_first(writes).await else {
            break;
        };
        noted_first += u32::from(is_noted_first);
    }
    assert!(noted_first > 0, "each retry has noted the end again");
}

#[tokio::test]
async fn a_task_goes_on_after_the_state_was_full_in_the_middle_of_a_save() {
    // More than one transaction can write at once.
    let nodes: Vec<String> = (0..120).map(|at| format!("n{at}")).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let world = World::new(&nodes);
    let store = shared(&world).await;
    let faulty = Arc::new(FaultyStore::with_fault(store.clone(), WriteFault::Full, 0));
    let mut life = world.start_on(faulty.clone());
    let id = life.backup("b").await;
    assert_eq!(end_of(&mut life, &id).await, TaskState::Succeeded);
    assert!(faulty.has_struck(), "no save took two transactions");
    life.runner.drain().await;
    assert_eq!(grants(&*store, &id).await, 1, "by the same driver");
}

#[tokio::test]
async fn two_runners_make_each_run_of_a_schedule_once() {
    let (mut world, store) = world().await;
    world.config.schedules_every_seconds = 1;
    let stores = [(); 2].map(|()| Arc::new(FaultyStore::new(store.clone())));
    let lives = stores
        .each_ref()
        .map(|faulty| world.start_on(faulty.clone()));
    let put = lives[1]
        .typed
        .put_schedule(schedule("* * * * * *"), false)
        .await;
    put.expect("a schedule");
    // Whichever leads first: what makes runs while the one is cut off is the other, so from then on it is the leader that is
    // cut off next.
    for (cut_off, cut) in [(0, Cut::Refusing), (1, Cut::Refusing), (0, Cut::Silent)] {
        let other = &lives[1 - cut_off];
        let before = good_runs(other).await.len();
        stores[cut_off].set(cut);
        let until = Instant::now() + TAKEN_OVER_WITHIN;
        while good_runs(other).await.len() < before + 2 {
            assert!(Instant::now() < until, "{cut_off} {cut:?}: no run is made");
            sleep(Duration::from_millis(20)).await;
        }
        stores[cut_off].set(Cut::Healed);
    }
    for life in lives {
        life.runner.kill().await;
    }
    check_made_once(&world, &*store).await;
    world.check_rules();
}

/// Each name has one task, and each driver of it has committed once at most. A driver that is cut off between a commit and the
/// write that it has succeeded loses its task, and the one that follows commits again: that finds it done.
async fn check_made_once(world: &World, store: &dyn StateStore) {
    let mut tasks = BTreeMap::new();
    for entry in store.list("tasks/").await.expect("a list") {
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let (name, id) = (
            text(&entry.value["backup"]["name"]),
            text(&entry.value["id"]),
        );
        let other = tasks.insert(name.clone(), id);
        assert_eq!(other, None, "{name} was made twice");
    }
    let commits = world.fleet.facts().commits.clone();
    let mut by_name: BTreeMap<&String, u64> = BTreeMap::new();
    for name in &commits {
        *by_name.entry(name).or_default() += 1;
    }
    for (name, commits) in by_name {
        let drivers = grants(store, &tasks[name]).await;
        assert!(commits <= drivers, "{name}: {commits} of {drivers} drivers");
    }
}

async fn good_runs(life: &Life) -> Vec<String> {
    let got = life.typed.get_schedule(&shop(), &nightly()).await;
    let (_, past) = got.expect("a schedule");
    let good = past
        .iter()
        .filter(|run| run.outcome == RunOutcome::Succeeded);
    let names: Vec<String> = good
        .filter_map(|run| run.backup.as_ref().map(ToString::to_string))
        .collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    names
}

/// A backup that one runner drives and that hangs, and another runner.
pub async fn driven_elsewhere(world: &World, store: &Arc<dyn StateStore>) -> (Life, Life, String) {
    let mut one = world.start_on(store.clone());
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = one.backup("b").await;
    world.called("upload n2").await;
    let two = world.start_on(store.clone());
    (one, two, id)
}

#[tokio::test]
async fn a_task_is_cancelled_through_a_runner_that_does_not_drive_it() {
    let (world, store) = world().await;
    let (mut one, mut two, id) = driven_elsewhere(&world, &store).await;
    two.cancel(&id).await.expect("it is heard");
    assert_eq!(one.ended(&id).await.state(), TaskState::Cancelled);
    two.cancel(&id).await.expect("again is fine");
    let left = store.list("requests/").await.expect("a list");
    assert_eq!(left, []);
    world.check_rules();
}

#[tokio::test]
async fn a_task_is_ended_by_force_through_a_runner_that_does_not_drive_it() {
    let (world, store) = world().await;
    let (mut one, mut two, id) = driven_elsewhere(&world, &store).await;
    two.fail(&id, true).await.expect("it is heard");
    assert_eq!(one.ended(&id).await.state(), TaskState::Failed);
}

#[tokio::test]
async fn a_request_that_is_old_counts_for_nothing() {
    let (world, store) = world().await;
    let (mut one, mut two, id) = driven_elsewhere(&world, &store).await;
    let old = serde_json::json!({"ask": "cancel", "asked_at": "2026-01-01T00:00:00Z"});
    let key = format!("requests/{id}");
    store
        .put(&key, old, state_store::Expected::Anything, None)
        .await
        .expect("put");
    // One that counts comes after it, so by then the old one was looked at.
    two.fail(&id, true).await.expect("it is heard");
    assert_eq!(one.ended(&id).await.state(), TaskState::Failed);
}

#[tokio::test]
async fn a_request_that_was_given_up_before_its_driver_hears_of_it_counts_for_nothing() {
    let (world, store) = world().await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let (mut one, mut two, id) =
        driven_elsewhere(&world, &(faulty.clone() as Arc<dyn StateStore>)).await;
    let ask = serde_json::json!({"ask": "cancel", "asked_at": Timestamp::now().to_string()});
    let key = format!("requests/{id}");
    let anything = state_store::Expected::Anything;
    faulty.set(Cut::SlowWatches);
    store.put(&key, ask, anything, None).await.expect("put");
    store.delete(&key, anything, None).await.expect("deleted");
    faulty.set(Cut::Healed);
    // One that counts comes after it, so by then the other was looked at.
    two.fail(&id, true).await.expect("it is heard");
    assert_eq!(one.ended(&id).await.state(), TaskState::Failed);
}

#[tokio::test]
async fn looking_for_tasks_without_a_driver_costs_the_same_after_many_tasks() {
    let (world, store) = world().await;
    let mut life = world.start_on(store.clone());
    for n in 0..20 {
        let id = life.backup(&format!("b{n}")).await;
        life.ended(&id).await;
    }
    life.runner.drain().await;
    let unfinished = store.list("unfinished/").await.expect("a list");
    assert_eq!(unfinished, [], "only what has not ended is looked through");
    let kept = store.list("tasks/").await.expect("a list");
    assert_eq!(kept.len(), 20);
}
