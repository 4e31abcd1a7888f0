//! Leases that run out: the driver loses its task, and recovery brings it to the same end, once.

use std::sync::Arc;
use std::time::Duration;

use api::pb::task_runner::TaskState;
use state_store::testing::ManualClock;
use state_store::{RedbStore, StateError, StateStore};
use tokio::time::timeout;

use crate::crash::{Story, WRITES_MAX, ask, check_end, world};
use crate::fleet::Fault;
use crate::lapsing_store::{AGES, LapsingStore};
use crate::world::{DEADLINE, World};

/// Longer than a runner takes to look for tasks without a driver.
const RECOVERED_WITHIN: Duration = Duration::from_secs(60);

async fn store_and_clock(world: &World) -> (Arc<dyn StateStore>, ManualClock) {
    let clock = ManualClock::default();
    let store = RedbStore::in_memory(clock.clock()).await.expect("open");
    let store: Arc<dyn StateStore> = Arc::new(store);
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    life.runner.kill().await;
    (store, clock)
}

/// How often the task's lease was granted so far.
async fn grants(store: &dyn StateStore, id: &str) -> u64 {
    let key = format!("tasks/{id}");
    let next = store.acquire(&key, "test", DEADLINE).await;
    next.expect("no driver is left").token - 1
}

/// What came of leases that run out at one write.
struct Lapse {
    /// Whether there was such a write.
    happened: bool,
    /// Whether a driver lost its task by it.
    noticed: bool,
}

/// Lets the leases run out at one write, lets another runner go on, and inspects the end.
async fn runs_out_at(story: Story, writes: i64) -> Lapse {
    let place = format!("{story:?}, {writes}");
    let world = world(story);
    let (store, clock) = store_and_clock(&world).await;
    let lapsing = Arc::new(LapsingStore::new(store.clone(), clock, writes, AGES));
    let mut one = world.start_on(lapsing.clone());
    ask(&mut one, story).await;
    if let Some(task) = one.tasks().await.first() {
        tokio::select! {
            () = lapsing.fenced.cancelled() => {}
            _ = one.ended(&task.id) => {}
        }
    }
    let mut two = world.start_on(store.clone());
    if two.tasks().await.is_empty() {
        assert_eq!(world.fleet.changes(), Vec::<String>::new(), "{place}");
        ask(&mut two, story).await;
    }
    let tasks = two.tasks().await;
    assert_eq!(tasks.len(), 1, "{place}");
    let task = two.ended(&tasks[0].id).await;
    check_end(&world, story, task.state(), &place);
    one.runner.drain().await;
    two.runner.drain().await;
    let noticed = lapsing.fenced.is_cancelled();
    let grants = grants(&*store, &task.id).await;
    assert!(
        grants <= 1 + u64::from(noticed),
        "{place}: driven {grants} times"
    );
    Lapse {
        happened: lapsing.has_passed(),
        noticed,
    }
}

async fn runs_out_everywhere(story: Story) {
    let mut noticed = 0;
    for writes in 0..WRITES_MAX {
        let lapse = timeout(DEADLINE, runs_out_at(story, writes)).await;
        let lapse = lapse.unwrap_or_else(|_| panic!("{story:?} {writes}: not done"));
        if !lapse.happened {
            break;
        }
        noticed += usize::from(lapse.noticed);
    }
    assert!(noticed > 10, "only {noticed} lapses were noticed");
}

#[tokio::test]
async fn a_backup_whose_lease_runs_out_at_any_write_is_finished_by_another_runner() {
    runs_out_everywhere(Story::Backup).await;
}

#[tokio::test]
async fn a_restore_whose_lease_runs_out_at_any_write_is_finished_by_another_runner() {
    runs_out_everywhere(Story::Online).await;
}

#[tokio::test]
async fn a_restore_with_a_trial_whose_lease_runs_out_at_any_write_is_finished_by_another_runner() {
    runs_out_everywhere(Story::Trial).await;
}

#[tokio::test]
async fn a_task_whose_lease_has_run_out_is_recovered_by_its_own_runner() {
    // The name is reserved, and the first steps are done.
    const WRITES: i64 = 8;
    let world = World::new(&["n1", "n2"]);
    let (store, clock) = store_and_clock(&world).await;
    let lapsing = Arc::new(LapsingStore::new(store.clone(), clock, WRITES, AGES));
    let mut life = world.start_on(lapsing.clone());
    let id = life.backup("b").await;
    timeout(DEADLINE, lapsing.fenced.cancelled())
        .await
        .expect("a write of the driver is refused");
    let ended = timeout(RECOVERED_WITHIN, async {
        loop {
            // Its own time limit is shorter than the time until recovery.
            if let Ok(task) = timeout(DEADLINE / 4, life.ended(&id)).await {
                return task;
            }
        }
    });
    let task = ended.await.expect("recovered");
    assert_eq!(task.state(), TaskState::Succeeded);
    world.check_rules();
    life.runner.drain().await;
    assert_eq!(grants(&*store, &id).await, 2, "driven twice");
}

#[tokio::test]
async fn a_lease_that_was_taken_long_before_its_driver_starts_is_renewed_first() {
    // The first are the lease, the task and its claim; the driver starts after the backup's name was reserved.
    const WRITES: i64 = 3;
    const RESERVING: Duration = Duration::from_secs(50);
    const DRIVING: Duration = Duration::from_secs(20);
    let world = World::new(&["n1"]);
    let (store, clock) = store_and_clock(&world).await;
    let slow = LapsingStore::new(store.clone(), clock.clone(), WRITES, RESERVING);
    let mut life = world.start_on(Arc::new(slow));
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    life.running(&id, "upload-n1").await;
    clock.advance(DRIVING);
    let key = format!("tasks/{id}");
    let refused = store.acquire(&key, "test", DEADLINE).await;
    assert!(
        matches!(refused, Err(StateError::LeaseHeld { .. })),
        "{refused:?}"
    );
    life.runner.kill().await;
}
