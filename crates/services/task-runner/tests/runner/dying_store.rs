//! A store whose process dies at a write that the test picks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use state_store::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The write never reaches the disk.
    BeforeWrite,
    /// The write is on disk, and nobody learns of it.
    AfterWrite,
}

/// Passes everything on until its time has come; from then on nothing is ever answered.
pub struct DyingStore {
    pub inner: Arc<dyn StateStore>,
    pub writes_left: AtomicI64,
    pub death: Death,
    pub dead: CancellationToken,
}

impl DyingStore {
    pub fn new(inner: Arc<dyn StateStore>, writes: i64, death: Death) -> Self {
        Self {
            inner,
            writes_left: AtomicI64::new(writes),
            death,
            dead: CancellationToken::new(),
        }
    }

    async fn alive(&self) {
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    async fn die(&self) {
        self.dead.cancel();
        std::future::pending::<()>().await;
    }

    async fn once<T>(&self, write: impl Future<Output = T>) -> T {
        self.alive().await;
        let is_last = self.writes_left.fetch_sub(1, Ordering::SeqCst) == 0;
        if is_last && self.death == Death::BeforeWrite {
            self.die().await;
        }
        let answer = write.await;
        if is_last {
            self.die().await;
        }
        answer
    }
}

#[async_trait]
impl StateStore for DyingStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.alive().await;
        self.inner.get(key).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        self.alive().await;
        self.inner.page(prefix, after, limit, direction).await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        self.once(self.inner.write(writes, fence)).await
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        self.inner.watch(prefix).await
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.once(self.inner.acquire(lease, holder, ttl)).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.once(self.inner.renew(fence, ttl)).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.once(self.inner.release(fence)).await
    }
}
