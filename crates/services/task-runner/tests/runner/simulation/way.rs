//! A runner's way to the state, on which calls are late, fail, lose their replies, and end the runner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use state_store::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Chance;
use super::store::SharedState;

/// A runner's way to the state.
pub struct FaultyWay {
    state: Arc<SharedState>,
    chance: Chance,
    /// Whether anything goes wrong.
    pub is_faulty: AtomicBool,
    /// Cancelled once the runner has died: nothing returns any more.
    pub dead: CancellationToken,
}

impl FaultyWay {
    pub fn new(state: Arc<SharedState>, chance: Chance) -> Self {
        Self {
            state,
            chance,
            is_faulty: AtomicBool::new(true),
            dead: CancellationToken::new(),
        }
    }

    fn happens(&self, one_in: u64) -> bool {
        self.is_faulty.load(Ordering::SeqCst) && self.chance.one_in(one_in)
    }

    /// The way there or back: late, cut, or the last.
    async fn way(&self) -> Result<(), StateError> {
        if self.happens(400) {
            self.dead.cancel();
        }
        if self.dead.is_cancelled() {
            return std::future::pending().await;
        }
        if self.happens(300) {
            // Perhaps longer than a lease lasts.
            sleep(self.chance.millis(12_000)).await;
        } else if self.happens(4) {
            sleep(self.chance.millis(20)).await;
        }
        if self.dead.is_cancelled() {
            return std::future::pending().await;
        }
        if self.happens(80) {
            return Err(StateError::Backend {
                action: "reach the state",
                source: "it was cut".into(),
            });
        }
        Ok(())
    }

    async fn both<T>(
        &self,
        call: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        self.way().await?;
        let done = call.await;
        self.way().await?;
        done
    }
}

#[async_trait]
impl StateStore for FaultyWay {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.both(self.state.get(key)).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        self.both(self.state.page(prefix, after, limit, direction))
            .await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        self.both(self.state.write(writes, fence)).await
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        self.both(self.state.watch(prefix)).await
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.both(self.state.acquire(lease, holder, ttl)).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.both(self.state.renew(fence, ttl)).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.both(self.state.release(fence)).await
    }
}
