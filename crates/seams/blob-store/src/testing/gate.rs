//! A store in which one call waits until the test lets it go on, so that something else comes between.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store, StoreError};

/// The call that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Before the object of this key is created.
    BeforePut(String),
    /// After a listing of this prefix was made and before it is returned.
    AfterList(String),
    /// Before the nth call, whatever it is, counted from 1.
    BeforeCall(u64),
}

/// A store that stops once.
pub struct Gate {
    inner: Store,
    shared: Arc<Shared>,
}

struct Shared {
    stop: Stop,
    is_armed: AtomicBool,
    calls: AtomicU64,
    reached: Semaphore,
    opened: Semaphore,
}

impl Gate {
    /// Wraps a store; the first such call waits.
    pub fn new(inner: Store, stop: Stop) -> Self {
        let shared = Shared {
            stop,
            is_armed: AtomicBool::new(true),
            calls: AtomicU64::new(0),
            reached: Semaphore::new(0),
            opened: Semaphore::new(0),
        };
        Self {
            inner,
            shared: Arc::new(shared),
        }
    }

    /// Returns when the call waits.
    pub async fn reached(&self) {
        let reached = self.shared.reached.acquire().await;
        reached.expect("is never closed").forget();
    }

    /// Lets the call go on.
    pub fn open(&self) {
        self.shared.opened.add_permits(1);
    }
}

impl Shared {
    async fn call(&self) {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.pass(Stop::BeforeCall(call)).await;
    }

    async fn pass(&self, here: Stop) {
        if here == self.stop && self.is_armed.swap(false, Ordering::SeqCst) {
            self.reached.add_permits(1);
            let opened = self.opened.acquire().await;
            opened.expect("is never closed").forget();
        }
    }
}

#[async_trait]
impl BlobStore for Gate {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.shared.call().await;
        self.shared.pass(Stop::BeforePut(key.to_owned())).await;
        self.inner.put(key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.shared.call().await;
        self.shared.pass(Stop::BeforePut(key.to_owned())).await;
        self.inner.put_stream(key, size_hint, body).await
    }

    fn part_bytes(&self, bytes: u64) -> Option<u64> {
        self.inner.part_bytes(bytes)
    }

    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        self.shared.call().await;
        self.shared.pass(Stop::BeforePut(key.to_owned())).await;
        self.inner.put_read_twice(key, bytes, body, again).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        self.shared.call().await;
        self.shared.pass(Stop::BeforePut(key.to_owned())).await;
        self.inner.copy(from, key, sizes).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        self.shared.call().await;
        self.inner.get(key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        self.shared.call().await;
        self.inner.get_stream(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        self.shared.call().await;
        self.inner.head(key).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        let (inner, prefix) = (self.inner.clone(), prefix.to_owned());
        let gate = self.shared.clone();
        let stop = Stop::AfterList(prefix.clone());
        // What is listed is listed at once; the caller gets it later.
        let all = async move {
            gate.call().await;
            let all: Vec<_> = inner.list(&prefix).collect().await;
            gate.pass(stop).await;
            stream::iter(all)
        };
        all.flatten_stream().boxed()
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.shared.call().await;
        self.inner.list_children(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.shared.call().await;
        self.inner.delete(key).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.shared.call().await;
        self.inner.delete_many(keys).await
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.shared.call().await;
        self.inner.put_as_parts(key, bytes).await
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        self.shared.call().await;
        self.inner.make_durable(key).await
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.shared.call().await;
        self.inner.discard_unfinished(prefix).await
    }

    fn keeps_versions(&self) -> bool {
        self.inner.keeps_versions()
    }
}
