//! Pages and lists: of one prefix, sorted by the bytes of the keys, without gaps or repetitions.

use std::sync::Arc;

use serde_json::json;

use super::put;
use crate::{Direction, Expected, PAGE_ENTRIES_MAX, StateStore, TRANSACTION_OPERATIONS_MAX, Write};

/// More than a list reads at a time.
const ENTRIES: usize = 250;

pub(super) async fn list(store: Arc<dyn StateStore>) {
    for key in ["tasks/2", "tasks/10", "task", "tasksx", "tasks/1", "z"] {
        put(&*store, key, json!(key), Expected::Absent).await;
    }
    let entries = store.list("tasks/").await.expect("list");
    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["tasks/1", "tasks/10", "tasks/2"]);
    assert!(entries.iter().all(|entry| entry.value == json!(entry.key)));
    assert_eq!(store.list("").await.expect("list").len(), 6);
    assert!(store.list("tasks/3").await.expect("list").is_empty());
}

/// Writes `p/000` and on, between neighbours of other prefixes. Returns their keys.
async fn many(store: &dyn StateStore) -> Vec<String> {
    for key in ["o", "p", "p.", "p0", "q"] {
        put(store, key, json!(null), Expected::Absent).await;
    }
    let keys: Vec<String> = (0..ENTRIES).map(|n| format!("p/{n:03}")).collect();
    for some in keys.chunks(TRANSACTION_OPERATIONS_MAX) {
        let puts = some
            .iter()
            .map(|key| Write::put(key, json!(key), Expected::Absent));
        let puts: Vec<Write> = puts.collect();
        store.write(&puts, None).await.expect("write");
    }
    keys
}

pub(super) async fn both_directions(store: Arc<dyn StateStore>) {
    let ascending = many(&*store).await;
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();
    for (direction, wanted) in [
        (Direction::Ascending, &ascending),
        (Direction::Descending, &descending),
    ] {
        for limit in [7, 50, ENTRIES - 1, ENTRIES, PAGE_ENTRIES_MAX] {
            let mut found: Vec<String> = Vec::new();
            loop {
                let after = found.last().cloned();
                let page = store
                    .page("p/", after.as_deref(), limit, direction)
                    .await
                    .expect("a page");
                assert!(page.entries.len() <= limit);
                assert!(!page.more || page.entries.len() == limit);
                found.extend(page.entries.into_iter().map(|entry| entry.key));
                assert_eq!(page.more, found.len() < ENTRIES, "{limit} {direction:?}");
                if !page.more {
                    break;
                }
            }
            assert_eq!(&found, wanted, "{limit} {direction:?}");
        }
    }
    let listed = store.list("p/").await.expect("list");
    let listed: Vec<String> = listed.into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, ascending);
}

pub(super) async fn after_any_key(store: Arc<dyn StateStore>) {
    many(&*store).await;
    use Direction::{Ascending, Descending};
    for (after, direction, wanted) in [
        (None, Ascending, Some("p/000")),
        (Some("a"), Ascending, Some("p/000")),
        (Some("p/"), Ascending, Some("p/000")),
        (Some("p/0075"), Ascending, Some("p/008")),
        (Some("p/249"), Ascending, None),
        (Some("z"), Ascending, None),
        (None, Descending, Some("p/249")),
        (Some("z"), Descending, Some("p/249")),
        (Some("p/0075"), Descending, Some("p/007")),
        (Some("p/000"), Descending, None),
        (Some("p/"), Descending, None),
        (Some("a"), Descending, None),
    ] {
        let page = store.page("p/", after, 1, direction).await.expect("a page");
        let found = page.entries.first().map(|entry| entry.key.as_str());
        assert_eq!(found, wanted, "{direction:?} after {after:?}");
    }
}
