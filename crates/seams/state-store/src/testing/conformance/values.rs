//! Single values: written, read, compared and swapped.

use std::sync::Arc;

use serde_json::json;

use super::{is_conflict, put};
use crate::{Expected, StateStore};

const WRITERS: usize = 16;

pub(super) async fn written_and_read(store: Arc<dyn StateStore>) {
    assert_eq!(store.get("a").await.expect("get"), None);
    let value = json!({"text": "ü\n", "numbers": [1, -2, 3.5], "none": null});
    let version = put(&*store, "a", value.clone(), Expected::Anything).await;
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

pub(super) async fn expectations(store: Arc<dyn StateStore>) {
    let first = put(&*store, "a", json!(1), Expected::Absent).await;
    let again = store.put("a", json!(2), Expected::Absent, None).await;
    assert!(is_conflict(&again, "a"), "{again:?}");
    let second = put(&*store, "a", json!(3), Expected::Version(first)).await;
    assert!(second > first, "versions grow");
    let stale = Expected::Version(first);
    let refused = store.put("a", json!(4), stale, None).await;
    assert!(is_conflict(&refused, "a"), "{refused:?}");
    let refused = store.delete("a", stale, None).await;
    assert!(is_conflict(&refused, "a"), "{refused:?}");
    let refused = store.delete("a", Expected::Absent, None).await;
    assert!(is_conflict(&refused, "a"), "{refused:?}");
    let refused = store.put("b", json!(1), stale, None).await;
    assert!(is_conflict(&refused, "b"), "{refused:?}");
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!((entry.value, entry.version), (json!(3), second));
    for expected in [Expected::Anything, Expected::Absent] {
        let deleted = store.delete("nothing", expected, None).await;
        deleted.expect("deleting what is not there is no error");
    }
}

pub(super) async fn race(store: Arc<dyn StateStore>) {
    let version = put(&*store, "a", json!("start"), Expected::Absent).await;
    let writers = (0..WRITERS).map(|n| {
        let store = store.clone();
        async move {
            let expected = Expected::Version(version);
            store.put("a", json!(n), expected, None).await.is_ok()
        }
    });
    let won = futures::future::join_all(writers).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
}

pub(super) async fn created_again(store: Arc<dyn StateStore>) {
    let first = put(&*store, "a", json!(1), Expected::Absent).await;
    store
        .delete("a", Expected::Anything, None)
        .await
        .expect("delete");
    let second = put(&*store, "a", json!(1), Expected::Absent).await;
    assert!(second > first, "{second} after {first}");
    let stale = Expected::Version(first);
    let refused = store.put("a", json!(2), stale, None).await;
    assert!(is_conflict(&refused, "a"), "{refused:?}");
}
