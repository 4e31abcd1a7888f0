//! Uploads stay within a budget of memory, whatever the number and size of objects.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use blob_store::{Budget, ByteStream, Put, ReadAgain, S3Config, Store, StoreError};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt};

use crate::fake::{Fake, Objects};
use crate::server::{PART_BYTES, Server, open, unfinished_uploads};

const PATIENCE: Duration = Duration::from_secs(300);

/// The bytes of an object, which differ with its name.
pub fn fill(seed: u8, start: usize, space: &mut [u8]) {
    for (at, byte) in (start..).zip(space) {
        *byte = (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed;
    }
}

pub fn content(seed: u8, range: Range<usize>) -> Vec<u8> {
    let mut bytes = vec![0; range.len()];
    fill(seed, range.start, &mut bytes);
    bytes
}

/// A stream as an agent makes it: each piece is in memory of the budget, and the end needs none.
fn body(budget: &Budget, seed: u8, range: Range<usize>, piece_bytes: usize) -> ByteStream {
    let first = (budget.clone(), range);
    stream::try_unfold(first, move |(budget, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let len = piece_bytes.min(range.len());
        let mut buffer = budget.buffer(len).await;
        fill(seed, range.start, &mut buffer.space()[..len]);
        let rest = range.start + len..range.end;
        Ok(Some((buffer.into_bytes(len), (budget, rest))))
    })
    .boxed()
}

fn again(budget: &Budget, seed: u8, piece_bytes: usize) -> ReadAgain {
    let budget = budget.clone();
    Arc::new(move |range| {
        let range = range.start as usize..range.end as usize;
        body(&budget, seed, range, piece_bytes)
    })
}

/// Uploads so many objects at once, in whole parts or read twice in pieces; everything arrives within the budget.
async fn check(server: &Server, budget: &Budget, objects: u8, size: usize, piece: Option<usize>) {
    check_on(server.store().await, budget, objects, size, piece).await;
}

async fn check_on(store: Store, budget: &Budget, objects: u8, size: usize, piece: Option<usize>) {
    let puts = (0..objects).map(|seed| {
        let (store, budget) = (store.clone(), budget.clone());
        tokio::spawn(async move {
            let key = format!("{size}/{seed}");
            let put = match piece {
                None => {
                    let part = store.part_bytes(size as u64).expect("has parts");
                    let body = body(&budget, seed, 0..size, part as usize);
                    store.put_stream(&key, Some(size as u64), body).await
                }
                Some(piece) => {
                    let body = body(&budget, seed, 0..size, piece);
                    let again = again(&budget, seed, piece);
                    store.put_read_twice(&key, size as u64, body, again).await
                }
            };
            assert_eq!(put.expect("put"), Put::Created);
        })
    });
    let all = tokio::time::timeout(PATIENCE, try_join_all(puts));
    all.await.expect("no deadlock").expect("all arrive");
    assert!(budget.peak_bytes() <= budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
    for seed in 0..objects {
        let stored = store.get(&format!("{size}/{seed}"), size as u64).await;
        let stored = stored.expect("get");
        assert!(stored == content(seed, 0..size), "{} bytes", stored.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_objects_of_many_parts_share_one_budget() {
    let server = Server::start().await;
    let budget = Budget::new(2 * PART_BYTES as u64);
    check(&server, &budget, 6, 3 * PART_BYTES + 17, None).await;
    // With one that ends with its part.
    check(&server, &budget, 3, 2 * PART_BYTES, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_of_one_part_is_enough_for_several_objects() {
    let server = Server::start().await;
    let budget = Budget::new(PART_BYTES as u64);
    check(&server, &budget, 3, 2 * PART_BYTES + 1, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_are_larger_than_the_budget_are_read_twice() {
    let server = Server::start().await;
    let budget = Budget::new(1 << 20);
    check(&server, &budget, 3, 4 * PART_BYTES + 5, Some(1 << 18)).await;
    // All of the budget for one piece, and an object that is smaller than a part.
    check(&server, &budget, 2, PART_BYTES / 2, Some(1 << 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_across_the_end_of_a_part_does_not_keep_the_memory_that_sending_needs() {
    let server = Server::start().await;
    let config = S3Config {
        parallel_parts: 1,
        ..server.config()
    };
    // Room for one piece, which is no divisor of a part.
    let (store, budget) = (open(&config).await, Budget::new(1 << 20));
    check_on(store, &budget, 1, 2 * PART_BYTES + 1, Some(768 << 10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_differs_when_it_is_read_again_is_not_stored() {
    let server = Server::start().await;
    let store = open(&S3Config {
        attempts_max: 1,
        ..server.config()
    })
    .await;
    let (budget, size) = (Budget::new(1 << 20), PART_BYTES + 9);
    let first = body(&budget, 1, 0..size, 1 << 18);
    let other = again(&budget, 2, 1 << 18);
    let put = store.put_read_twice("a", size as u64, first, other).await;
    let error = put.expect_err("differs");
    assert!(matches!(error, StoreError::Source { .. }), "{error:?}");
    assert_eq!(store.head("a").await.expect("head"), None);
    assert_eq!(unfinished_uploads(&server, "a").await, 0);
    // The same without a checksum that the store would check.
    let unchecked = S3Config {
        checksums: false,
        attempts_max: 1,
        ..server.config()
    };
    let store = open(&unchecked).await;
    let first = body(&budget, 1, 0..size, 1 << 18);
    let other = again(&budget, 2, 1 << 18);
    let put = store.put_read_twice("a", size as u64, first, other).await;
    put.expect_err("differs");
    assert_eq!(store.head("a").await.expect("head"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_are_dropped_give_their_memory_back() {
    let objects = Objects::default();
    // Parts arrive, and no reply ever comes.
    let fake = Fake::start_async(move |request| {
        let objects = objects.clone();
        Box::pin(async move {
            if request.asks("partNumber") {
                std::future::pending::<()>().await;
            }
            objects.reply(&request)
        })
    })
    .await;
    let store: Store = open(&fake.config()).await;
    let budget = Budget::new(2 * PART_BYTES as u64);
    let puts: Vec<_> = (0..3)
        .map(|seed| {
            let (store, size) = (store.clone(), 3 * PART_BYTES);
            let body = body(&budget, seed, 0..size, PART_BYTES);
            let key = seed.to_string();
            tokio::spawn(async move { store.put_stream(&key, Some(size as u64), body).await })
        })
        .collect();
    testkit::eventually(PATIENCE, || async {
        let sent = |fake: &Fake| {
            let seen = fake.seen();
            seen.iter().filter(|it| it.asks("partNumber")).count()
        };
        sent(&fake) == 2 && budget.granted_bytes() == budget.total_bytes()
    })
    .await;
    for put in puts {
        put.abort();
        assert!(put.await.expect_err("aborted").is_cancelled());
    }
    testkit::eventually(PATIENCE, || async { budget.granted_bytes() == 0 }).await;
}
