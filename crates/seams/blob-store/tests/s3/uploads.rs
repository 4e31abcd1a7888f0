//! Uploads in parts that do not come to their end, on a store that is slow or ignores the condition.

use std::sync::Arc;
use std::time::Duration;

use blob_store::Put;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use crate::fake::{Fake, Objects, Request};
use crate::server::{PART_BYTES, open};

#[tokio::test]
async fn an_upload_that_is_dropped_while_it_begins_is_aborted() {
    let (objects, may_begin) = (Objects::default(), Arc::new(Semaphore::new(0)));
    let held = may_begin.clone();
    let fake = Fake::start_async(move |request| {
        let (objects, held) = (objects.clone(), held.clone());
        Box::pin(async move {
            if request.asks("uploads") {
                held.acquire().await.expect("is never closed").forget();
            }
            objects.reply(&request)
        })
    })
    .await;
    let store = open(&fake.config()).await;
    let body = stream::iter([Ok(Bytes::from(vec![1; PART_BYTES + 1]))]).boxed();
    let put = tokio::spawn(async move { store.put_stream("k", None, body).await });
    let saw = |test: fn(&Request) -> bool| fake.seen().iter().any(test);
    testkit::eventually(Duration::from_secs(60), || async {
        saw(|request| request.asks("uploads"))
    })
    .await;
    put.abort();
    assert!(put.await.expect_err("aborted").is_cancelled());
    may_begin.add_permits(1);
    testkit::eventually(Duration::from_secs(60), || async {
        saw(|request| request.method == "DELETE" && request.asks("uploadId"))
    })
    .await;
}

#[tokio::test]
async fn a_condition_that_is_ignored_for_parts_is_found_out() {
    let objects = Objects::default();
    let fake = Fake::start(move |request: &Request| {
        let mut request = request.clone();
        if request.asks("uploadId") {
            request.headers.remove("if-none-match");
        }
        objects.reply(&request)
    })
    .await;
    let store = open(&fake.config()).await;
    let bytes = Bytes::from_static(b"x");
    assert_eq!(
        store.put("k", bytes.clone()).await.expect("put"),
        Put::Created
    );
    assert_eq!(
        store.put("k", bytes.clone()).await.expect("put"),
        Put::Exists
    );
    let as_parts = store.put_as_parts("k", bytes).await.expect("put");
    assert_eq!(as_parts, Put::Created, "the store overwrites");
}
