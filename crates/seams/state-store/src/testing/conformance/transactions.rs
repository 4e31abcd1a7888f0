//! Transactions: all operations or none, for readers and under concurrency.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use serde_json::json;

use super::{Harness, is_conflict, is_fenced, put, value};
use crate::{Direction, Entry, Expected, StateError, StateStore, Write};

const ACCOUNTS: usize = 3;
const BALANCE: i64 = 100;
const CLERKS: usize = 4;
const TRANSFERS: usize = 15;

pub(super) async fn whole(store: Arc<dyn StateStore>) {
    let old = put(&*store, "t/old", json!("old"), Expected::Absent).await;
    let changed = put(&*store, "t/changed", json!(1), Expected::Absent).await;
    let version = store
        .write(
            &[
                Write::put("t/new", json!("new"), Expected::Absent),
                Write::delete("t/old", Expected::Version(old)),
                Write::put("t/changed", json!(2), Expected::Version(changed)),
                Write::delete("t/never", Expected::Absent),
            ],
            None,
        )
        .await
        .expect("everything is as expected");
    assert!(version > changed, "versions grow");
    let left = store.list("t/").await.expect("list");
    let entry = |key: &str, value| Entry {
        key: key.to_owned(),
        value,
        version,
    };
    let wanted = [entry("t/changed", json!(2)), entry("t/new", json!("new"))];
    assert_eq!(left, wanted, "both have the version of the transaction");
}

pub(super) async fn refused(store: Arc<dyn StateStore>) {
    let version = put(&*store, "b", json!(1), Expected::Absent).await;
    put(&*store, "d", json!(1), Expected::Absent).await;
    let refused = store
        .write(
            &[
                Write::put("a", json!(2), Expected::Absent),
                Write::delete("b", Expected::Version(version)),
                Write::put("d", json!(2), Expected::Absent),
                Write::put("c", json!(2), Expected::Version(version)),
            ],
            None,
        )
        .await;
    assert!(
        is_conflict(&refused, "d"),
        "the first that does not match: {refused:?}"
    );
    let left = store.list("").await.expect("list");
    let keys: Vec<&str> = left.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["b", "d"]);
    assert!(left.iter().all(|entry| entry.value == json!(1)));
}

/// Clerks move money between accounts while an auditor counts it.
pub(super) async fn transfers(store: Arc<dyn StateStore>) {
    for account in 0..ACCOUNTS {
        put(&*store, &key(account), json!(BALANCE), Expected::Absent).await;
    }
    let working = AtomicUsize::new(CLERKS);
    let clerks = (0..CLERKS).map(|clerk| {
        let (store, working) = (store.clone(), &working);
        async move {
            for number in 0..TRANSFERS {
                let from = (clerk + number) % ACCOUNTS;
                transfer(&*store, from, (from + 1) % ACCOUNTS).await;
            }
            working.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let auditor = async {
        while working.load(Ordering::SeqCst) > 0 {
            assert_eq!(total(&*store).await, BALANCE * ACCOUNTS as i64);
            tokio::task::yield_now().await;
        }
    };
    futures::future::join(join_all(clerks), auditor).await;
    assert_eq!(total(&*store).await, BALANCE * ACCOUNTS as i64);
    let log = store.list("log/").await.expect("list");
    assert_eq!(log.len(), CLERKS * TRANSFERS, "each transfer happened once");
}

fn key(account: usize) -> String {
    format!("account/{account}")
}

/// Tries until no other clerk was faster.
async fn transfer(store: &dyn StateStore, from: usize, to: usize) {
    loop {
        let source = store.get(&key(from)).await.expect("get").expect("an entry");
        let target = store.get(&key(to)).await.expect("get").expect("an entry");
        let balance = |entry: &Entry| entry.value.as_i64().expect("a number");
        let log = format!("log/{}/{}", source.version, target.version);
        let written = store
            .write(
                &[
                    Write::put(log, json!(from), Expected::Absent),
                    Write::put(
                        key(from),
                        json!(balance(&source) - 1),
                        Expected::Version(source.version),
                    ),
                    Write::put(
                        key(to),
                        json!(balance(&target) + 1),
                        Expected::Version(target.version),
                    ),
                ],
                None,
            )
            .await;
        match written {
            Ok(_) => return,
            Err(StateError::Conflict { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// One page, because a page is of one moment.
async fn total(store: &dyn StateStore) -> i64 {
    let page = store
        .page("account/", None, ACCOUNTS, Direction::Ascending)
        .await
        .expect("a page");
    let balances = page.entries.iter().map(|entry| entry.value.as_i64());
    balances.map(|balance| balance.expect("a number")).sum()
}

pub(super) async fn fenced(store: Arc<dyn StateStore>, harness: &dyn Harness) {
    let ttl = harness.ttl();
    let lease = store.acquire("l", "one", ttl).await.expect("free");
    let writes = [
        Write::put("a", json!(1), Expected::Anything),
        Write::put("b", json!(1), Expected::Anything),
    ];
    store
        .write(&writes, Some(&lease))
        .await
        .expect("the holder writes");
    store.release(&lease).await.expect("release");
    let late = [
        Write::put("a", json!(2), Expected::Anything),
        Write::put("c", json!(2), Expected::Anything),
    ];
    let refused = store.write(&late, Some(&lease)).await;
    assert!(is_fenced(&refused), "{refused:?}");
    assert_eq!(value(&*store, "a").await, Some(json!(1)));
    assert_eq!(value(&*store, "c").await, None);
    // A lease is no entry, although their keys look alike.
    let held = store.acquire("a", "one", ttl).await.expect("free");
    store
        .write(&late, Some(&held))
        .await
        .expect("the holder writes");
}
