//! Watches: what is written after one began is reported, or that it was missed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::json;

use super::put;
use crate::{Change, Expected, StateStore, Write};

/// How long a change may take to reach a watcher.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often a watch begins while another client writes.
const WATCHES: usize = 50;
/// More changes than a backend keeps for a watcher that reads nothing.
const FLOOD_TRANSACTIONS: usize = 30;
const FLOOD_OPERATIONS: usize = 100;

async fn next(watch: &mut BoxStream<'static, Change>) -> Change {
    let change = tokio::time::timeout(DEADLINE, watch.next()).await;
    change
        .expect("a change in time")
        .expect("the watch goes on")
}

fn shown(change: Change) -> String {
    match change {
        Change::Put(entry) => format!("{}={}", entry.key, entry.value),
        Change::Deleted { key } => format!("{key} deleted"),
        Change::Missed => "missed".to_owned(),
    }
}

pub(super) async fn in_order(store: Arc<dyn StateStore>) {
    put(&*store, "a/before", json!(0), Expected::Absent).await;
    let mut watch = store.watch("a/").await.expect("a watch");
    put(&*store, "b/other", json!(0), Expected::Absent).await;
    let first = put(&*store, "a/1", json!(1), Expected::Absent).await;
    let second = put(&*store, "a/1", json!(2), Expected::Version(first)).await;
    store
        .delete("a/1", Expected::Version(second), None)
        .await
        .expect("delete");
    let refused = store.put("a/1", json!(3), Expected::Version(first), None);
    refused.await.expect_err("no such version");
    store
        .write(
            &[
                Write::put("a/9", json!(1), Expected::Absent),
                Write::put("b/9", json!(1), Expected::Absent),
                Write::delete("a/never", Expected::Anything),
                Write::delete("a/before", Expected::Anything),
                Write::put("a/2", json!(1), Expected::Absent),
            ],
            None,
        )
        .await
        .expect("a transaction");
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "a/2=1") {
        let change = shown(next(&mut watch).await);
        // What happened just before the watch began may be reported.
        if change != "a/before=0" {
            seen.push(change);
        }
    }
    assert_eq!(
        seen,
        [
            "a/1=1",
            "a/1=2",
            "a/1 deleted",
            "a/9=1",
            "a/before deleted",
            "a/2=1"
        ]
    );
}

/// Watches begin while another client writes, each followed by a reading: together they know everything.
pub(super) async fn nothing_is_missed(store: Arc<dyn StateStore>) {
    let writer = async {
        for n in 0..WATCHES * 4 {
            put(&*store, &format!("a/{n:04}"), json!(n), Expected::Absent).await;
            tokio::task::yield_now().await;
        }
        put(&*store, "a/end", json!(null), Expected::Absent).await;
    };
    let watcher = async {
        let mut watches = Vec::new();
        for _ in 0..WATCHES {
            let watch = store.watch("a/").await.expect("a watch");
            let known = store.list("a/").await.expect("list");
            watches.push((watch, known));
            tokio::task::yield_now().await;
        }
        watches
    };
    let ((), watches) = futures::future::join(writer, watcher).await;
    for (mut watch, known) in watches {
        let mut keys: BTreeSet<String> = known.into_iter().map(|entry| entry.key).collect();
        let mut missed = false;
        while !missed && !keys.contains("a/end") {
            match next(&mut watch).await {
                Change::Put(entry) => drop(keys.insert(entry.key)),
                Change::Missed => missed = true,
                Change::Deleted { key } => panic!("{key} was never deleted"),
            }
        }
        assert!(missed || keys.len() == WATCHES * 4 + 1, "{}", keys.len());
    }
}

pub(super) async fn slow(store: Arc<dyn StateStore>) {
    let mut watch = store.watch("a/").await.expect("a watch");
    for transaction in 0..FLOOD_TRANSACTIONS {
        let puts = (0..FLOOD_OPERATIONS).map(|n| {
            let key = format!("a/{transaction:03}/{n:03}");
            Write::put(key, json!(null), Expected::Absent)
        });
        let puts: Vec<Write> = puts.collect();
        store.write(&puts, None).await.expect("write");
    }
    put(&*store, "a/end", json!(null), Expected::Absent).await;
    let mut seen = 0;
    let mut missed = false;
    loop {
        match next(&mut watch).await {
            Change::Put(entry) if entry.key == "a/end" => break,
            Change::Put(_) => seen += 1,
            Change::Missed => missed = true,
            Change::Deleted { key } => panic!("{key} was never deleted"),
        }
    }
    let all = FLOOD_TRANSACTIONS * FLOOD_OPERATIONS;
    assert!(missed || seen == all, "{seen} of {all} without a word");
}
