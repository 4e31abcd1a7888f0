//! A store in which time passes just before a write that the test picks, so that leases run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use state_store::testing::ManualClock;
use state_store::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use tokio_util::sync::CancellationToken;

/// More than any lease lasts.
pub const AGES: Duration = Duration::from_secs(3_600);

pub struct LapsingStore {
    inner: Arc<dyn StateStore>,
    clock: ManualClock,
    passing: Duration,
    writes_left: AtomicI64,
    /// Fires when a write or a renewal is refused for its lease.
    pub fenced: CancellationToken,
}

impl LapsingStore {
    /// The clock is the one that the inner store was opened with.
    pub fn new(
        inner: Arc<dyn StateStore>,
        clock: ManualClock,
        writes: i64,
        passing: Duration,
    ) -> Self {
        Self {
            inner,
            clock,
            passing,
            writes_left: AtomicI64::new(writes),
            fenced: CancellationToken::new(),
        }
    }

    /// Whether there was such a write.
    pub fn has_passed(&self) -> bool {
        self.writes_left.load(Ordering::SeqCst) < 0
    }

    async fn once<T>(
        &self,
        write: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        if self.writes_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.clock.advance(self.passing);
        }
        let result = write.await;
        if matches!(result, Err(StateError::Fenced { .. })) {
            self.fenced.cancel();
        }
        result
    }
}

#[async_trait]
impl StateStore for LapsingStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.inner.get(key).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
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
