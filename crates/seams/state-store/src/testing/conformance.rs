//! What every backend must do, as checks that panic where it does not. Not for production.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use serde_json::json;

use crate::{Change, Expected, StateError, StateStore};

const TTL: Duration = Duration::from_secs(30);
/// How long a change may take to reach a watcher.
const WATCH_DEADLINE: Duration = Duration::from_secs(5);

/// A backend under test, with its clock in the suite's hand.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A store over a state of its own, empty.
    async fn fresh(&self) -> Arc<dyn StateStore>;
    /// Lets time pass for all leases.
    fn advance(&self, by: Duration);
}

/// Runs every check, each on a fresh store.
pub async fn all(harness: &dyn Harness) {
    a_value_is_read_as_it_was_written(&*harness.fresh().await).await;
    a_write_meets_what_it_expects_or_is_refused(&*harness.fresh().await).await;
    of_many_writers_on_one_version_one_wins(harness.fresh().await).await;
    a_key_made_again_has_another_version(&*harness.fresh().await).await;
    a_list_has_the_prefix_and_is_sorted(&*harness.fresh().await).await;
    a_watch_sees_its_prefix_in_order(&*harness.fresh().await).await;
    a_lease_has_one_holder_until_its_time_is_out(&*harness.fresh().await, harness).await;
    of_many_who_want_a_lease_one_gets_it(harness.fresh().await).await;
    a_stale_token_writes_nothing(&*harness.fresh().await, harness).await;
    a_released_lease_is_free_and_its_token_stale(&*harness.fresh().await).await;
    keys_and_values_have_limits(&*harness.fresh().await).await;
}

fn is_conflict<T>(result: &Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::Conflict { .. }))
}

fn is_fenced<T>(result: &Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::Fenced { .. }))
}

fn is_held<T>(result: &Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::LeaseHeld { .. }))
}

async fn a_value_is_read_as_it_was_written(store: &dyn StateStore) {
    assert_eq!(store.get("a").await.expect("get"), None);
    let value = json!({"text": "ü\n", "numbers": [1, -2, 3.5], "none": null});
    let version = put(store, "a", value.clone(), Expected::Anything).await;
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!(
        (entry.key.as_str(), entry.value, entry.version),
        ("a", value, version)
    );
    store
        .delete("a", Expected::Version(version), None)
        .await
        .expect("delete");
    assert_eq!(store.get("a").await.expect("get"), None);
}

async fn put(
    store: &dyn StateStore,
    key: &str,
    value: serde_json::Value,
    expected: Expected,
) -> u64 {
    store.put(key, value, expected, None).await.expect("put")
}

async fn a_write_meets_what_it_expects_or_is_refused(store: &dyn StateStore) {
    let first = put(store, "a", json!(1), Expected::Absent).await;
    let again = store.put("a", json!(2), Expected::Absent, None).await;
    assert!(is_conflict(&again), "{again:?}");
    let second = put(store, "a", json!(3), Expected::Version(first)).await;
    assert!(second > first, "versions grow");
    let stale = store
        .put("a", json!(4), Expected::Version(first), None)
        .await;
    assert!(is_conflict(&stale), "{stale:?}");
    let stale = store.delete("a", Expected::Version(first), None).await;
    assert!(is_conflict(&stale), "{stale:?}");
    let absent = store
        .put("b", json!(1), Expected::Version(first), None)
        .await;
    assert!(is_conflict(&absent), "{absent:?}");
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!((entry.value, entry.version), (json!(3), second));
    store
        .delete("nothing", Expected::Anything, None)
        .await
        .expect("deleting nothing is fine");
}

async fn of_many_writers_on_one_version_one_wins(store: Arc<dyn StateStore>) {
    let version = put(&*store, "a", json!("start"), Expected::Absent).await;
    let writers = (0..16).map(|n| {
        let store = store.clone();
        async move {
            store
                .put("a", json!(n), Expected::Version(version), None)
                .await
                .is_ok()
        }
    });
    let won = futures::future::join_all(writers).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
}

async fn a_key_made_again_has_another_version(store: &dyn StateStore) {
    let first = put(store, "a", json!(1), Expected::Absent).await;
    store
        .delete("a", Expected::Anything, None)
        .await
        .expect("delete");
    let second = put(store, "a", json!(1), Expected::Absent).await;
    assert!(second > first, "{second} after {first}");
}

async fn a_list_has_the_prefix_and_is_sorted(store: &dyn StateStore) {
    for key in ["tasks/2", "tasks/10", "task", "tasksx", "tasks/1", "z"] {
        put(store, key, json!(key), Expected::Absent).await;
    }
    let entries = store.list("tasks/").await.expect("list");
    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["tasks/1", "tasks/10", "tasks/2"]);
    assert!(entries.iter().all(|entry| entry.value == json!(entry.key)));
    assert_eq!(store.list("").await.expect("list").len(), 6);
}

async fn a_watch_sees_its_prefix_in_order(store: &dyn StateStore) {
    put(store, "a/before", json!(0), Expected::Absent).await;
    let mut watch = store.watch("a/");
    put(store, "b/other", json!(0), Expected::Absent).await;
    let first = put(store, "a/1", json!(1), Expected::Absent).await;
    let second = put(store, "a/1", json!(2), Expected::Version(first)).await;
    store
        .delete("a/1", Expected::Version(second), None)
        .await
        .expect("delete");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let change = tokio::time::timeout(WATCH_DEADLINE, watch.next())
            .await
            .expect("a change in time");
        seen.push(match change.expect("the watch goes on") {
            Change::Put(entry) => format!("{}={}", entry.key, entry.value),
            Change::Deleted { key } => format!("{key} deleted"),
            Change::Missed => "missed".to_owned(),
        });
    }
    assert_eq!(seen, ["a/1=1", "a/1=2", "a/1 deleted"]);
}

async fn a_lease_has_one_holder_until_its_time_is_out(
    store: &dyn StateStore,
    harness: &dyn Harness,
) {
    let first = store.acquire("l", "one", TTL).await.expect("free");
    for holder in ["one", "two"] {
        let refused = store.acquire("l", holder, TTL).await;
        assert!(is_held(&refused), "{refused:?}");
    }
    store
        .acquire("other", "two", TTL)
        .await
        .expect("another lease");
    harness.advance(TTL / 2);
    store.renew(&first, TTL).await.expect("renewed in time");
    harness.advance(TTL * 3 / 4);
    let refused = store.acquire("l", "two", TTL).await;
    assert!(is_held(&refused), "renewing made it last: {refused:?}");
    harness.advance(TTL);
    store
        .renew(&first, TTL)
        .await
        .expect("late, but nobody took it");
    harness.advance(TTL * 2);
    let second = store.acquire("l", "two", TTL).await.expect("run out");
    assert!(second.token > first.token, "tokens grow");
    let lost = store.renew(&first, TTL).await;
    assert!(is_fenced(&lost), "{lost:?}");
}

async fn of_many_who_want_a_lease_one_gets_it(store: Arc<dyn StateStore>) {
    let wanting = (0..16).map(|n| {
        let store = store.clone();
        async move { store.acquire("l", &n.to_string(), TTL).await.is_ok() }
    });
    let won = futures::future::join_all(wanting).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
}

async fn a_stale_token_writes_nothing(store: &dyn StateStore, harness: &dyn Harness) {
    let first = store.acquire("l", "one", TTL).await.expect("free");
    store
        .put("a", json!("one"), Expected::Absent, Some(&first))
        .await
        .expect("the holder writes");
    harness.advance(TTL * 2);
    let second = store.acquire("l", "two", TTL).await.expect("run out");
    let stale = store
        .put("a", json!("late"), Expected::Anything, Some(&first))
        .await;
    assert!(is_fenced(&stale), "{stale:?}");
    let stale = store.delete("a", Expected::Anything, Some(&first)).await;
    assert!(is_fenced(&stale), "{stale:?}");
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!(entry.value, json!("one"));
    store
        .put(
            "a",
            json!("two"),
            Expected::Version(entry.version),
            Some(&second),
        )
        .await
        .expect("the new holder writes");
}

async fn a_released_lease_is_free_and_its_token_stale(store: &dyn StateStore) {
    let first = store.acquire("l", "one", TTL).await.expect("free");
    store.release(&first).await.expect("release");
    store.release(&first).await.expect("twice is fine");
    let stale = store
        .put("a", json!(1), Expected::Anything, Some(&first))
        .await;
    assert!(is_fenced(&stale), "{stale:?}");
    let stale = store.renew(&first, TTL).await;
    assert!(is_fenced(&stale), "{stale:?}");
    let second = store.acquire("l", "two", TTL).await.expect("free again");
    assert!(second.token > first.token, "tokens grow");
    store.release(&first).await.expect("late");
    let held = store.acquire("l", "three", TTL).await;
    assert!(is_held(&held), "a late release takes nothing: {held:?}");
}

async fn keys_and_values_have_limits(store: &dyn StateStore) {
    for key in [String::new(), "k".repeat(crate::KEY_BYTES_MAX + 1)] {
        let refused = store.put(&key, json!(1), Expected::Anything, None).await;
        assert!(
            matches!(refused, Err(StateError::BadKey { .. })),
            "{refused:?}"
        );
    }
    let large = json!("x".repeat(crate::VALUE_BYTES_MAX));
    let refused = store.put("a", large, Expected::Anything, None).await;
    assert!(
        matches!(refused, Err(StateError::ValueTooLarge { .. })),
        "{refused:?}"
    );
}
