//! Uploads hold no more than the agent's budget: in whole parts if there is room for them, in pieces otherwise.

use std::fs;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use blob_store::{
    BlobStore, Budget, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store, StoreError,
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::pieces::Way;
use super::tests::{check_bucket, node, take, upload_as};
use super::*;
use crate::testing::FakeNode;

const UNIT: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that takes streams in parts, and notes how they came.
struct Parted {
    inner: Store,
    part_bytes: u64,
    /// The size of an object and of a chunk of it.
    chunks: Arc<Mutex<Vec<(u64, usize)>>>,
    read_twice: Mutex<Vec<u64>>,
    /// Asks in the second reading for more than there is.
    overreads: bool,
    /// Of this budget, all that is left is taken while a file is read again.
    exhausted: Mutex<Option<Budget>>,
}

#[async_trait]
impl BlobStore for Parted {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn part_bytes(&self, _bytes: u64) -> Option<u64> {
        Some(self.part_bytes)
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.inner.put(key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        let (chunks, size) = (self.chunks.clone(), size_hint.unwrap());
        let body = body.inspect_ok(move |chunk| chunks.lock().unwrap().push((size, chunk.len())));
        self.inner.put_stream(key, size_hint, body.boxed()).await
    }

    /// Stores what the second reading gives.
    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        self.read_twice.lock().unwrap().push(bytes);
        let first: usize = body
            .try_fold(0, async |sum, chunk| Ok(sum + chunk.len()))
            .await?;
        assert_eq!(first as u64, bytes);
        let exhausted = self.exhausted.lock().unwrap().clone();
        let _taken = match exhausted {
            Some(budget) => {
                let left = budget.total_bytes() - budget.granted_bytes();
                Some(budget.reserve(left).await)
            }
            None => None,
        };
        let end = if self.overreads { bytes + 1 } else { bytes };
        let middle = bytes / 2;
        let body = again(0..middle).chain(again(middle..end));
        self.inner.put_stream(key, Some(bytes), body.boxed()).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        self.inner.get(key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        self.inner.get_stream(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        self.inner.head(key).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        self.inner.list(prefix)
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.inner.list_children(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.inner.delete_many(keys).await
    }
}

/// A node with files of several parts, and its store.
fn parted(budget_bytes: usize, part_bytes: usize) -> (FakeNode, Arc<Parted>) {
    parted_as(budget_bytes, part_bytes, false)
}

fn parted_as(budget_bytes: usize, part_bytes: usize, overreads: bool) -> (FakeNode, Arc<Parted>) {
    let mut node = node().unpacked();
    for number in 3..9 {
        let content = "x".repeat(number * UNIT + number);
        let descriptor = format!("nb-{number}-big");
        node.table("full", 1, 0).sstable(&descriptor, &content);
        // What is parsed is small.
        let index = node.table("full", 1, 0).0;
        let small = fs::read(index.join("nb-1-big-Index.db")).unwrap();
        fs::write(index.join(format!("{descriptor}-Index.db")), small).unwrap();
    }
    let store = Arc::new(Parted {
        inner: node.bucket.clone(),
        part_bytes: part_bytes as u64,
        chunks: Arc::default(),
        read_twice: Mutex::default(),
        overreads,
        exhausted: Mutex::default(),
    });
    node.agent.store = store.clone();
    node.agent.budget = Budget::new(budget_bytes as u64);
    node.agent.config.parallel_files = 4;
    (node, store)
}

async fn back_up(node: &FakeNode) {
    take(node).await;
    upload_as(node, "b1").await.unwrap();
    check_bucket(node, &node.manifest("b1").await).await;
    let budget = &node.agent.budget;
    assert!(budget.peak_bytes() <= budget.total_bytes());
    assert_eq!(budget.granted_bytes(), 0);
}

#[tokio::test]
async fn files_come_in_whole_parts_within_the_budget() {
    let (node, store) = parted(8 * UNIT, 2 * UNIT);
    back_up(&node).await;
    let chunks = store.chunks.lock().unwrap();
    assert!(chunks.iter().any(|(size, _)| *size > 8 * UNIT as u64));
    for (size, chunk) in chunks.iter() {
        let last = *size as usize % (2 * UNIT);
        assert!([2 * UNIT, last].contains(chunk), "{chunk} of {size}");
    }
    assert!(store.read_twice.lock().unwrap().is_empty());
}

#[tokio::test]
async fn files_with_parts_that_do_not_fit_are_read_twice_within_the_budget() {
    let (node, store) = parted(4 * UNIT, 3 * UNIT);
    back_up(&node).await;
    let read_twice = store.read_twice.lock().unwrap();
    assert_eq!(read_twice.len(), 6, "{read_twice:?}");
    let chunks = store.chunks.lock().unwrap();
    let smaller = |(size, _): &(u64, usize)| *size <= 2 * UNIT as u64;
    assert!(chunks.iter().all(|chunk| chunk.1 <= 257 || smaller(chunk)));
}

#[tokio::test]
async fn a_file_that_is_shorter_when_it_is_read_again_has_changed() {
    let (node, _) = parted_as(4 * UNIT, 3 * UNIT, true);
    take(&node).await;
    let error = upload_as(&node, "b1").await.unwrap_err();
    assert!(
        matches!(error, UploadError::FileChanged { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_second_reading_waits_for_no_other_file() {
    let (mut node, store) = parted(16 * UNIT, 9 * UNIT);
    node.agent.config.parallel_files = 1;
    *store.exhausted.lock().unwrap() = Some(node.agent.budget.clone());
    let backed_up = tokio::time::timeout(PATIENCE, back_up(&node)).await;
    backed_up.expect("does not wait");
    assert!(!store.read_twice.lock().unwrap().is_empty());
}

#[test]
fn parts_are_held_if_several_have_room() {
    let mib = |mib: u64| mib << 20;
    let pieces = Pieces {
        budget: Budget::new(mib(96)),
        bytes: 1 << 20,
    };
    let once = |bytes: u64| Way::Once(bytes as usize);
    for (bytes, part_bytes, way) in [
        (mib(1), Some(mib(16)), once(mib(1))),
        (mib(100), Some(mib(16)), once(mib(16))),
        (mib(240_000), Some(mib(24)), once(mib(24))),
        (mib(250_000), Some(mib(25)), Way::Twice),
        // A buffer is a multiple of 1 MiB.
        (mib(240_001), Some(mib(24) + 1), Way::Twice),
        // Of two parts no more than two are ever held.
        (mib(90), Some(mib(48)), once(mib(48))),
        (mib(90), Some(mib(48) + 1), Way::Twice),
        (mib(5 << 20), Some(mib(525)), Way::Twice),
        // A file that is smaller than a large part.
        (mib(20), Some(mib(256)), once(mib(20))),
        (mib(60), Some(mib(256)), Way::Twice),
        (mib(60), None, once(mib(1))),
    ] {
        assert_eq!(pieces.way(bytes, part_bytes), way, "{bytes}");
    }
}
