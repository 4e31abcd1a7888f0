//! Limits the bandwidth to and from a store, so that a backup leaves bandwidth for the database on the same host.

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store, StoreError};

/// How much may pass at once after a pause, as time at the full rate.
const BURST: Duration = Duration::from_millis(250);

/// What one call takes before the others have their turns, so that a small file does not wait for a large part.
const TURN_BYTES: u64 = 1 << 20;

/// A token bucket of bytes whose rate may change while transfers wait. All transfers that share the limit share one of these.
#[derive(Debug)]
pub struct Bandwidth {
    /// Bytes a second; 0: no limit.
    rate: watch::Sender<u64>,
    /// The time by which all bytes granted so far will have passed at the rate.
    paid_until: Mutex<Option<Instant>>,
    /// A limit of several of these together.
    within: Option<Arc<Bandwidth>>,
}

impl Bandwidth {
    /// A rate of 0 would block everything and is taken as 1.
    pub fn new(bytes_per_second: u64) -> Self {
        Self::with_rate(bytes_per_second.max(1), None)
    }

    /// A limit that is set later; until then only that of `within` is in force, which it never exceeds.
    pub fn unlimited(within: Option<Arc<Bandwidth>>) -> Self {
        Self::with_rate(0, within)
    }

    fn with_rate(rate: u64, within: Option<Arc<Bandwidth>>) -> Self {
        Self {
            rate: watch::Sender::new(rate),
            paid_until: Mutex::new(None),
            within,
        }
    }

    /// Changes the rate, in bytes a second, for those that wait already, too; 0: no limit.
    pub fn set_rate(&self, bytes_per_second: u64) {
        let mut paid_until = self.paid_until();
        if *self.rate.borrow() == bytes_per_second {
            // Otherwise each call that sets the same rate again would grant a burst.
            return;
        }
        // What was granted at the rate of before would be waited for at that rate.
        *paid_until = None;
        self.rate.send_replace(bytes_per_second);
    }

    /// Waits until this many bytes may pass. Calls take turns, in their order; a dropped call has still used its share.
    pub async fn take(&self, bytes: u64) {
        let mut left = bytes;
        while left > 0 {
            let turn = left.min(TURN_BYTES);
            self.take_turn(turn).await;
            if let Some(within) = &self.within {
                within.take_turn(turn).await;
            }
            left -= turn;
        }
    }

    async fn take_turn(&self, bytes: u64) {
        let mut changes = self.rate.subscribe();
        while let Some(until) = self.grant(&mut changes, bytes, Instant::now()) {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => return,
                // The sender lives as long as this.
                _ = changes.changed() => {}
            }
        }
    }

    /// The time at which these bytes may pass, if requested now; none if there is no limit. `changes` has seen the rate that
    /// it goes by.
    fn grant(
        &self,
        changes: &mut watch::Receiver<u64>,
        bytes: u64,
        now: Instant,
    ) -> Option<Instant> {
        let mut paid_until = self.paid_until();
        let rate = *changes.borrow_and_update();
        if rate == 0 {
            return None;
        }
        let cost = Duration::from_secs_f64(bytes as f64 / rate as f64);
        let until = paid_until.map_or(now, |until| until.max(now)) + cost;
        *paid_until = Some(until);
        Some(until - BURST.min(cost))
    }

    fn paid_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.paid_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store behind bandwidth limits. Listings and deletions are not limited: they are few bytes.
pub struct Throttle {
    inner: Store,
    /// `None` as well if the store applies the limit by itself.
    up: Option<Arc<Bandwidth>>,
    down: Option<Arc<Bandwidth>>,
}

impl Throttle {
    /// Wraps a store with a limit for uploads and one for downloads; `None` means no limit.
    pub fn new(inner: Store, up: Option<Arc<Bandwidth>>, down: Option<Arc<Bandwidth>>) -> Self {
        let limited = up.as_ref().and_then(|up| inner.with_upload_limit(up));
        match limited {
            Some(inner) => Self {
                inner,
                up: None,
                down,
            },
            None => Self { inner, up, down },
        }
    }
}

/// Lets each chunk wait for its turn.
fn paced(body: ByteStream, limit: Option<Arc<Bandwidth>>) -> ByteStream {
    let Some(limit) = limit else {
        return body;
    };
    body.and_then(move |chunk| {
        let limit = limit.clone();
        async move {
            limit.take(chunk.len() as u64).await;
            Ok(chunk)
        }
    })
    .boxed()
}

#[async_trait]
impl BlobStore for Throttle {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        if let Some(limit) = &self.up {
            limit.take(bytes.len() as u64).await;
        }
        self.inner.put(key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        let body = paced(body, self.up.clone());
        self.inner.put_stream(key, size_hint, body).await
    }

    fn part_bytes(&self, bytes: u64) -> Option<u64> {
        self.inner.part_bytes(bytes)
    }

    /// Paced by the first reading: the second one is part of a request, whose time is limited.
    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        let body = paced(body, self.up.clone());
        self.inner.put_read_twice(key, bytes, body, again).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        self.inner.copy(from, key, sizes).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        let bytes = self.inner.get(key, bytes_max).await?;
        if let Some(limit) = &self.down {
            limit.take(bytes.len() as u64).await;
        }
        Ok(bytes)
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        let body = self.inner.get_stream(key, range).await?;
        Ok(paced(body, self.down.clone()))
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

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.inner.put_as_parts(key, bytes).await
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        self.inner.make_durable(key).await
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.inner.discard_unfinished(prefix).await
    }

    fn keeps_versions(&self) -> bool {
        self.inner.keeps_versions()
    }
}

#[cfg(test)]
mod tests;
