//! Changes of limits through runners that do not drive the task: each is made once, and none replaces another request.

use std::sync::Arc;

use api::pb::task_runner::TaskState;
use jiff::Timestamp;
use serde_json::json;
use state_store::{Expected, StateStore};
use tokio::time::{Duration, Instant, sleep};

use crate::faulty_store::{Cut, FaultyStore};
use crate::sharing::{driven_elsewhere, shared};
use crate::task_limits::{MIB, set_at};
use crate::world::{DEADLINE, World};

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_same_limits_asked_again_of_another_runner_are_set_again() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let (_one, mut two, id) = driven_elsewhere(&world, &store).await;
    two.set_limits(&id, Some(MIB), None).await.expect("set");
    let before = world.fleet.count("limits n2");
    two.set_limits(&id, Some(MIB), None).await.expect("again");
    assert_eq!(world.fleet.count("limits n2"), before + 1);
}

#[tokio::test]
async fn a_request_that_is_left_is_not_made_over_a_newer_change() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let (mut one, mut two, id) = driven_elsewhere(&world, &store).await;
    one.set_limits(&id, Some(2 * MIB), None).await.expect("set");
    let left = json!({"requests": [{
        "id": "01990000-0000-4000-8000-000000000001",
        "change": {"bandwidth_bytes_per_second": MIB},
        "revision": 0,
        "asked_at": Timestamp::now().to_string(),
    }]});
    let key = format!("requests/{id}/limits");
    let put = store.put(&key, left, Expected::Anything, None).await;
    put.expect("put");
    until("it was looked at", async || {
        store.get(&key).await.expect("read").is_none()
    })
    .await;
    let task = two.set_limits(&id, None, Some(2)).await.expect("set");
    let limits = task.limits.expect("limits");
    assert_eq!(limits.bandwidth_bytes_per_second, 2 * MIB);
    assert_eq!(set_at(&world, "n2", &id), Some((2 * MIB, 2)));
    let left = store.list("requests/").await.expect("a list");
    assert_eq!(left, []);
}

#[tokio::test]
async fn changes_through_several_runners_at_once_are_all_made() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let (_one, mut two, id) = driven_elsewhere(&world, &store).await;
    let mut three = world.start_on(store.clone());
    let mut four = world.start_on(store);
    let (bandwidth, files, other) = futures::join!(
        two.set_limits(&id, Some(MIB), None),
        three.set_limits(&id, None, Some(2)),
        four.set_limits(&id, None, Some(3)),
    );
    bandwidth.expect("bandwidth");
    files.expect("files");
    other.expect("other files");
    let set = set_at(&world, "n2", &id).expect("limits");
    assert!([(MIB, 2), (MIB, 3)].contains(&set), "{set:?}");
}

#[tokio::test]
async fn a_change_of_limits_leaves_a_cancellation_that_waits() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let (mut one, mut two, id) =
        driven_elsewhere(&world, &(faulty.clone() as Arc<dyn StateStore>)).await;
    faulty.set(Cut::SlowWatches);
    let cancel = json!({"ask": "cancel", "asked_at": Timestamp::now().to_string()});
    let key = format!("requests/{id}");
    let put = store.put(&key, cancel, Expected::Anything, None).await;
    put.expect("put");
    let heal = async {
        until("limits are asked for", async || {
            store.list("requests/").await.expect("a list").len() > 1
        })
        .await;
        faulty.set(Cut::Healed);
    };
    // Refused if the task is cancelled first.
    let (_, ()) = futures::join!(two.set_limits(&id, Some(MIB), None), heal);
    assert_eq!(one.ended(&id).await.state(), TaskState::Cancelled);
}
