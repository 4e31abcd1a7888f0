//! Stores that lack something of the protocol: each works, or is refused with what it lacks and the setting that helps.

use blob_store::{Put, S3Config, Store, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use crate::fake::{Fake, Objects, Request, Response};
use crate::server::{PART_BYTES, open};

/// A well-behaved store, but for requests for which there is a response.
async fn but(
    reply: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
) -> (Fake, Objects) {
    let objects = Objects::default();
    let kept = objects.clone();
    let fake = Fake::start(move |request: &Request| match reply(request) {
        Some(response) => response,
        None => kept.reply(request),
    })
    .await;
    (fake, objects)
}

async fn put_both_ways(store: &Store) -> [Result<Put, StoreError>; 2] {
    let large = Bytes::from(vec![7; PART_BYTES + 1]);
    let body = stream::iter([Ok(large)]).boxed();
    [
        store.put("small", Bytes::from_static(b"x")).await,
        store.put_stream("large", None, body).await,
    ]
}

#[track_caller]
fn names(error: &StoreError, header: &str, setting: &str) {
    assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
    assert!(!error.is_retryable());
    let (text, hint) = (error.to_string(), error.hint().expect("a hint"));
    assert!(text.contains(header), "{text}");
    assert!(hint.contains(setting), "{hint}");
}

#[tokio::test]
async fn a_store_that_does_not_know_the_condition_is_named_at_once() {
    for (status, code) in [(501, "NotImplemented"), (400, "InvalidArgument")] {
        let (fake, _) = but(move |request| {
            let refused = request.has("if-none-match");
            refused.then(|| Response::error(status, code, "a header implies functionality"))
        })
        .await;
        let store = open(&fake.config()).await;
        let [small, large] = put_both_ways(&store).await;
        names(&small.expect_err(code), "If-None-Match", "If-None-Match");
        names(&large.expect_err(code), "If-None-Match", "If-None-Match");
        // One try, and one without the checksum; not six with pauses.
        let puts = fake.seen().iter().filter(|it| it.key == "small").count();
        assert_eq!(puts, 2);
    }
}

#[tokio::test]
async fn a_store_that_does_not_know_the_checksum_is_named_with_the_setting() {
    for (status, code) in [(501, "NotImplemented"), (400, "InvalidArgument"), (400, "")] {
        let (fake, objects) = but(move |request| {
            let refused = request.headers.keys().any(|name| name.contains("checksum"));
            refused.then(|| Response::error(status, code, "unknown header"))
        })
        .await;
        let store = open(&fake.config()).await;
        for put in put_both_ways(&store).await {
            names(&put.expect_err(code), "checksum", "checksums = false");
        }
        objects.lock().clear();
        let without = S3Config {
            checksums: false,
            ..fake.config()
        };
        for put in put_both_ways(&open(&without).await).await {
            assert_eq!(put.expect("works without"), Put::Created);
        }
    }
}

#[tokio::test]
async fn neither_expect_nor_signed_chunks_are_sent() {
    let (fake, _) = but(|request| {
        let chunked = |name| {
            request
                .header(name)
                .is_some_and(|text| text.contains("chunked"))
        };
        let refused =
            request.has("expect") || chunked("content-encoding") || chunked("transfer-encoding");
        refused.then(|| Response::error(501, "NotImplemented", "not understood"))
    })
    .await;
    for put in put_both_ways(&open(&fake.config()).await).await {
        assert_eq!(put.expect("put"), Put::Created);
    }
}

#[tokio::test]
async fn a_store_that_does_not_delete_in_bulk_deletes_one_by_one() {
    for (status, code) in [
        (400, "MissingContentMD5"),
        (400, "InvalidRequest"),
        (501, "NotImplemented"),
    ] {
        let (fake, objects) = but(move |request| {
            let refused = request.method == "POST" && request.asks("delete");
            refused.then(|| Response::error(status, code, "Content-MD5 is missing"))
        })
        .await;
        let keys: Vec<String> = (0..40).map(|at| format!("k{at}")).collect();
        for key in &keys {
            objects.lock().insert(key.clone(), Vec::new());
        }
        let store = open(&fake.config()).await;
        store.delete_many(&keys[..20]).await.expect("deletes");
        store
            .delete_many(&keys)
            .await
            .expect("deletes, and those that are gone");
        assert!(objects.lock().is_empty());
        let bulk = |request: &&Request| request.asks("delete");
        assert_eq!(fake.seen().iter().filter(bulk).count(), 1, "asked again");
    }
}

#[tokio::test]
async fn an_object_that_is_missing_behind_403_is_missing() {
    let (fake, objects) = but(|request| {
        let refused =
            matches!(request.method.as_str(), "GET" | "HEAD") && !request.asks("list-type");
        (refused && !request.key.is_empty())
            .then(|| Response::error(403, "AccessDenied", "Access Denied"))
    })
    .await;
    let store = open(&fake.config()).await;
    assert_eq!(store.head("k").await.expect("missing"), None);
    assert!(store.get("k", 1).await.expect_err("missing").is_not_found());

    // Something that is there and cannot be read is not missing.
    objects.lock().insert("k".into(), b"x".to_vec());
    for error in [
        store.head("k").await.map(drop).expect_err("denied"),
        store.get("k", 1).await.map(drop).expect_err("denied"),
    ] {
        assert!(
            matches!(error, StoreError::PermissionDenied { .. }),
            "{error:?}"
        );
        assert!(
            error.hint().expect("a hint").contains("s3:GetObject"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn without_the_right_to_list_that_right_is_named() {
    let (fake, _) = but(|request| {
        let refused = matches!(request.method.as_str(), "GET" | "HEAD");
        refused.then(|| Response::error(403, "AccessDenied", "Access Denied"))
    })
    .await;
    let store = open(&fake.config()).await;
    for error in [
        store.head("k").await.map(drop).expect_err("unclear"),
        store.get("k", 1).await.map(drop).expect_err("unclear"),
        store.list_children("").await.map(drop).expect_err("denied"),
    ] {
        assert!(
            matches!(error, StoreError::PermissionDenied { .. }),
            "{error:?}"
        );
        assert!(
            error.hint().expect("a hint").contains("s3:ListBucket"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_that_is_cut_off_is_no_listing() {
    let (fake, _) = but(|request| {
        request.asks("list-type").then(|| {
            let page = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
            Response::new(200, page)
        })
    })
    .await;
    let store = open(&fake.config()).await;
    store.list_children("").await.expect_err("there is more");
}

#[tokio::test]
async fn a_refusal_is_said_once_in_plain_words() {
    let (fake, _) = but(|request| {
        let refused = request.method == "PUT";
        refused.then(|| Response::error(403, "AccessDenied", "You may not"))
    })
    .await;
    let store = open(&fake.config()).await;
    let error = store.put("k", Bytes::new()).await.expect_err("denied");
    let mut said = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        said.push(cause.to_string());
        source = cause.source();
    }
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[1], "it responded 403 AccessDenied: You may not");
    assert!(error.hint().expect("a hint").contains("s3:PutObject"));
}
