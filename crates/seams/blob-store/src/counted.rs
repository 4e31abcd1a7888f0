//! Counts requests and bytes, for metrics and for tests of how many requests something costs.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use crate::{
    Bandwidth, BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store, StoreError,
};

/// What went through a store so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `put`, `put_stream` and `put_read_twice`.
    pub puts: u64,
    /// Calls of `copy`.
    pub copies: u64,
    /// Calls of `get` and `get_stream`.
    pub gets: u64,
    /// Calls of `head`.
    pub heads: u64,
    /// Calls of `list` and `list_children`.
    pub lists: u64,
    /// Calls of `delete` and `delete_many`.
    pub deletes: u64,
    /// Bytes of object bodies that were handed to the store.
    pub bytes_up: u64,
    /// Bytes of object bodies that were read.
    pub bytes_down: u64,
}

/// A store that counts calls of this port and bytes. One call may be many requests on the wire, for pages and parts.
pub struct Counted {
    inner: Store,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    puts: AtomicU64,
    copies: AtomicU64,
    gets: AtomicU64,
    heads: AtomicU64,
    lists: AtomicU64,
    deletes: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
}

impl Counters {
    fn call(&self, counter: &AtomicU64, verb: &'static str) {
        counter.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("ringkeep_store_calls_total", "verb" => verb).increment(1);
    }

    fn up(&self, bytes: u64) {
        self.bytes_up.fetch_add(bytes, Ordering::Relaxed);
        metrics::counter!("ringkeep_store_bytes_total", "direction" => "up").increment(bytes);
    }

    fn down(&self, bytes: u64) {
        self.bytes_down.fetch_add(bytes, Ordering::Relaxed);
        metrics::counter!("ringkeep_store_bytes_total", "direction" => "down").increment(bytes);
    }
}

impl Counted {
    /// Wraps a store; all counts start at 0.
    pub fn new(inner: Store) -> Self {
        show_errors();
        Self {
            inner,
            counters: Arc::default(),
        }
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            puts: read(&self.counters.puts),
            copies: read(&self.counters.copies),
            gets: read(&self.counters.gets),
            heads: read(&self.counters.heads),
            lists: read(&self.counters.lists),
            deletes: read(&self.counters.deletes),
            bytes_up: read(&self.counters.bytes_up),
            bytes_down: read(&self.counters.bytes_down),
        }
    }
}

impl Counted {
    fn counted_up(&self, body: ByteStream) -> ByteStream {
        let counters = self.counters.clone();
        let counted = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counters.up(chunk.len() as u64);
            }
        });
        counted.boxed()
    }
}

/// Puts the counters of errors on the page with 0: of a counter that begins with 1, Prometheus sees no increase.
fn show_errors() {
    for verb in [
        "put", "copy", "get", "head", "list", "delete", "sync", "discard",
    ] {
        for retryable in ["true", "false"] {
            metrics::counter!("ringkeep_store_errors_total", "verb" => verb, "retryable" => retryable)
                .increment(0);
        }
    }
}

/// Counts errors by what can be done about them.
fn watched<T>(verb: &'static str, result: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = &result {
        let retryable = if error.is_retryable() {
            "true"
        } else {
            "false"
        };
        metrics::counter!("ringkeep_store_errors_total", "verb" => verb, "retryable" => retryable)
            .increment(1);
    }
    result
}

#[async_trait]
impl BlobStore for Counted {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.counters.call(&self.counters.puts, "put");
        self.counters.up(bytes.len() as u64);
        watched("put", self.inner.put(key, bytes).await)
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.counters.call(&self.counters.puts, "put");
        let body = self.counted_up(body);
        watched("put", self.inner.put_stream(key, size_hint, body).await)
    }

    fn part_bytes(&self, bytes: u64) -> Option<u64> {
        self.inner.part_bytes(bytes)
    }

    fn with_upload_limit(&self, limit: &Arc<Bandwidth>) -> Option<Store> {
        let inner = self.inner.with_upload_limit(limit)?;
        let counters = self.counters.clone();
        Some(Arc::new(Self { inner, counters }))
    }

    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        self.counters.call(&self.counters.puts, "put");
        let body = self.counted_up(body);
        let put = self.inner.put_read_twice(key, bytes, body, again).await;
        watched("put", put)
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        self.counters.call(&self.counters.copies, "copy");
        watched("copy", self.inner.copy(from, key, sizes).await)
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        self.counters.call(&self.counters.gets, "get");
        let bytes = watched("get", self.inner.get(key, bytes_max).await)?;
        self.counters.down(bytes.len() as u64);
        Ok(bytes)
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        self.counters.call(&self.counters.gets, "get");
        let body = watched("get", self.inner.get_stream(key, range).await)?;
        let counters = self.counters.clone();
        let counted = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counters.down(chunk.len() as u64);
            }
        });
        Ok(counted.boxed())
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        self.counters.call(&self.counters.heads, "head");
        watched("head", self.inner.head(key).await)
    }

    fn list(&self, prefix: &str) -> MetaStream {
        self.counters.call(&self.counters.lists, "list");
        self.inner.list(prefix)
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.counters.call(&self.counters.lists, "list");
        watched("list", self.inner.list_children(prefix).await)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.counters.call(&self.counters.deletes, "delete");
        watched("delete", self.inner.delete(key).await)
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.counters.call(&self.counters.deletes, "delete");
        watched("delete", self.inner.delete_many(keys).await)
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.counters.call(&self.counters.puts, "put");
        self.counters.up(bytes.len() as u64);
        watched("put", self.inner.put_as_parts(key, bytes).await)
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        watched("sync", self.inner.make_durable(key).await)
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.counters.call(&self.counters.lists, "list");
        watched("discard", self.inner.discard_unfinished(prefix).await)
    }

    fn keeps_versions(&self) -> bool {
        self.inner.keeps_versions()
    }
}
