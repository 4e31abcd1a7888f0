//! Uploads that a store still lists though they are gone, and listings that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blob_store::{Put, S3Config};

use crate::fake::{Fake, Response};
use crate::left::Left;
use crate::memory::content;
use crate::resume::{SIZE, part, put, sent_parts};
use crate::server::open;

fn numbered(numbers: &[usize]) -> Vec<(i32, Vec<u8>)> {
    let numbers = numbers.iter();
    numbers.map(|it| (*it as i32, part(*it))).collect()
}

#[track_caller]
fn assert_whole(left: &Left) {
    let objects = left.objects.lock();
    let stored = objects.get("k").expect("is stored");
    assert!(*stored == content(7, 0..SIZE), "{} bytes", stored.len());
}

#[tokio::test]
async fn an_upload_that_is_listed_and_gone_is_passed_over() {
    let left = Left::new();
    left.add_ghost("k", "ghost");
    let replying = left.clone();
    let fake = Fake::start(move |request| replying.reply(request)).await;
    let store = open(&fake.config()).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_whole(&left);
    // Another one that is not gone is still taken up.
    left.objects.lock().clear();
    fake.seen().clear();
    left.add("k", "old", "", &numbered(&[1, 2]));
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["3", "4", "5"]);
    assert_whole(&left);
}

#[tokio::test]
async fn an_upload_that_vanishes_while_it_is_sent_is_not_taken_up_again() {
    let left = Left::new();
    left.add_ghost("k", "ghost");
    let replying = left.clone();
    let fake = Fake::start(move |request| {
        let is_ghost = request.value("uploadId").as_deref() == Some("ghost");
        if is_ghost && request.method == "GET" {
            let part = "<PartNumber>1</PartNumber><Size>1</Size><ETag>e</ETag>";
            let part = format!("<Part>{part}<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>");
            return Response::new(200, format!("<ListPartsResult>{part}</ListPartsResult>"));
        }
        replying.reply(request)
    })
    .await;
    let store = open(&fake.config()).await;
    let error = put(&store, "k").await.expect_err("is gone");
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_whole(&left);
}

#[tokio::test]
async fn of_several_uploads_the_one_with_the_most_parts_is_taken_up() {
    let left = Left::new();
    let begun = |day| format!("<Initiated>2026-01-0{day}T00:00:00.000Z</Initiated>");
    left.add("k", "few", &begun(3), &numbered(&[1]));
    left.add("k", "most", &begun(1), &numbered(&[1, 2, 4]));
    left.add("k", "none", &begun(2), &[]);
    let replying = left.clone();
    let fake = Fake::start(move |request| replying.reply(request)).await;
    let store = open(&fake.config()).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["3", "5"]);
    assert_eq!(left.aborted(), ["few", "none"]);
    assert_whole(&left);
}

#[tokio::test]
async fn nothing_is_begun_while_the_listings_are_out_of_reach() {
    for listing in ["uploads", "uploadId"] {
        let (left, is_lost) = (Left::new(), Arc::new(AtomicBool::new(true)));
        left.add("k", "old", "", &numbered(&[1, 2, 4]));
        let (replying, lost) = (left.clone(), is_lost.clone());
        let fake = Fake::start(move |request| {
            let is_listing = request.method == "GET" && request.asks(listing);
            if is_listing && lost.load(Ordering::SeqCst) {
                return Response::error(503, "SlowDown", "later");
            }
            replying.reply(request)
        })
        .await;
        let config = S3Config {
            attempts_max: 1,
            ..fake.config()
        };
        let store = open(&config).await;
        let error = put(&store, "k").await.expect_err("out of reach");
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(left.unfinished(), [("old".to_owned(), vec![1, 2, 4])]);
        is_lost.store(false, Ordering::SeqCst);
        assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
        assert_eq!(sent_parts(&fake), ["3", "5"]);
    }
}
