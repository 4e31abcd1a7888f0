//! Connections that break, servers that end.

use std::sync::Arc;
use std::time::Duration;

use blob_store::{Put, S3Config};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use testkit::TcpProxy;

use crate::server::{PART_BYTES, Server, open};

const PATIENCE: Duration = Duration::from_secs(60);

fn pattern(len: usize) -> Bytes {
    (0..len)
        .map(|at| (at * 31 % 251) as u8)
        .collect::<Vec<u8>>()
        .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_goes_on_where_the_connection_broke() {
    let server = Server::start().await;
    let bytes = pattern(8 * PART_BYTES);
    let put = server.store().await.put("large", bytes.clone()).await;
    assert_eq!(put.expect("put"), Put::Created);
    let proxy = TcpProxy::before(server.address()).await;
    let endpoint = format!("http://{}", proxy.address());
    let store = open(&S3Config {
        endpoint,
        ..server.config()
    })
    .await;

    let range = 1000..bytes.len() as u64 - 1000;
    let mut body = store
        .get_stream("large", Some(range.clone()))
        .await
        .expect("opens");
    let mut read = Vec::new();
    for _ in 0..3 {
        let chunk = body.next().await.expect("a chunk").expect("reads");
        read.extend_from_slice(&chunk);
        proxy.cut_once();
    }
    let rest: Vec<Bytes> = tokio::time::timeout(PATIENCE, body.try_collect())
        .await
        .expect("ends")
        .expect("reads");
    read.extend_from_slice(&rest.concat());
    assert!(
        read == bytes[range.start as usize..range.end as usize],
        "{} bytes",
        read.len()
    );
    assert!(proxy.accepted() > 1, "the connection never broke");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_survives_broken_connections() {
    let server = Server::start().await;
    let proxy = TcpProxy::before(server.address()).await;
    let endpoint = format!("http://{}", proxy.address());
    let store = open(&S3Config {
        endpoint,
        attempts_max: 6,
        ..server.config()
    })
    .await;
    let bytes = pattern(4 * PART_BYTES + 17);
    let proxy = Arc::new(proxy);
    let troubled = {
        let proxy = proxy.clone();
        let chunks: Vec<Bytes> = bytes.chunks(1 << 20).map(Bytes::copy_from_slice).collect();
        stream::iter(chunks.into_iter().enumerate()).map(move |(at, chunk)| {
            // While earlier parts are on their way.
            if at % 6 == 5 {
                proxy.cut_once();
            }
            Ok(chunk)
        })
    };
    let put = store
        .put_stream("large", Some(bytes.len() as u64), troubled.boxed())
        .await;
    // Created, or reported as existing if the response to our own completion was lost.
    put.expect("put");
    let stored = server
        .store()
        .await
        .get("large", bytes.len() as u64)
        .await
        .expect("get");
    assert!(stored == bytes, "{} bytes", stored.len());
    assert!(proxy.accepted() > 1, "no connection broke");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_unavailable_within_the_limits() {
    let server = Server::start().await;
    let config = S3Config {
        attempts_max: 2,
        connect_timeout_seconds: 1,
        ..server.config()
    };
    let store = open(&config).await;
    store.put("a", Bytes::from_static(b"x")).await.expect("put");
    server.minio.kill();
    let calls = async {
        let got = store.get("a", 1).await.map(drop);
        let put = store.put("b", Bytes::new()).await.map(drop);
        let listed = store.list("").try_collect::<Vec<_>>().await.map(drop);
        let head = store.head("a").await.map(drop);
        for result in [got, put, listed, head] {
            let error = result.expect_err("gone");
            assert!(error.is_retryable(), "{error:?}");
            assert!(error.hint().is_some());
        }
    };
    tokio::time::timeout(PATIENCE, calls)
        .await
        .expect("within the limits");
    server.minio.restart().await.expect("starts again");
    assert_eq!(store.get("a", 1).await.expect("get"), "x");
}
