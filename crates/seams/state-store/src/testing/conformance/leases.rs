//! Leases: one holder at a time, and only while its time runs.

use std::sync::Arc;

use serde_json::json;

use super::{Harness, is_fenced, is_held, put};
use crate::{Expected, StateStore};

const WANTING: usize = 16;

pub(super) async fn one_holder(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let first = store.acquire("l", "one", ttl).await.expect("free");
    assert_eq!(first.lease, "l");
    for holder in ["one", "two"] {
        let refused = store.acquire("l", holder, ttl).await;
        assert!(is_held(&refused), "{refused:?}");
    }
    store
        .acquire("other", "two", ttl)
        .await
        .expect("another lease");
    harness.advance(ttl / 2).await;
    store.renew(&first, ttl).await.expect("renewed in time");
    harness.advance(ttl * 3 / 4).await;
    let refused = store.acquire("l", "two", ttl).await;
    assert!(is_held(&refused), "renewing made it last: {refused:?}");
    store
        .put("a", json!(1), Expected::Anything, Some(&first))
        .await
        .expect("it is still held");
}

pub(super) async fn run_out(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let first = store.acquire("l", "one", ttl).await.expect("free");
    harness.advance(ttl * 2).await;
    // Not taken by anyone, and lost all the same.
    let lost = store.renew(&first, ttl).await;
    assert!(is_fenced(&lost), "{lost:?}");
    let refused = store
        .put("a", json!(1), Expected::Anything, Some(&first))
        .await;
    assert!(is_fenced(&refused), "{refused:?}");
    let second = store.acquire("l", "one", ttl).await.expect("run out");
    assert!(second.token > first.token, "tokens grow");
    let lost = store.renew(&first, ttl).await;
    assert!(is_fenced(&lost), "{lost:?}");
    store.release(&first).await.expect("late");
    store
        .renew(&second, ttl)
        .await
        .expect("a late release takes nothing");
}

pub(super) async fn race(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let mut last = 0;
    for round in 0..3 {
        let wanting = (0..WANTING).map(|n| {
            let store = store.clone();
            async move { store.acquire("l", &n.to_string(), ttl).await }
        });
        let results = futures::future::join_all(wanting).await;
        let mut granted = Vec::new();
        for result in results {
            match result {
                Ok(fence) => granted.push(fence),
                Err(error) => assert!(is_held::<()>(&Err(error))),
            }
        }
        assert_eq!(granted.len(), 1, "round {round}");
        assert!(granted[0].token > last, "tokens grow");
        last = granted[0].token;
        harness.advance(ttl * 2).await;
    }
}

pub(super) async fn stale_token(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let first = store.acquire("l", "one", ttl).await.expect("free");
    let version = store
        .put("a", json!("one"), Expected::Absent, Some(&first))
        .await
        .expect("the holder writes");
    harness.advance(ttl * 2).await;
    let second = store.acquire("l", "two", ttl).await.expect("run out");
    let anything = Expected::Anything;
    let stale = store.put("a", json!("late"), anything, Some(&first)).await;
    assert!(is_fenced(&stale), "{stale:?}");
    let stale = store.delete("a", anything, Some(&first)).await;
    assert!(is_fenced(&stale), "{stale:?}");
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!((entry.value, entry.version), (json!("one"), version));
    let expected = Expected::Version(version);
    store
        .put("a", json!("two"), expected, Some(&second))
        .await
        .expect("the new holder writes");
    put(&*store, "a", json!("unfenced"), anything).await;
}

pub(super) async fn released(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let first = store.acquire("l", "one", ttl).await.expect("free");
    store.release(&first).await.expect("release");
    store.release(&first).await.expect("twice is fine");
    let stale = store
        .put("a", json!(1), Expected::Anything, Some(&first))
        .await;
    assert!(is_fenced(&stale), "{stale:?}");
    let stale = store.renew(&first, ttl).await;
    assert!(is_fenced(&stale), "{stale:?}");
    let second = store.acquire("l", "two", ttl).await.expect("free again");
    assert!(second.token > first.token, "tokens grow");
    store.release(&first).await.expect("late");
    let held = store.acquire("l", "three", ttl).await;
    assert!(is_held(&held), "a late release takes nothing: {held:?}");
}
