//! What goes wrong while an object is copied inside the store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blob_store::{Put, S3Config, Store, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use md5::{Digest, Md5};

use crate::fake::{Fake, Objects, Request, Response};
use crate::server::{PART_BYTES, Server, open, unfinished_uploads};

const BYTES: &[u8] = b"some bytes";
const ANY: std::ops::RangeInclusive<u64> = 0..=u64::MAX;

fn tag(bytes: &[u8]) -> String {
    let md5: [u8; 16] = Md5::digest(bytes).into();
    format!("\"{:032x}\"", u128::from_be_bytes(md5))
}

/// The bytes of the object that a request copies.
fn source(objects: &Objects, request: &Request) -> Option<Vec<u8>> {
    let source = request.header("x-amz-copy-source")?;
    let (_, key) = source.split_once('/')?;
    objects.lock().get(key).cloned()
}

/// A store that copies, with tags as those of S3.
fn reply(objects: &Objects, request: &Request) -> Response {
    if request.method == "HEAD" && !request.key.is_empty() {
        return match objects.lock().get(&request.key) {
            Some(bytes) => Response::new(200, &bytes[..]).with("etag", tag(bytes)),
            None => Response::error(404, "NoSuchKey", "there is none"),
        };
    }
    if !request.has("x-amz-copy-source") {
        return objects.reply(request);
    }
    match source(objects, request) {
        Some(bytes) => {
            let copied = copied(&tag(&bytes));
            let part = format!(".parts/{}", request.key);
            objects.lock().insert(part, bytes);
            copied
        }
        None => Response::error(404, "NoSuchKey", "there is none"),
    }
}

fn copied(tag: &str) -> Response {
    let tag = tag.replace('"', "&quot;");
    let body = format!("<CopyPartResult><ETag>{tag}</ETag></CopyPartResult>");
    Response::new(200, body)
}

/// A fake with the object `from`, which responds to copies of parts as the function does.
async fn fake(
    respond: impl Fn(&Objects, &Request) -> Option<Response> + Send + Sync + 'static,
) -> (Fake, Store, Objects) {
    let objects = Objects::default();
    objects.lock().insert("from".to_owned(), BYTES.to_vec());
    let kept = objects.clone();
    let fake = Fake::start(move |request| {
        respond(&kept, request).unwrap_or_else(|| reply(&kept, request))
    })
    .await;
    let store = open(&fake.config()).await;
    (fake, store, objects)
}

fn is_copy(request: &Request) -> bool {
    request.has("x-amz-copy-source")
}

fn is_completion(request: &Request) -> bool {
    request.method == "POST" && request.asks("uploadId")
}

/// Nothing but the source is left, parts of uploads included.
fn assert_untouched(objects: &Objects) {
    let keys: Vec<String> = objects.lock().keys().cloned().collect();
    assert_eq!(keys, ["from"]);
}

#[tokio::test]
async fn a_copy_is_an_upload_that_is_completed_under_the_condition() {
    let (fake, store, objects) = fake(|_, _| None).await;
    for expected in [Put::Created, Put::Exists] {
        let copied = store.copy("from", "to", 10..=10).await;
        assert_eq!(copied.expect("copied"), expected);
        assert_eq!(objects.lock()["to"], BYTES);
    }
    let seen = fake.seen();
    assert!(seen.iter().all(|request| request.method != "GET"));
    let copies: Vec<_> = seen.iter().filter(|request| is_copy(request)).collect();
    assert_eq!(copies.len(), 2);
    assert!(copies.iter().all(|copy| copy.body.is_empty()));
    // A range of a small object is refused by some stores.
    assert!(
        copies
            .iter()
            .all(|copy| !copy.has("x-amz-copy-source-range"))
    );
    let mut completions = seen.iter().filter(|request| is_completion(request));
    assert!(completions.all(|request| request.header("if-none-match") == Some("*")));
}

#[tokio::test]
async fn a_store_that_refuses_copies_is_left_as_it_was() {
    for (status, code) in [
        (501, "NotImplemented"),
        (405, "MethodNotAllowed"),
        (400, "InvalidArgument"),
        (403, "AccessDenied"),
        (403, "InvalidObjectState"),
        (404, "NoSuchKey"),
    ] {
        let (_fake, store, objects) =
            fake(move |_, request| is_copy(request).then(|| Response::error(status, code, "no")))
                .await;
        let error = store.copy("from", "to", ANY).await.expect_err("refused");
        let is_right = match (status, &error) {
            (403, StoreError::PermissionDenied { .. }) => true,
            (404, StoreError::NotFound { key, .. }) => key == "from",
            (400 | 405 | 501, StoreError::Unsuitable { .. }) => true,
            _ => false,
        };
        assert!(is_right, "{status} {code}: {error:?}");
        if code == "AccessDenied" {
            assert!(error.hint().expect("a hint").contains("s3:GetObject"));
        }
        assert_untouched(&objects);
    }
}

#[tokio::test]
async fn a_copy_that_differs_from_its_source_is_not_completed() {
    let other = tag(b"other bytes");
    for part in [
        copied(&other),
        copied("\"e\""),
        Response::new(200, "<CopyPartResult/>"),
    ] {
        let (fake, store, objects) =
            fake(move |_, request| is_copy(request).then(|| part.clone())).await;
        let error = store.copy("from", "to", ANY).await.expect_err("differs");
        assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
        assert!(!fake.seen().iter().any(is_completion));
        assert_untouched(&objects);
    }
}

#[tokio::test]
async fn a_success_that_turns_out_to_be_an_error_is_one() {
    let (_fake, store, objects) = fake(|_, request| {
        let late = Response::error(200, "InternalError", "after all");
        is_copy(request).then_some(late)
    })
    .await;
    store.copy("from", "to", ANY).await.expect_err("failed");
    assert_untouched(&objects);
}

/// A fake whose bucket encrypts by itself.
async fn encrypted(sse: &'static str) -> (Fake, Store, Objects) {
    fake(move |objects, request| {
        let is_head = request.method == "HEAD";
        is_head.then(|| reply(objects, request).with("x-amz-server-side-encryption", sse))
    })
    .await
}

#[tokio::test]
async fn a_store_whose_tags_are_no_md5_is_not_asked_to_copy() {
    let (fake, store, objects) = fake(|objects, request| {
        let response = reply(objects, request);
        (request.method == "HEAD").then(|| {
            Response {
                headers: Vec::new(),
                ..response
            }
            .with("etag", "\"e\"")
        })
    })
    .await;
    let error = store.copy("from", "to", ANY).await.expect_err("refused");
    assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
    for sse in ["aws:kms", "aws:kms:dsse"] {
        let (fake, store, objects) = encrypted(sse).await;
        let error = store.copy("from", "to", ANY).await.expect_err("refused");
        assert!(matches!(error, StoreError::Unsuitable { .. }), "{error:?}");
        assert!(fake.seen().iter().all(|request| request.method == "HEAD"));
        assert_untouched(&objects);
    }
    let (_fake, by_s3, objects_by_s3) = encrypted("AES256").await;
    let copied = by_s3.copy("from", "to", ANY).await;
    assert_eq!(copied.expect("copied"), Put::Created);
    assert!(objects_by_s3.lock().contains_key("to"));
    let kms = S3Config {
        sse_kms_key: Some("key".into()),
        ..fake.config()
    };
    let error = open(&kms).await.copy("from", "to", ANY).await;
    assert!(matches!(error, Err(StoreError::Unsuitable { .. })));
    assert!(fake.seen().iter().all(|request| request.method == "HEAD"));
    assert_untouched(&objects);
}

#[tokio::test]
async fn a_completion_whose_response_was_lost_is_found() {
    let completions = AtomicUsize::new(0);
    let (_fake, store, objects) = fake(move |objects, request| {
        if !is_completion(request) {
            return None;
        }
        match completions.fetch_add(1, Ordering::SeqCst) {
            0 => {
                objects.reply(request);
                Some(Response::error(500, "InternalError", "lost"))
            }
            _ => Some(Response::error(404, "NoSuchUpload", "it is completed")),
        }
    })
    .await;
    let copied = store.copy("from", "to", ANY).await;
    assert_eq!(copied.expect("found"), Put::Exists);
    assert_eq!(objects.lock()["to"], BYTES);
}

#[tokio::test]
async fn a_copy_that_is_dropped_is_aborted() {
    let objects = Objects::default();
    objects.lock().insert("from".to_owned(), BYTES.to_vec());
    let kept = objects.clone();
    // The copy of the part never ends.
    let fake = Fake::start_async(move |request| {
        let response = reply(&kept, &request);
        Box::pin(async move {
            match is_copy(&request) {
                true => std::future::pending().await,
                false => response,
            }
        })
    })
    .await;
    let store = open(&fake.config()).await;
    let copy = tokio::spawn(async move { store.copy("from", "to", ANY).await });
    let wait = Duration::from_secs(60);
    testkit::eventually(wait, || async { fake.seen().iter().any(is_copy) }).await;
    assert!(!copy.is_finished());
    copy.abort();
    let is_abort = |request: &Request| request.method == "DELETE" && request.asks("uploadId");
    testkit::eventually(wait, || async { fake.seen().iter().any(is_abort) }).await;
    assert!(!fake.seen().iter().any(is_completion));
    assert!(!objects.lock().contains_key("to"));
}

/// Puts an object of three parts.
async fn put_parts(store: &Store, key: &str) -> u64 {
    let bytes = PART_BYTES * 2 + 100;
    let body = (0..bytes).map(|at| (at / 1000) as u8).collect::<Vec<u8>>();
    let body = stream::iter([Ok(Bytes::from(body))]).boxed();
    let put = store.put_stream(key, None, body).await;
    assert_eq!(put.expect("put"), Put::Created);
    bytes as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_leave_no_unfinished_uploads_and_have_the_parts_of_their_source() {
    let server = Server::start().await;
    let store = server.store().await;
    let bytes = put_parts(&store, "from").await;
    let head = |key: &'static str| async { store.head(key).await.expect("head").expect("there") };
    // Copies have the parts of the source, whatever size this process would send them in.
    let larger = S3Config {
        part_size_bytes: 2 * PART_BYTES as u64,
        checksums: false,
        ..server.config()
    };
    let other = open(&larger).await;
    for (from, to, store) in [("from", "to", &store), ("to", "again", &other)] {
        for expected in [Put::Created, Put::Exists] {
            let copied = store.copy(from, to, bytes..=bytes).await;
            assert_eq!(copied.expect("copied"), expected);
            assert_eq!(unfinished_uploads(&server, to).await, 0);
        }
        let (source, copy) = (head(from).await, head(to).await);
        assert_eq!((source.size, source.tag), (copy.size, copy.tag));
    }
    store.copy("nothing", "none", ANY).await.expect_err("gone");
    assert_eq!(unfinished_uploads(&server, "none").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_does_not_go_on_from_a_copy_whose_process_was_killed() {
    let server = Server::start().await;
    let store = server.store().await;
    let bytes = put_parts(&store, "from").await;
    // What is left of a copy has no checksums, and perhaps no parts.
    let (client, key) = (crate::server::client(&server), "some/prefix/killed");
    for key in [key, "some/prefix/begun"] {
        let begun = client.create_multipart_upload();
        let begun = begun.bucket(crate::server::BUCKET).key(key);
        begun.send().await.expect("begun");
    }
    let begun = client
        .create_multipart_upload()
        .bucket(crate::server::BUCKET);
    let begun = begun.key(key).send().await.expect("begun");
    let part = client
        .upload_part_copy()
        .bucket(crate::server::BUCKET)
        .key(key);
    let part = part
        .upload_id(begun.upload_id().expect("an id"))
        .part_number(1);
    let part = part.copy_source(format!("{}/some/prefix/from", crate::server::BUCKET));
    part.send().await.expect("copied");
    for key in ["killed", "begun"] {
        let body: Vec<_> = (0..4)
            .map(|at| Ok(Bytes::from(vec![at; PART_BYTES])))
            .collect();
        let size = 4 * PART_BYTES as u64;
        let put = store.put_stream(key, Some(size), stream::iter(body).boxed());
        assert_eq!(put.await.expect("put"), Put::Created);
        assert_eq!(unfinished_uploads(&server, key).await, 0);
    }
    let copied = store.copy("from", "copied", bytes..=bytes).await;
    assert_eq!(copied.expect("copied"), Put::Created);
}
