//! A store in which a process dies, or a request fails, at a chosen call.

use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, TryStreamExt};

use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store, StoreError};

/// What goes wrong. Calls are counted from 1, over all methods, as they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before its nth call takes effect: it and all later ones fail.
    DieBefore(u64),
    /// The process dies after its nth call took effect, before the call returns.
    DieAfter(u64),
    /// Only the nth call fails, without effect.
    FailOnce(u64),
    /// Only the nth call fails, after it took effect: the response was lost.
    LoseAnswer(u64),
    /// Reading this object ends after so many bytes.
    Truncate(String, usize),
    /// Reading this object fails as unavailable after so many bytes.
    Break(String, usize),
    /// Copies are refused for good.
    RefuseCopies,
    /// The store is never available for copies.
    FailCopies,
    /// Nothing fails, but before each call other tasks may run first, in a sequence that the seed decides.
    Jitter(u64),
}

/// How often, at most, a call with jitter yields to other tasks.
const YIELDS_MAX: u64 = 12;

enum Verdict {
    Pass,
    FailBefore,
    FailAfter,
}

/// A store with faults.
pub struct Faulty {
    inner: Store,
    calls: AtomicU64,
    fault: Mutex<Option<Fault>>,
}

impl Faulty {
    /// Wraps a store; nothing fails until [`set`](Self::set) is called.
    pub fn new(inner: Store) -> Self {
        Self {
            inner,
            calls: AtomicU64::new(0),
            fault: Mutex::new(None),
        }
    }

    /// Sets the fault, in place of any other, and counts calls from 1 again.
    pub fn set(&self, fault: Fault) {
        *self.fault() = Some(fault);
        self.calls.store(0, Ordering::SeqCst);
    }

    /// Removes the fault: from now on every call works.
    pub fn heal(&self) {
        *self.fault() = None;
    }

    /// How many calls were made since the fault was set.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdict(&self) -> Verdict {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match *self.fault() {
            Some(Fault::DieBefore(at)) if call >= at => Verdict::FailBefore,
            Some(Fault::DieAfter(at)) if call > at => Verdict::FailBefore,
            Some(Fault::DieAfter(at)) if call == at => Verdict::FailAfter,
            Some(Fault::FailOnce(at)) if call == at => Verdict::FailBefore,
            Some(Fault::LoseAnswer(at)) if call == at => Verdict::FailAfter,
            _ => Verdict::Pass,
        }
    }

    /// How often the next call yields to other tasks.
    fn yields(&self) -> u64 {
        let Some(Fault::Jitter(seed)) = *self.fault() else {
            return 0;
        };
        let call = self.calls.load(Ordering::SeqCst);
        // One round of splitmix64.
        let mut mixed = seed.wrapping_add(call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % YIELDS_MAX
    }

    async fn around<T: Send>(
        &self,
        key: &str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let (verdict, yields) = (self.verdict(), self.yields());
        yield_times(yields).await;
        match verdict {
            Verdict::Pass => call.await,
            Verdict::FailBefore => Err(self.unavailable(key)),
            Verdict::FailAfter => {
                call.await?;
                Err(self.unavailable(key))
            }
        }
    }

    fn unavailable(&self, key: &str) -> StoreError {
        StoreError::Unavailable {
            key: key.to_owned(),
            store: self.inner.describe(),
            source: "a fault for a test".into(),
        }
    }

    /// The fault that concerns every copy.
    fn no_copy(&self, key: &str) -> Option<StoreError> {
        match *self.fault() {
            Some(Fault::RefuseCopies) => Some(StoreError::PermissionDenied {
                key: key.to_owned(),
                store: self.inner.describe(),
                source: "a fault for a test".into(),
            }),
            Some(Fault::FailCopies) => Some(self.unavailable(key)),
            _ => None,
        }
    }

    /// Applies the faults that concern the bytes of one object.
    fn spoil(&self, key: &str, body: ByteStream) -> ByteStream {
        let (left, error) = match &*self.fault() {
            Some(Fault::Truncate(of, len)) if of == key => (*len, None),
            Some(Fault::Break(of, len)) if of == key => (*len, Some(self.unavailable(key))),
            _ => return body,
        };
        let cut = body.scan(left, |left, chunk| {
            let chunk = chunk.map(|mut chunk: Bytes| {
                chunk.truncate(*left);
                *left -= chunk.len();
                chunk
            });
            let ended = matches!(&chunk, Ok(chunk) if chunk.is_empty());
            async move { (!ended).then_some(chunk) }
        });
        cut.chain(stream::iter(error.map(Err))).boxed()
    }
}

async fn yield_times(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl BlobStore for Faulty {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.around(key, self.inner.put(key, bytes)).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.around(key, self.inner.put_stream(key, size_hint, body))
            .await
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
        self.around(key, self.inner.put_read_twice(key, bytes, body, again))
            .await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        match self.no_copy(key) {
            Some(error) => Err(error),
            None => self.around(key, self.inner.copy(from, key, sizes)).await,
        }
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        let bytes = self.around(key, self.inner.get(key, bytes_max)).await?;
        let body = self.spoil(key, stream::once(async { Ok(bytes) }).boxed());
        let chunks: Vec<Bytes> = body.try_collect().await?;
        Ok(chunks.concat().into())
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        let body = self.around(key, self.inner.get_stream(key, range)).await?;
        Ok(self.spoil(key, body))
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        self.around(key, self.inner.head(key)).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        match self.verdict() {
            Verdict::Pass => {
                let (inner, prefix, yields) =
                    (self.inner.clone(), prefix.to_owned(), self.yields());
                stream::once(yield_times(yields))
                    .flat_map(move |()| inner.list(&prefix))
                    .boxed()
            }
            Verdict::FailBefore | Verdict::FailAfter => {
                let error = self.unavailable(prefix);
                stream::once(async { Err(error) }).boxed()
            }
        }
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.around(prefix, self.inner.list_children(prefix)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.around(key, self.inner.delete(key)).await
    }

    /// Dies in the middle: the objects before the fault are deleted.
    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            self.around(key, self.inner.delete(key)).await?;
        }
        Ok(())
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.around(key, self.inner.put_as_parts(key, bytes)).await
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        self.around(key, self.inner.make_durable(key)).await
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.around(prefix, self.inner.discard_unfinished(prefix))
            .await
    }

    fn keeps_versions(&self) -> bool {
        self.inner.keeps_versions()
    }
}
