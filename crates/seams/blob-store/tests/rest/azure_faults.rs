//! What Azurite does not do: a fake of Azure that loses replies, lists in another order, and returns other ranges.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blob_store::{AzureConfig, Put, Store, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use secret::Secret;

use crate::fake::{Fake, Request, Response};
use crate::server::{BUCKET, PART_BYTES, azure};

pub fn store(fake: &Fake) -> Store {
    azure(&AzureConfig {
        account: "fake".into(),
        container: BUCKET.into(),
        endpoint: fake.config().endpoint,
        account_key: Some(Secret::new("ZmFrZQ==")),
        part_size_bytes: PART_BYTES as u64,
        attempts_max: 3,
        ..AzureConfig::default()
    })
}

pub fn refusal(status: u16, code: &str) -> Response {
    Response::error(status, code, "no").with("x-ms-error-code", code)
}

#[tokio::test]
async fn a_busy_store_is_asked_again_and_then_unavailable() {
    let times = Arc::new(AtomicUsize::new(0));
    let counted = times.clone();
    let fake = Fake::start(
        move |_: &Request| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => refusal(503, "ServerBusy"),
            _ => Response::new(201, ""),
        },
    )
    .await;
    let put = store(&fake).put("k", Bytes::from_static(b"x")).await;
    assert_eq!(put.expect("put"), Put::Created);

    let busy = Fake::start(|_: &Request| refusal(503, "ServerBusy")).await;
    let error = store(&busy).put("k", Bytes::new()).await.expect_err("busy");
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(busy.seen().len(), 3);
}

#[tokio::test]
async fn blocks_that_are_gone_are_sent_again_by_the_next_try() {
    let fake = Fake::start(|request: &Request| match request.method.as_str() {
        "PUT" if request.value("comp").as_deref() == Some("blocklist") => {
            refusal(400, "InvalidBlockList")
        }
        "PUT" => Response::new(201, ""),
        _ => refusal(404, "BlobNotFound"),
    })
    .await;
    let body = stream::iter([Ok(Bytes::from(vec![1; PART_BYTES * 2]))]).boxed();
    let error = store(&fake)
        .put_stream("k", None, body)
        .await
        .expect_err("gone");
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn only_the_asked_range_is_believed() {
    for (status, range, bytes) in [
        (200, "", 100),
        (206, "bytes 0-9/100", 10),
        (206, "bytes 10-18/100", 9),
        (206, "", 10),
    ] {
        let fake = Fake::start(move |_: &Request| {
            let response = Response::new(status, vec![0; bytes]).with("etag", "\"e\"");
            match range {
                "" => response,
                range => response.with("content-range", range),
            }
        })
        .await;
        let opened = store(&fake).get_stream("k", Some(10..20)).await;
        let error = opened.err().expect(range);
        assert!(
            matches!(error, StoreError::Unsuitable { .. }),
            "{range}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_broken_body_goes_on_where_it_broke_if_the_object_is_the_same() {
    for (tag, is_same) in [("\"e\"", true), ("\"other\"", false)] {
        let fake = Fake::start(move |request: &Request| match request.header("range") {
            None => Response {
                cut_after: Some(60),
                ..Response::new(200, vec![7; 100]).with("etag", "\"e\"")
            },
            Some(range) => {
                assert_eq!(
                    (range, request.header("if-match")),
                    ("bytes=60-99", Some("\"e\""))
                );
                let response = Response::new(206, vec![7; 40]).with("etag", tag);
                response.with("content-range", "bytes 60-99/100")
            }
        })
        .await;
        let body = store(&fake).get_stream("k", None).await.expect("opens");
        let read: Result<Vec<Bytes>, _> = body.try_collect().await;
        assert_eq!(read.is_ok(), is_same, "{read:?}");
        assert_eq!(read.map_or(100, |chunks| chunks.concat().len()), 100);
    }
}

pub fn blob(name: &str) -> String {
    format!(
        "<Blob><Name>{name}</Name><Properties><Etag>0x1</Etag>\
         <Content-Length>1</Content-Length></Properties></Blob>"
    )
}

pub fn listing(blobs: &str) -> Response {
    let blobs = format!("<EnumerationResults><Blobs>{blobs}</Blobs></EnumerationResults>");
    Response::new(200, blobs)
}

#[tokio::test]
async fn a_listing_in_another_order_is_refused() {
    let fake = Fake::start(|_: &Request| {
        let blobs = ["a/b", "a-b"].map(blob).concat();
        listing(&blobs)
    })
    .await;
    let listed: Result<Vec<_>, _> = store(&fake).list("").try_collect().await;
    let error = listed.expect_err("in another order");
    assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_deleted_softly_is_noticed() {
    for (permanent, keeps) in [("true", false), ("false", true)] {
        let fake = Fake::start(move |_: &Request| {
            Response::new(202, "").with("x-ms-delete-type-permanent", permanent)
        })
        .await;
        let store = store(&fake);
        store.delete("k").await.expect("deletes");
        assert_eq!(store.keeps_versions(), keeps);
    }
}

#[tokio::test]
async fn blocks_that_the_store_lists_are_not_sent() {
    let listed = Arc::new(std::sync::Mutex::new(String::new()));
    let kept = listed.clone();
    let fake = Fake::start(move |request: &Request| match request.method.as_str() {
        "HEAD" => refusal(404, "BlobNotFound"),
        "GET" => {
            let blocks = kept.lock().expect("not poisoned").clone();
            Response::new(
                200,
                format!("<BlockList><UncommittedBlocks>{blocks}</UncommittedBlocks></BlockList>"),
            )
        }
        _ => {
            if let Some(name) = request.value("blockid") {
                let (name, size) = (name.replace("%3D", "="), request.body.len());
                let block = format!("<Block><Name>{name}</Name><Size>{size}</Size></Block>");
                kept.lock().expect("not poisoned").push_str(&block);
            }
            Response::new(201, "")
        }
    })
    .await;
    let store = store(&fake);
    let sent = || {
        let seen = fake.seen();
        let blocks = seen
            .iter()
            .filter(|it| it.value("comp").as_deref() == Some("block"));
        blocks.count()
    };
    for (changed, expected) in [(0u8, 4), (0, 4), (9, 5)] {
        let bytes = (0..4u8).map(|at| Ok(Bytes::from(vec![at + changed * (at / 3); PART_BYTES])));
        let body = stream::iter(bytes.collect::<Vec<_>>()).boxed();
        let put = store
            .put_stream("k", Some(PART_BYTES as u64 * 4), body)
            .await;
        assert_eq!(put.expect("put"), Put::Created);
        assert_eq!(sent(), expected, "{changed}");
    }
}
