//! The limit for uploads counts what is sent, and no request waits for it.

use std::sync::Arc;
use std::time::Duration;

use blob_store::{Bandwidth, Put, ReadAgain, S3Config, Store, Throttle};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use crate::fake::Fake;
use crate::left::Left;
use crate::memory::content;
use crate::resume::{part, put, sent_parts};
use crate::server::{PART_BYTES, open};

const PATIENCE: Duration = Duration::from_secs(120);

/// A store with a limit for uploads, and what is behind it.
async fn limited(bytes_per_second: u64, timeout_seconds: u64) -> (Store, Fake, Arc<Left>) {
    let left = Left::new();
    let replying = left.clone();
    let fake = Fake::start(move |request| replying.reply(request)).await;
    let config = S3Config {
        request_timeout_seconds: timeout_seconds,
        ..fake.config()
    };
    let limit = Some(Arc::new(Bandwidth::new(bytes_per_second)));
    let store = Arc::new(Throttle::new(open(&config).await, limit, None));
    (store, fake, left)
}

#[tokio::test]
async fn parts_that_are_there_already_use_no_bandwidth() {
    // Only the last part, of three bytes, is sent.
    let (store, fake, left) = limited(1, 300).await;
    let parts = [1, 2, 3, 4].map(|number| (number as i32, part(number)));
    left.add("k", "old", "", &parts);
    let put = tokio::time::timeout(PATIENCE, put(&store, "k")).await;
    assert_eq!(put.expect("does not wait").expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["5"]);
}

#[tokio::test]
async fn the_limit_does_not_use_up_the_time_of_a_request() {
    // It lets a part pass in five seconds.
    let (store, fake, _) = limited(1 << 20, 3).await;
    let bytes = Bytes::from(content(1, 0..PART_BYTES));
    let chunks = |bytes: &Bytes| {
        let chunks: Vec<_> = bytes.chunks(1 << 18).map(Bytes::copy_from_slice).collect();
        stream::iter(chunks.into_iter().map(Ok)).boxed()
    };
    let whole = bytes.clone();
    let again: ReadAgain = Arc::new(move |range| {
        let range = range.start as usize..range.end as usize;
        chunks(&whole.slice(range))
    });
    let size = PART_BYTES as u64;
    let put = store.put_read_twice("k", size, chunks(&bytes), again);
    assert_eq!(put.await.expect("put"), Put::Created);
    assert_eq!(sent_parts(&fake), ["1"]);
}
