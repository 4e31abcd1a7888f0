//! A store that refuses one value for its size, however often it is written.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use state_store::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};

pub struct NarrowStore {
    pub inner: Arc<dyn StateStore>,
    /// Refuses every write of which the debug text has all of these words.
    pub refused: &'static [&'static str],
}

#[async_trait]
impl StateStore for NarrowStore {
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
        let is_refused = |write: &&Write| {
            let text = format!("{write:?}");
            self.refused.iter().all(|word| text.contains(word))
        };
        match writes.iter().find(is_refused) {
            None => self.inner.write(writes, fence).await,
            Some(_) => Err(StateError::ValueTooLarge {
                key: "what is refused".to_owned(),
                bytes: 2,
                max: 1,
            }),
        }
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        self.inner.watch(prefix).await
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.inner.acquire(lease, holder, ttl).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.inner.renew(fence, ttl).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.inner.release(fence).await
    }
}
