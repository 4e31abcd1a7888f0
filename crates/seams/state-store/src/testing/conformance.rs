//! What every backend must do, as tests that any store can be put through.
//!
//! A case panics if the store breaks a promise of the port. [`run`] runs them in turn, each on an empty store, and prints
//! which one it is.

mod leases;
mod limits;
mod pages;
mod transactions;
mod values;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::{Expected, StateError, StateStore};

/// A backend under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// An empty store.
    async fn fresh(&self) -> Arc<dyn StateStore>;

    /// How long the suite's leases last. A backend that keeps real time makes it short, but longer than any call takes
    /// on a busy machine.
    fn ttl(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Returns once that much time has passed for all leases, and hardly more: moves the clock, or waits.
    async fn advance(&self, by: Duration);
}

type Case = for<'a> fn(Arc<dyn StateStore>, &'a dyn Harness) -> BoxFuture<'a, ()>;

/// Every case by name.
pub const CASES: &[(&str, Case)] = &[
    ("a_value_is_read_as_it_was_written", |s, _| {
        Box::pin(values::written_and_read(s))
    }),
    ("a_write_finds_what_it_expects_or_is_refused", |s, _| {
        Box::pin(values::expectations(s))
    }),
    ("of_many_writers_on_one_version_one_wins", |s, _| {
        Box::pin(values::race(s))
    }),
    ("a_key_created_again_has_another_version", |s, _| {
        Box::pin(values::created_again(s))
    }),
    ("a_transaction_happens_as_a_whole", |s, _| {
        Box::pin(transactions::whole(s))
    }),
    ("a_refused_transaction_changes_nothing", |s, _| {
        Box::pin(transactions::refused(s))
    }),
    ("no_reader_sees_a_part_of_a_transaction", |s, _| {
        Box::pin(transactions::transfers(s))
    }),
    ("the_fence_is_part_of_the_transaction", |s, h| {
        Box::pin(transactions::fenced(s, h))
    }),
    ("keys_values_and_transactions_have_limits", |s, _| {
        Box::pin(limits::refused(s))
    }),
    ("what_is_within_the_limits_is_written", |s, _| {
        Box::pin(limits::accepted(s))
    }),
    ("a_list_has_the_prefix_and_is_sorted", |s, _| {
        Box::pin(pages::list(s))
    }),
    ("pages_cover_a_prefix_in_both_directions", |s, _| {
        Box::pin(pages::both_directions(s))
    }),
    ("a_page_starts_after_a_key_that_need_not_exist", |s, _| {
        Box::pin(pages::after_any_key(s))
    }),
    ("a_watch_reports_its_prefix_in_order", |s, _| {
        Box::pin(watches::in_order(s))
    }),
    ("nothing_written_after_a_watch_began_is_missed", |s, _| {
        Box::pin(watches::nothing_is_missed(s))
    }),
    ("a_slow_watcher_learns_that_it_missed_something", |s, _| {
        Box::pin(watches::slow(s))
    }),
    ("a_lease_has_one_holder_until_it_runs_out", |s, h| {
        Box::pin(leases::one_holder(s, h))
    }),
    ("a_lease_that_has_run_out_cannot_be_renewed", |s, h| {
        Box::pin(leases::run_out(s, h))
    }),
    ("of_many_who_want_a_lease_one_gets_it", |s, h| {
        Box::pin(leases::race(s, h))
    }),
    ("a_stale_token_writes_nothing", |s, h| {
        Box::pin(leases::stale_token(s, h))
    }),
    ("a_released_lease_is_free_and_its_token_stale", |s, h| {
        Box::pin(leases::released(s, h))
    }),
];

/// Runs every case, each on an empty store.
pub async fn run(harness: &dyn Harness) {
    for (name, case) in CASES {
        println!("conformance: {name}");
        case(harness.fresh().await, harness).await;
    }
}

fn is_conflict<T>(result: &Result<T, StateError>, expected: &str) -> bool {
    matches!(result, Err(StateError::Conflict { key }) if key == expected)
}

fn is_fenced<T>(result: &Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::Fenced { .. }))
}

fn is_held<T>(result: &Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::LeaseHeld { .. }))
}

async fn put(store: &dyn StateStore, key: &str, value: Value, expected: Expected) -> u64 {
    store.put(key, value, expected, None).await.expect("put")
}

async fn value(store: &dyn StateStore, key: &str) -> Option<Value> {
    let entry = store.get(key).await.expect("get");
    entry.map(|entry| entry.value)
}
