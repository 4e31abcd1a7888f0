//! Random operations of several clients, on a backend and on a model of a few maps: both must agree on every
//! result and every content.

mod model;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lab::Etcd;
use proptest::collection::vec;
use proptest::prelude::*;
use state_store::testing::ManualClock;
use state_store::{Direction, EtcdConfig, EtcdStore, Fence, RedbStore, StateStore};

use model::{Model, Outcome};
use steps::{Operation, Step, step};

const CASES: u32 = 64;
const STEPS_MAX: usize = 60;
const CLIENTS: usize = 3;
const KEYS: [&str; 5] = ["a", "a/1", "a/2", "a/\u{10FFFF}", "b"];
const LEASES: [&str; 2] = ["a/1", "l"];
const TTL: Duration = Duration::from_secs(30);

/// A store and a model side by side, and the leases as the clients know them.
struct Pair {
    store: Arc<dyn StateStore>,
    clock: ManualClock,
    model: Model,
    known: Vec<HashMap<usize, Fence>>,
}

impl Pair {
    async fn check(&mut self, client: usize, step: &Step) {
        match step {
            Step::Write { operations, fence } => {
                let fence = fence.map(|lease| self.known(client, lease));
                self.check_write(operations, fence.as_ref()).await;
            }
            Step::Get { key } => {
                let found = self.store.get(KEYS[*key]).await.expect("get");
                let found = found.map(|entry| (entry.value, entry.version));
                assert_eq!(found, self.model.entries.get(KEYS[*key]).cloned());
            }
            Step::Page {
                prefix,
                after,
                limit,
                descending,
            } => {
                let after = after.map(|key| KEYS[key]);
                self.check_page(KEYS[*prefix], after, *limit, *descending)
                    .await;
            }
            Step::Acquire { lease } => self.check_acquire(client, *lease).await,
            Step::Renew { lease } => {
                let fence = self.known(client, *lease);
                let renewed = match self.store.renew(&fence, TTL).await {
                    Ok(()) => Outcome::Done,
                    Err(error) => Outcome::of(error),
                };
                if self.model.is_held(&fence) {
                    assert_eq!(renewed, Outcome::Done);
                    let end = self.model.now + TTL.as_secs();
                    self.model.leases.insert(fence.lease, (fence.token, end));
                } else {
                    assert_eq!(renewed, Outcome::Fenced);
                }
            }
            Step::Release { lease } => {
                let fence = self.known(client, *lease);
                self.store.release(&fence).await.expect("release");
                if let Some((token, end)) = self.model.leases.get_mut(&fence.lease)
                    && *token == fence.token
                {
                    *end = 0;
                }
            }
            Step::Pass { seconds } => {
                self.clock.advance(Duration::from_secs(*seconds));
                self.model.now += seconds;
            }
        }
    }

    /// A lease that the client never had is one with a token that was never granted.
    fn known(&self, client: usize, lease: usize) -> Fence {
        let known = self.known[client].get(&lease).cloned();
        known.unwrap_or_else(|| Fence {
            lease: LEASES[lease].to_owned(),
            token: 0,
        })
    }

    async fn check_write(&mut self, operations: &[Operation], fence: Option<&Fence>) {
        let writes = self.model.writes(operations);
        let refusal = self.model.refusal(&writes, fence);
        match (self.store.write(&writes, fence).await, refusal) {
            (Ok(version), None) => self.model.apply(writes, version),
            (Err(error), Some(refusal)) => assert_eq!(Outcome::of(error), refusal),
            (written, refusal) => panic!("{written:?}, but {refusal:?}: {writes:?}"),
        }
    }

    async fn check_page(&self, prefix: &str, after: Option<&str>, limit: usize, descending: bool) {
        let direction = if descending {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        let page = self.store.page(prefix, after, limit, direction);
        let page = page.await.expect("a page");
        let entries = page.entries.into_iter();
        let entries = entries.map(|entry| (entry.key, entry.value, entry.version));
        let found = Outcome::Entries(entries.collect(), page.more);
        assert_eq!(found, self.model.page(prefix, after, limit, descending));
    }

    async fn check_acquire(&mut self, client: usize, lease: usize) {
        let key = LEASES[lease];
        let (last, end) = self.model.leases.get(key).copied().unwrap_or_default();
        let holder = format!("client {client}");
        match self.store.acquire(key, &holder, TTL).await {
            Ok(fence) => {
                assert!(end <= self.model.now, "it is held");
                assert!(fence.token > last, "tokens grow");
                let end = self.model.now + TTL.as_secs();
                self.model.leases.insert(key.to_owned(), (fence.token, end));
                self.known[client].insert(lease, fence);
            }
            Err(error) => {
                assert_eq!(Outcome::of(error), Outcome::Held);
                assert!(end > self.model.now, "it is free");
            }
        }
    }
}

const ETCD_CASES: u32 = 24;
/// In etcd time passes by itself, and these leases never run out meanwhile.
const ETCD_STEPS_MAX: usize = 40;

/// Not within `proptest!`, so that all cases share one etcd.
#[test]
fn etcd_and_the_model_agree() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let etcd = runtime
        .block_on(Etcd::start(folder.path().join("etcd")))
        .expect("etcd starts");
    let cases = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(ETCD_CASES)
    });
    let steps = vec((0..CLIENTS, step()), 1..ETCD_STEPS_MAX);
    let agreed = runner.run(&steps, |steps| {
        cases.set(cases.get() + 1);
        let config = EtcdConfig {
            endpoints: vec![etcd.endpoint()],
            prefix: format!("case/{}", cases.get()),
            request_timeout_seconds: 20,
            ..EtcdConfig::default()
        };
        runtime.block_on(async {
            let store = Arc::new(EtcdStore::open(&config).await.expect("open"));
            let mut pair = Pair {
                store,
                clock: ManualClock::default(),
                model: Model::default(),
                known: vec![HashMap::new(); CLIENTS],
            };
            for (client, step) in steps {
                if !matches!(step, Step::Pass { .. }) {
                    pair.check(client, &step).await;
                }
            }
            pair.check_page("", None, state_store::PAGE_ENTRIES_MAX, false)
                .await;
        });
        Ok(())
    });
    agreed.expect("they agree");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_store_and_the_model_agree(
        steps in vec((0..CLIENTS, step()), 1..STEPS_MAX)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let clock = ManualClock::default();
            let store = RedbStore::in_memory(clock.clock()).await.expect("open");
            let store = Arc::new(store);
            let mut pair = Pair { store, clock, model: Model::default(), known: vec![HashMap::new(); CLIENTS] };
            for (client, step) in &steps {
                pair.check(*client, step).await;
            }
            pair.check_page("", None, state_store::PAGE_ENTRIES_MAX, false).await;
        });
    }
}
