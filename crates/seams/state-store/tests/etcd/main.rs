//! The etcd backend on a real etcd: the conformance suite, TLS and login, and what happens when etcd or the connection is gone.

mod faults;
mod server;
mod tls;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use serde_json::json;
use state_store::testing::conformance::{CASES, Harness};
use state_store::{EtcdStore, Expected, StateError, StateStore};

use server::Server;

/// Longer than four times what a call takes on a busy machine, and a whole number of seconds.
const TTL: Duration = Duration::from_secs(8);

#[async_trait]
impl Harness for Server {
    async fn fresh(&self) -> Arc<dyn StateStore> {
        Arc::new(self.fresh_store().await)
    }

    fn ttl(&self) -> Duration {
        TTL
    }

    /// etcd's clock cannot be moved, so time is waited for.
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let server = Server::start().await;
    let cases = CASES.iter().map(async |(name, case)| {
        case(server.fresh().await, &server).await;
        println!("conformance: {name}");
    });
    join_all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_a_state_and_other_prefixes_do_not() {
    let server = Server::start().await;
    let config = server.config();
    let one = EtcdStore::open(&config).await.expect("open");
    let two = EtcdStore::open(&config).await.expect("open");
    let version = one.put("a", json!(1), Expected::Absent, None).await;
    let version = version.expect("put");
    let found = two.get("a").await.expect("get").expect("an entry");
    assert_eq!((found.value, found.version), (json!(1), version));
    let fence = one.acquire("l", "one", TTL).await.expect("free");
    let held = two.acquire("l", "two", TTL).await.expect_err("held");
    assert!(
        matches!(&held, StateError::LeaseHeld { holder, .. } if holder == "one"),
        "{held:?}"
    );
    two.put("b", json!(1), Expected::Absent, Some(&fence))
        .await
        .expect("the holder of the fence writes under it");
    let other = server.fresh_store().await;
    assert!(other.list("").await.expect("list").is_empty());
    other.acquire("l", "three", TTL).await.expect("free there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ringkeeps_is_refused_by_name() {
    let server = Server::start().await;
    let config = server.config();
    let store = EtcdStore::open(&config).await.expect("open");
    let prefix = &config.prefix;
    for (key, value) in [
        ("entries/a", "no JSON"),
        ("leases/l", r#"{"holder":"someone","ttl_seconds":5}"#),
    ] {
        let put = server
            .etcd
            .ctl(&["put", "--", &format!("{prefix}/{key}"), value]);
        put.expect("etcdctl");
    }
    let refused = store.get("a").await;
    assert!(
        matches!(&refused, Err(StateError::NotJson { key, .. }) if key == "a"),
        "{refused:?}"
    );
    let refused = store.acquire("l", "one", TTL).await;
    assert!(
        matches!(&refused, Err(StateError::Foreign { key, .. }) if key.ends_with("leases/l")),
        "{refused:?}"
    );
    let meta = format!("{prefix}/meta");
    for text in ["no JSON", r#"{"form":99,"offset":0}"#] {
        server
            .etcd
            .ctl(&["put", "--", &meta, text])
            .expect("etcdctl");
        let refused = EtcdStore::open(&config).await.err();
        assert!(
            matches!(&refused, Some(StateError::Foreign { key, .. }) if *key == meta),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_values_comes_in_parts_of_one_moment() {
    const ENTRIES: usize = 80;
    let server = Server::start().await;
    let store = server.fresh_store().await;
    let large = json!("x".repeat((1 << 20) - 2));
    for at in 0..ENTRIES {
        let key = format!("a/{at:03}");
        let put = store.put(&key, large.clone(), Expected::Absent, None);
        put.await.expect("put");
    }
    for direction in [
        state_store::Direction::Ascending,
        state_store::Direction::Descending,
    ] {
        let page = store.page("a/", None, ENTRIES - 1, direction).await;
        let page = page.expect("a page");
        let mut keys: Vec<String> = page.entries.into_iter().map(|it| it.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), page.more), (ENTRIES - 1, true));
    }
}
