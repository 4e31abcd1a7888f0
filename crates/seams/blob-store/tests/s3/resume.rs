//! Uploads that a killed process has left, or one that lost the store, and that the next try takes up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::types::ChecksumAlgorithm;
use blob_store::{Put, S3Config, Store};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use crate::fake::{Fake, Objects, Request, Response};
use crate::memory::content;
use crate::server::{BUCKET, PART_BYTES, Server, client, open, unfinished_uploads};

const PATIENCE: Duration = Duration::from_secs(60);
/// Enough parts to be worth it, and one that is not full.
pub const SIZE: usize = 4 * PART_BYTES + 3;

pub fn part(number: usize) -> Vec<u8> {
    let start = (number - 1) * PART_BYTES;
    content(7, start..SIZE.min(start + PART_BYTES))
}

fn checksum(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(crc32fast::hash(bytes).to_be_bytes())
}

/// Leaves an upload as a killed process would, with these parts.
pub async fn leave(server: &Server, key: &str, parts: Vec<(i32, Vec<u8>)>) {
    let (client, key) = (client(server), format!("{}/{key}", server.config().prefix));
    let begun = client.create_multipart_upload().bucket(BUCKET).key(&key);
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Crc32);
    let begun = begun.send().await.expect("begins");
    for (number, bytes) in parts {
        let sent = client.upload_part().bucket(BUCKET).key(&key);
        let sent = sent
            .upload_id(begun.upload_id().expect("an id"))
            .part_number(number)
            .checksum_crc32(checksum(&bytes))
            .body(bytes.into());
        sent.send().await.expect("sends");
    }
}

pub async fn put(store: &Store, key: &str) -> Result<Put, blob_store::StoreError> {
    let parts: Vec<_> = (1..=5)
        .map(|number| Ok(Bytes::from(part(number))))
        .collect();
    let body = stream::iter(parts).boxed();
    store.put_stream(key, Some(SIZE as u64), body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_has_sent_is_compared_and_used() {
    let server = Server::start().await;
    let store = server.store().await;
    leave(&server, "k", vec![(1, part(1)), (3, part(3))]).await;
    // Older, shorter and other parts of the same upload are sent again.
    let wrong = vec![
        (1, part(2)),
        (2, part(2)[1..].to_vec()),
        (4, part(4)),
        (9, part(5)),
    ];
    leave(&server, "other", wrong).await;
    for key in ["k", "other"] {
        assert_eq!(put(&store, key).await.expect("put"), Put::Created);
        let stored = store.get(key, SIZE as u64).await.expect("get");
        assert!(stored == content(7, 0..SIZE), "{} bytes", stored.len());
        // It would still be there if another one had been begun.
        assert_eq!(unfinished_uploads(&server, key).await, 0, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_uploads_one_is_completed_and_the_others_are_discarded() {
    let server = Server::start().await;
    for parts in [vec![(1, part(1))], vec![], vec![(2, part(2))]] {
        leave(&server, "k", parts).await;
    }
    assert_eq!(unfinished_uploads(&server, "k").await, 3);
    let store = server.store().await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(unfinished_uploads(&server, "k").await, 0);
}

/// A store that has these parts of an upload `u1`, and says so.
fn with_parts(request: &Request, parts: &[usize]) -> Option<Response> {
    if request.method != "GET" {
        return None;
    }
    if request.asks("uploads") {
        let text = "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>u1</UploadId></Upload></ListMultipartUploadsResult>";
        return Some(Response::new(200, text));
    }
    request.asks("uploadId").then(|| {
        let listed: String = parts
            .iter()
            .map(|number| {
                let bytes = part(*number);
                format!(
                    "<Part><PartNumber>{number}</PartNumber><ETag>p</ETag><Size>{}</Size><ChecksumCRC32>{}</ChecksumCRC32></Part>",
                    bytes.len(),
                    checksum(&bytes)
                )
            })
            .collect();
        Response::new(200, format!("<ListPartsResult>{listed}</ListPartsResult>"))
    })
}

pub fn sent_parts(fake: &Fake) -> Vec<String> {
    let seen = fake.seen();
    let mut sent: Vec<_> = seen
        .iter()
        .filter_map(|it| it.value("partNumber"))
        .collect();
    sent.sort();
    sent
}

#[tokio::test]
async fn only_the_parts_that_are_missing_are_sent() {
    let objects = Objects::default();
    let fake = Fake::start(move |request| {
        with_parts(request, &[1, 2, 4]).unwrap_or_else(|| objects.reply(request))
    })
    .await;
    let store = open(&fake.config()).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["3", "5"]);
    let seen = fake.seen();
    let completed = seen
        .iter()
        .find(|it| it.method == "POST")
        .expect("completed");
    let parts = String::from_utf8_lossy(&completed.body)
        .matches("<PartNumber>")
        .count();
    assert!(completed.asks("uploadId") && parts == 5, "{completed:?}");
}

#[tokio::test]
async fn an_upload_is_kept_for_the_next_try_when_the_store_is_lost() {
    let (objects, is_lost) = (Objects::default(), Arc::new(AtomicBool::new(true)));
    let lost = is_lost.clone();
    let fake = Fake::start(move |request| {
        let late = ["3", "4", "5"].map(|number| Some(number.to_owned()));
        if lost.load(Ordering::SeqCst) && late.contains(&request.value("partNumber")) {
            return Response::error(503, "SlowDown", "later");
        }
        objects.reply(request)
    })
    .await;
    let config = S3Config {
        attempts_max: 1,
        parallel_parts: 1,
        ..fake.config()
    };
    let store = open(&config).await;
    let error = put(&store, "k").await.expect_err("lost");
    assert!(error.is_retryable(), "{error:?}");
    let aborted = |fake: &Fake| fake.seen().iter().any(|it| it.method == "DELETE");
    assert!(!aborted(&fake), "the next try goes on from there");
    // A stream that fails has nothing that another try could go on from.
    is_lost.store(false, Ordering::SeqCst);
    let torn = vec![
        Ok(part(1).into()),
        Err(blob_store::source_error("k", "torn")),
    ];
    let torn = stream::iter(torn).boxed();
    let put = store.put_stream("k", Some(SIZE as u64), torn).await;
    put.expect_err("torn");
    assert!(aborted(&fake));
}

#[tokio::test]
async fn an_upload_that_is_being_aborted_is_not_taken_up() {
    let (objects, begun) = (Objects::default(), Arc::new(AtomicBool::new(false)));
    let fake = Fake::start_async(move |request| {
        let (objects, begun) = (objects.clone(), begun.clone());
        Box::pin(async move {
            let is_first = !begun.load(Ordering::SeqCst);
            if request.asks("partNumber") && is_first {
                // Of an upload without any part nothing is kept.
                begun.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
            } else if !is_first && request.method == "GET" {
                return with_parts(&request, &[1]).unwrap_or_else(|| objects.reply(&request));
            } else if request.method == "DELETE" {
                std::future::pending::<()>().await;
            }
            objects.reply(&request)
        })
    })
    .await;
    let store = open(&fake.config()).await;
    let endless = stream::iter([Ok(part(1).into())]).chain(stream::pending());
    let size = Some(SIZE as u64);
    let dropped = tokio::spawn({
        let store = store.clone();
        async move { store.put_stream("k", size, endless.boxed()).await }
    });
    let asked = |fake: &Fake, method: &str| fake.seen().iter().any(|it| it.method == method);
    testkit::eventually(PATIENCE, || async { sent_parts(&fake) == ["1"] }).await;
    dropped.abort();
    testkit::eventually(PATIENCE, || async { asked(&fake, "DELETE") }).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["1", "1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_store_that_lists_no_uploads_gets_everything() {
    for status in [403, 501] {
        let objects = Objects::default();
        let fake = Fake::start(move |request| match with_parts(request, &[]) {
            Some(_) => Response::error(status, "", "no"),
            None => objects.reply(request),
        })
        .await;
        let store = open(&fake.config()).await;
        assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
        assert_eq!(sent_parts(&fake), ["1", "2", "3", "4", "5"]);
    }
}

#[tokio::test]
async fn an_object_that_is_there_is_found_before_it_is_sent() {
    let objects = Objects::default();
    objects.lock().insert("k".into(), b"x".to_vec());
    let fake = Fake::start(move |request| objects.reply(request)).await;
    let store = open(&fake.config()).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Exists);
    assert!(sent_parts(&fake).is_empty());
}
