//! etcd and the connections to it come and go.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::json;
use state_store::{Change, EtcdConfig, EtcdStore, Expected, StateError, StateStore};
use testkit::TcpProxy;
use tokio::time::timeout;

use crate::server::Server;

const DEADLINE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(60);

async fn next(watch: &mut BoxStream<'static, Change>) -> Change {
    let change = timeout(DEADLINE, watch.next()).await;
    change.expect("in time").expect("the watch goes on")
}

async fn put(store: &EtcdStore, key: &str) -> u64 {
    let put = store.put(key, json!(key), Expected::Absent, None).await;
    put.expect("put")
}

#[track_caller]
fn is_put(change: &Change, key: &str) {
    assert!(
        matches!(change, Change::Put(entry) if entry.key == key),
        "{change:?} instead of {key}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_etcd_is_missed_and_found_again_with_everything() {
    let server = Server::start().await;
    let store = server.fresh_store().await;
    let mut watch = store.watch("").await.expect("a watch");
    let before = put(&store, "before").await;
    let fence = store.acquire("l", "one", TTL).await.expect("free");
    server.etcd.kill();
    for refused in [
        store.get("before").await.err(),
        store
            .put("lost", json!(1), Expected::Absent, None)
            .await
            .err(),
        store.renew(&fence, TTL).await.err(),
        store.acquire("m", "one", TTL).await.err(),
    ] {
        let error = refused.expect("etcd is gone");
        assert!(matches!(error, StateError::Backend { .. }), "{error:?}");
        assert!(error.is_retryable());
    }
    server.etcd.restart().await.expect("etcd starts");
    let found = store.get("before").await.expect("get").expect("an entry");
    assert_eq!(found.version, before);
    store.renew(&fence, TTL).await.expect("the lease is kept");
    let after = store
        .put("after", json!(1), Expected::Absent, Some(&fence))
        .await
        .expect("put");
    assert!(after > before);
    is_put(&next(&mut watch).await, "before");
    is_put(&next(&mut watch).await, "after");
}

/// A store that writes, and one that watches over connections that can be cut.
async fn watched_through_a_proxy() -> (Server, TcpProxy, EtcdStore, EtcdStore) {
    let server = Server::start().await;
    let proxy = TcpProxy::before(server.address()).await;
    let direct = server.config();
    let through = EtcdConfig {
        endpoints: vec![format!("http://{}", proxy.address())],
        ..direct.clone()
    };
    let writer = EtcdStore::open(&direct).await.expect("open");
    let watcher = EtcdStore::open(&through).await.expect("open");
    (server, proxy, writer, watcher)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_connection_breaks_goes_on_where_it_was() {
    let (_server, proxy, writer, watcher) = watched_through_a_proxy().await;
    let mut watch = watcher.watch("").await.expect("a watch");
    put(&writer, "a").await;
    is_put(&next(&mut watch).await, "a");
    proxy.cut();
    put(&writer, "b").await;
    put(&writer, "c").await;
    proxy.heal();
    is_put(&next(&mut watch).await, "b");
    is_put(&next(&mut watch).await, "c");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_learns_that_what_it_missed_was_compacted() {
    let (server, proxy, writer, watcher) = watched_through_a_proxy().await;
    let mut watch = watcher.watch("").await.expect("a watch");
    put(&writer, "a").await;
    is_put(&next(&mut watch).await, "a");
    proxy.cut();
    put(&writer, "b").await;
    let revision = put(&writer, "c").await.to_string();
    server
        .etcd
        .ctl(&["compact", "--physical", &revision])
        .expect("etcdctl");
    proxy.heal();
    assert_eq!(next(&mut watch).await, Change::Missed);
    assert_eq!(watcher.list("").await.expect("list").len(), 3);
    put(&writer, "d").await;
    is_put(&next(&mut watch).await, "d");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_endpoint_is_called_if_one_is_gone() {
    let server = Server::start().await;
    let proxy = TcpProxy::before(server.address()).await;
    let direct = server.config();
    let both = EtcdConfig {
        endpoints: vec![
            format!("http://{}", proxy.address()),
            server.etcd.endpoint(),
        ],
        ..direct
    };
    let store = EtcdStore::open(&both).await.expect("open");
    put(&store, "a").await;
    proxy.cut();
    let found = store.get("a").await.expect("from the other endpoint");
    assert!(found.is_some());
    put(&store, "b").await;
}
