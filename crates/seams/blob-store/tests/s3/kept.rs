//! What is left for the next try when the store is lost, and what is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use blob_store::{Put, S3Config, StoreError};
use futures::stream::{self, StreamExt};
use tokio::sync::Notify;

use crate::fake::{Fake, Request, Response};
use crate::left::Left;
use crate::resume::{SIZE, part, put, sent_parts};
use crate::server::open;

const PATIENCE: Duration = Duration::from_secs(60);

/// A store that responds with an error to the requests that the test is for, until it is well again.
struct Sick {
    fake: Fake,
    left: Arc<Left>,
    is_sick: Arc<AtomicBool>,
    config: S3Config,
}

impl Sick {
    async fn start(error: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Self {
        let (left, is_sick) = (Left::new(), Arc::new(AtomicBool::new(true)));
        let (replying, sick) = (left.clone(), is_sick.clone());
        let fake = Fake::start(move |request| {
            let error = error(request).filter(|_| sick.load(Ordering::SeqCst));
            error.unwrap_or_else(|| replying.reply(request))
        })
        .await;
        let config = S3Config {
            attempts_max: 1,
            parallel_parts: 1,
            ..fake.config()
        };
        Self {
            fake,
            left,
            is_sick,
            config,
        }
    }

    fn add(&self, key: &str, numbers: &[usize]) {
        let parts: Vec<_> = numbers.iter().map(|it| (*it as i32, part(*it))).collect();
        self.left.add(key, "old", "", &parts);
    }

    /// One try that fails.
    async fn fails(&self) -> StoreError {
        let store = open(&self.config).await;
        put(&store, "k").await.expect_err("is sick")
    }

    /// The parts that are sent by the next try, which succeeds.
    async fn then_sends(&self) -> Vec<String> {
        self.is_sick.store(false, Ordering::SeqCst);
        self.fake.seen().clear();
        let store = open(&self.config).await;
        assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
        assert!(self.left.unfinished().is_empty());
        sent_parts(&self.fake)
    }
}

fn completes(request: &Request) -> bool {
    request.method == "POST" && request.asks("uploadId")
}

#[tokio::test]
async fn a_file_that_is_dropped_when_another_one_loses_the_store_keeps_its_parts() {
    let is_lost = |request: &Request| request.key == "a" && request.asks("partNumber");
    let sick = Sick::start(move |request| {
        let lost = is_lost(request) && request.value("partNumber").as_deref() == Some("3");
        lost.then(|| Response::error(503, "SlowDown", "later"))
    })
    .await;
    let store = open(&sick.config).await;
    // It asks for its second part as soon as the first one is sent.
    let asked = Arc::new(Notify::new());
    let endless = stream::iter([Ok(part(1).into())]).chain(stream::once({
        let asked = asked.clone();
        async move {
            asked.notify_one();
            std::future::pending().await
        }
    }));
    let sibling = tokio::spawn({
        let store = store.clone();
        async move {
            let size = Some(SIZE as u64);
            store.put_stream("k", size, endless.boxed()).await
        }
    });
    let sent = tokio::time::timeout(PATIENCE, asked.notified());
    sent.await.expect("it sends its first part");
    put(&store, "a").await.expect_err("lost");
    sibling.abort();
    assert!(sibling.await.expect_err("aborted").is_cancelled());
    sick.is_sick.store(false, Ordering::SeqCst);
    sick.fake.seen().clear();
    for (key, sent) in [("a", vec!["3", "4", "5"]), ("k", vec!["2", "3", "4", "5"])] {
        assert_eq!(put(&store, key).await.expect("put"), Put::Created);
        assert_eq!(sent_parts(&sick.fake), sent, "{key}");
        sick.fake.seen().clear();
    }
    assert!(sick.left.aborted().is_empty());
}

#[tokio::test]
async fn a_try_that_sends_nothing_new_loses_nothing() {
    let sick = Sick::start(|request| {
        let lost = request.asks("partNumber");
        lost.then(|| Response::error(503, "SlowDown", "later"))
    })
    .await;
    sick.add("k", &[1, 2, 4]);
    for _ in 0..2 {
        assert!(sick.fails().await.is_retryable());
    }
    assert_eq!(sick.then_sends().await, ["3", "5"]);
}

#[tokio::test]
async fn an_upload_that_could_not_be_completed_in_time_is_not_sent_again() {
    let sick = Sick::start(|request| {
        let lost = completes(request);
        lost.then(|| Response::error(503, "SlowDown", "later"))
    })
    .await;
    assert!(sick.fails().await.is_retryable());
    assert!(sick.then_sends().await.is_empty());
}

#[tokio::test]
async fn an_upload_is_kept_while_credentials_a_right_or_room_are_missing() {
    let expired = (400, "ExpiredToken");
    for (status, code) in [expired, (403, "AccessDenied"), (507, "XMinioStorageFull")] {
        let sick = Sick::start(move |request| {
            let late = request.value("partNumber").as_deref() == Some("3");
            late.then(|| Response::error(status, code, "no"))
        })
        .await;
        let error = sick.fails().await;
        assert!(!error.is_retryable(), "{error:?}");
        assert_eq!(sick.then_sends().await, ["3", "4", "5"], "{code}");
    }
}

#[tokio::test]
async fn an_upload_that_cannot_be_completed_is_given_up() {
    // A conflict with another writer, and parts that the store has listed and lost.
    for (status, code) in [(409, "ConditionalRequestConflict"), (400, "InvalidPart")] {
        let sick = Sick::start(move |request| {
            let refused = completes(request);
            refused.then(|| Response::error(status, code, "no"))
        })
        .await;
        sick.add("k", &[1, 2, 3, 4]);
        assert!(sick.fails().await.is_retryable(), "{code}");
        assert_eq!(sick.left.aborted(), ["old"], "{code}");
        assert_eq!(sick.then_sends().await.len(), 5, "{code}");
    }
}

#[tokio::test]
async fn an_upload_that_was_begun_with_other_settings_is_given_up() {
    let sick = Sick::start(|request| {
        let old = request.value("uploadId").as_deref() == Some("old");
        let refused = old && request.asks("partNumber");
        refused.then(|| Response::error(400, "InvalidRequest", "the checksum type differs"))
    })
    .await;
    sick.add("k", &[1]);
    assert!(sick.fails().await.is_retryable());
    assert_eq!(sick.left.aborted(), ["old"]);
    assert_eq!(sick.then_sends().await.len(), 5);
}

#[tokio::test]
async fn an_upload_with_another_storage_class_or_checksum_is_not_taken_up() {
    let class = "<StorageClass>STANDARD_IA</StorageClass>";
    let checksum = "<ChecksumAlgorithm>SHA256</ChecksumAlgorithm>";
    let same = "<StorageClass>STANDARD</StorageClass><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>";
    for (listed, is_taken_up) in [(class, false), (checksum, false), (same, true)] {
        let well = Sick::start(|_| None).await;
        let parts = [1, 2, 3].map(|it| (it as i32, part(it)));
        well.left.add("k", "old", listed, &parts);
        let sent = well.then_sends().await;
        assert_eq!(sent.len(), if is_taken_up { 2 } else { 5 }, "{listed}");
    }
}

#[tokio::test]
async fn no_upload_is_taken_up_if_a_key_encrypts_the_objects() {
    let mut well = Sick::start(|_| None).await;
    well.config.sse_kms_key = Some("key".into());
    let parts = [1, 2, 3].map(|it| (it as i32, part(it)));
    well.left.add("k", "old", "", &parts);
    let store = open(&well.config).await;
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&well.fake).len(), 5);
}

#[tokio::test]
async fn an_upload_that_could_not_be_aborted_is_taken_up() {
    let sick = Sick::start(|request| {
        let refused = request.asks("partNumber") || request.method == "DELETE";
        refused.then(|| Response::error(503, "SlowDown", "later"))
    })
    .await;
    let store = open(&sick.config).await;
    put(&store, "k").await.expect_err("is sick");
    sick.is_sick.store(false, Ordering::SeqCst);
    assert_eq!(put(&store, "k").await.expect("put"), Put::Created);
    // A second upload would have left the first one behind.
    assert!(sick.left.unfinished().is_empty());
}
