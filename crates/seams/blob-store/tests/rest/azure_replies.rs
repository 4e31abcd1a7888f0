//! Replies of Azure, or of what stands before it, that look like others, and replies that are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blob_store::{Put, StoreError};
use bytes::Bytes;
use futures::stream::TryStreamExt;

use crate::azure_faults::{blob, listing, refusal, store};
use crate::fake::{Fake, Request, Response};

#[tokio::test]
async fn a_listing_that_is_none_or_has_other_names_is_refused() {
    let undecodable = blob("").replace("<Name>", "<Name Encoded=\"true\">p/%FF");
    for response in [
        listing(&blob("other/a")),
        listing("<BlobPrefix><Name>other/</Name></BlobPrefix>"),
        listing(&undecodable),
        Response::new(200, "<html><body>Sign in</body></html>"),
        Response::error(200, "ServerBusy", "no"),
        Response::new(204, ""),
    ] {
        let fake = Fake::start(move |_: &Request| response.clone()).await;
        let listed: Result<Vec<_>, _> = store(&fake).list("p/").try_collect().await;
        assert!(listed.is_err(), "{listed:?}");
        let children = store(&fake).list_children("p/").await;
        assert!(children.is_err(), "{children:?}");
    }
}

#[tokio::test]
async fn only_the_status_of_a_call_is_its_success() {
    for status in [200, 204, 301, 307, 308] {
        let fake = Fake::start(move |request: &Request| match request.method.as_str() {
            // A redirect, or what a proxy replies.
            "HEAD" if status == 200 => Response::new(204, ""),
            _ => Response::new(status, "").with("location", "https://elsewhere/"),
        })
        .await;
        let store = store(&fake);
        let put = store.put("k", Bytes::from_static(b"x")).await;
        let parts = store.put_as_parts("k", Bytes::from_static(b"x")).await;
        let (head, deleted) = (store.head("k").await, store.delete("k").await);
        assert!(
            put.is_err() && parts.is_err(),
            "{status}: {put:?} {parts:?}"
        );
        assert!(head.is_err() && deleted.is_err(), "{status}: {head:?}");
    }
    // The block is stored, the list is not.
    let fake = Fake::start(|request: &Request| match request.value("comp").as_deref() {
        Some("block") => Response::new(201, ""),
        _ => Response::new(308, ""),
    })
    .await;
    let store = store(&fake);
    let parts = store.put_as_parts("k", Bytes::from_static(b"x")).await;
    parts.expect_err("a redirect");
}

#[tokio::test]
async fn a_request_that_was_taken_for_a_stranger_s_does_not_find_an_object_missing() {
    let fake = Fake::start(|_: &Request| refusal(404, "ResourceNotFound")).await;
    let store = store(&fake);
    let head = store.head("k").await.expect_err("refused");
    assert!(
        matches!(head, StoreError::PermissionDenied { .. }),
        "{head:?}"
    );
    store.delete("k").await.expect_err("refused");
    let got = store.get("k", 1).await.expect_err("refused");
    assert!(!got.is_not_found(), "{got:?}");
}

#[tokio::test]
async fn a_lost_reply_of_what_was_stored_ends_with_the_object_once() {
    // What is lost: the whole reply, or its body.
    let lost = [
        Response::new(503, ""),
        Response {
            cut_after: Some(1),
            ..Response::new(201, "body")
        },
    ];
    // What the store replies to a block list that it has used: both were seen.
    for again in ["BlobAlreadyExists", "InvalidBlockList"] {
        for lost in lost.clone() {
            let objects = Arc::new(AtomicUsize::new(0));
            let (kept, reply) = (objects.clone(), lost.clone());
            let fake = Fake::start(move |request: &Request| {
                let creates = request.method == "PUT" && !request.asks("blockid");
                match creates {
                    true if kept.fetch_add(1, Ordering::SeqCst) == 0 => reply.clone(),
                    true if !request.asks("comp") => refusal(409, "BlobAlreadyExists"),
                    true => refusal(
                        if again == "InvalidBlockList" {
                            400
                        } else {
                            409
                        },
                        again,
                    ),
                    false if request.method == "PUT" => Response::new(201, ""),
                    false => Response::new(200, "x").with("etag", "\"e\""),
                }
            })
            .await;
            let store = store(&fake);
            let put = store.put("k", Bytes::from_static(b"x")).await;
            assert_eq!(put.expect("put"), Put::Exists);
            assert_eq!(objects.swap(0, Ordering::SeqCst), 2);
            let parts = store.put_as_parts("k", Bytes::from_static(b"x")).await;
            assert_eq!(parts.expect("parts"), Put::Exists);
            assert_eq!(objects.load(Ordering::SeqCst), 2);
        }
    }
}

#[tokio::test]
async fn every_way_to_say_that_an_object_exists_is_understood() {
    for (status, code, is_certain) in [
        (409, "BlobAlreadyExists", true),
        (412, "ConditionNotMet", true),
        (412, "LeaseIdMissing", true),
        (403, "UnauthorizedBlobOverwrite", false),
        (409, "BlobImmutableDueToPolicy", false),
    ] {
        for is_there in [true, false] {
            let fake = Fake::start(move |request: &Request| match request.method.as_str() {
                "PUT" => refusal(status, code),
                _ if is_there => Response::new(200, "x").with("etag", "\"e\""),
                _ => refusal(404, "BlobNotFound"),
            })
            .await;
            let put = store(&fake).put("k", Bytes::new()).await;
            match is_certain || is_there {
                true => assert_eq!(put.expect(code), Put::Exists),
                false => assert!(!put.expect_err(code).is_retryable()),
            }
            // Blocks are refused by what protects the object, too.
            let store = store(&fake);
            let parts = store.put_as_parts("k", Bytes::from_static(b"x")).await;
            match is_there {
                true => assert_eq!(parts.expect(code), Put::Exists),
                false => assert!(parts.is_err()),
            }
            let requests = fake.seen().clone();
            assert_eq!(requests[0].header("if-none-match"), Some("*"));
        }
    }
    let other = Fake::start(|_: &Request| refusal(409, "BlobBeingRehydrated")).await;
    store(&other)
        .put("k", Bytes::new())
        .await
        .expect_err("another conflict");
}
