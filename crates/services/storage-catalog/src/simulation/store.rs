//! The store of the simulation: every call waits for its turn, and may fail before or after it has had its effect.

use std::future::poll_fn;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use blob_store::testing::Memory;
use blob_store::{BlobStore, ByteStream, Children, MetaStream, Put, StoreError};
use bytes::Bytes;
use futures::stream::{self, StreamExt};

use super::oracle::Oracle;

/// Numbers by chance, the same for the same seed.
pub struct Chance(AtomicU64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// splitmix64.
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn one_in(&self, number: u64) -> bool {
        self.below(number) == 0
    }
}

pub struct Shaken {
    pub memory: Memory,
    oracle: Arc<Mutex<Oracle>>,
    chance: Chance,
    is_calm: AtomicBool,
    /// Requests to delete that are held up on their way: their senders know nothing, and may be dead when they arrive.
    held_up: Mutex<Vec<Vec<String>>>,
}

impl Shaken {
    pub fn new(memory: Memory, seed: u64, oracle: Arc<Mutex<Oracle>>) -> Self {
        Self {
            memory,
            oracle,
            chance: Chance::new(seed),
            is_calm: AtomicBool::new(false),
            held_up: Mutex::default(),
        }
    }

    /// From now on no call fails.
    pub fn be_calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    fn held_up(&self) -> MutexGuard<'_, Vec<Vec<String>>> {
        self.held_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request to delete is held up. Of what a backup consists only: documents settle races by themselves.
    fn holds_up(&self, keys: &[String]) -> bool {
        let is_of_backup = |key: &String| key.contains("/data/") || key.contains("/nodes/");
        let held_up = !self.is_calm.load(Ordering::Relaxed)
            && keys.iter().all(is_of_backup)
            && self.chance.one_in(10);
        if held_up {
            self.held_up().push(keys.to_vec());
        }
        held_up
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the oracle that these objects are to be deleted. Returns those that are there.
    async fn sent<'a>(&self, keys: &'a [String]) -> Result<Vec<&'a String>, StoreError> {
        let mut there = Vec::new();
        for key in keys {
            if self.memory.head(key).await?.is_some() {
                self.oracle().deletes(key);
                there.push(key);
            }
        }
        Ok(there)
    }

    /// Carries out a request to delete.
    async fn arrive(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in self.sent(keys).await? {
            self.memory.delete(key).await?;
        }
        Ok(())
    }

    /// All that are still held up arrive.
    pub async fn all_arrive(&self) -> Result<(), StoreError> {
        let all = std::mem::take(&mut *self.held_up());
        for keys in all {
            self.arrive(&keys).await?;
        }
        Ok(())
    }

    async fn turn(&self, key: &str) -> Result<(), StoreError> {
        let mut has_waited = false;
        poll_fn(|context| yield_once(&mut has_waited, context)).await;
        let arriving = if self.chance.one_in(50) {
            self.held_up().pop()
        } else {
            None
        };
        if let Some(keys) = arriving {
            self.arrive(&keys).await?;
        }
        self.fault(key)
    }

    fn fault(&self, key: &str) -> Result<(), StoreError> {
        if self.is_calm.load(Ordering::Relaxed) || !self.chance.one_in(150) {
            return Ok(());
        }
        Err(lost(key))
    }
}

fn lost(key: &str) -> StoreError {
    StoreError::Unavailable {
        key: key.to_owned(),
        store: "the simulation".to_owned(),
        source: "by chance".into(),
    }
}

/// Lets the other acts come first, once.
fn yield_once(has_waited: &mut bool, context: &mut Context<'_>) -> Poll<()> {
    if std::mem::replace(has_waited, true) {
        return Poll::Ready(());
    }
    // What polls several calls of one act goes by its wakers.
    context.waker().wake_by_ref();
    Poll::Pending
}

#[async_trait]
impl BlobStore for Shaken {
    fn describe(&self) -> String {
        self.memory.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.turn(key).await?;
        let put = self.memory.put(key, bytes).await?;
        if put == Put::Created {
            self.oracle().created(key);
        }
        self.fault(key)?;
        Ok(put)
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.turn(key).await?;
        self.memory.put_stream(key, size_hint, body).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        self.turn(key).await?;
        self.memory.get(key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        self.turn(key).await?;
        self.memory.get_stream(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<blob_store::Meta>, StoreError> {
        self.turn(key).await?;
        self.memory.head(key).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        let memory = self.memory.clone();
        let prefix = prefix.to_owned();
        // The turn is taken by the stream: what is listed is what is there then.
        let failed = self.fault(&prefix);
        let mut has_waited = false;
        let waits = poll_fn(move |context| yield_once(&mut has_waited, context));
        let listed = async move {
            waits.await;
            match failed {
                Err(error) => vec![Err(error)],
                Ok(()) => memory.list(&prefix).collect::<Vec<_>>().await,
            }
        };
        stream::once(listed).flat_map(stream::iter).boxed()
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.turn(prefix).await?;
        self.memory.list_children(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.delete_many(&[key.to_owned()]).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        let first = keys.first().map(String::as_str).unwrap_or_default();
        self.turn(first).await?;
        self.sent(keys).await?;
        if self.holds_up(keys) {
            return Err(lost(first));
        }
        self.arrive(keys).await?;
        self.fault(first)
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.turn(prefix).await?;
        self.memory.discard_unfinished(prefix).await
    }
}
