//! A store in memory.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::error::not_copied_size;
use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, StoreError, key};

/// The chunk size of streams: small, so that tests see more than one chunk.
const CHUNK_BYTES: usize = 4096;

/// A store in memory. Clones share their objects.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    objects: Arc<Mutex<BTreeMap<String, (u64, Bytes)>>>,
    writes: Arc<AtomicU64>,
    unfinished: Arc<Mutex<Vec<String>>>,
    keeps_versions: Arc<AtomicBool>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Bytes)>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// A copy that shares nothing with this one.
    pub fn fork(&self) -> Self {
        let copy = Self::default();
        *copy.lock() = self.lock().clone();
        copy.writes
            .store(self.writes.load(Ordering::Relaxed), Ordering::Relaxed);
        copy
    }

    /// Replaces an object, or creates it: for tests that damage a store.
    pub fn overwrite(&self, key: &str, bytes: impl Into<Bytes>) {
        let tag = self.writes.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(key.to_owned(), (tag, bytes.into()));
    }

    /// Leaves an upload behind that a killed writer has begun.
    pub fn leave_unfinished(&self, key: &str) {
        self.uploads().push(key.to_owned());
    }

    /// The keys of uploads that were begun and neither finished nor discarded.
    pub fn unfinished(&self) -> Vec<String> {
        self.uploads().clone()
    }

    fn uploads(&self) -> MutexGuard<'_, Vec<String>> {
        self.unfinished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on deletions are said to leave versions behind.
    pub fn keep_versions(&self) {
        self.keeps_versions.store(true, Ordering::Relaxed);
    }

    fn find(&self, key: &str) -> Result<Bytes, StoreError> {
        key::check(key)?;
        match self.lock().get(key) {
            Some((_, bytes)) => Ok(bytes.clone()),
            None => Err(StoreError::NotFound {
                key: key.to_owned(),
                store: self.describe(),
            }),
        }
    }

    fn under(&self, prefix: &str) -> Vec<Meta> {
        self.lock()
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, object)| meta(key, object))
            .collect()
    }
}

fn meta(key: &str, (tag, bytes): &(u64, Bytes)) -> Meta {
    Meta {
        key: key.to_owned(),
        size: bytes.len() as u64,
        tag: tag.to_string(),
    }
}

#[async_trait]
impl BlobStore for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        key::check(key)?;
        let tag = self.writes.fetch_add(1, Ordering::Relaxed);
        let mut objects = self.lock();
        if objects.contains_key(key) {
            return Ok(Put::Exists);
        }
        objects.insert(key.to_owned(), (tag, bytes));
        Ok(Put::Created)
    }

    async fn put_stream(
        &self,
        key: &str,
        _size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        let append = |mut all: BytesMut, chunk: Bytes| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        };
        let bytes = body.try_fold(BytesMut::new(), append).await?;
        self.put(key, bytes.freeze()).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        key::check(key)?;
        let bytes = self.find(from)?;
        let size = bytes.len() as u64;
        if !sizes.contains(&size) {
            return Err(not_copied_size(key, &self.describe(), size, &sizes));
        }
        self.put(key, bytes).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        let bytes = self.find(key)?;
        let size = bytes.len() as u64;
        if size > bytes_max {
            let (key, store) = (key.to_owned(), self.describe());
            return Err(StoreError::TooLarge {
                key,
                store,
                size,
                bytes_max,
            });
        }
        Ok(bytes)
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        let bytes = self.find(key)?;
        let size = bytes.len() as u64;
        let range = range.unwrap_or(0..size);
        if range.end > size || range.start > range.end {
            let (key, store) = (key.to_owned(), self.describe());
            let (start, end) = (range.start, range.end);
            return Err(StoreError::OutOfRange {
                key,
                store,
                size,
                start,
                end,
            });
        }
        let part = bytes.slice(range.start as usize..range.end as usize);
        let starts: Vec<usize> = (0..part.len()).step_by(CHUNK_BYTES).collect();
        let chunks = starts
            .into_iter()
            .map(move |start| Ok(part.slice(start..part.len().min(start + CHUNK_BYTES))));
        Ok(stream::iter(chunks).boxed())
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        key::check(key)?;
        Ok(self.lock().get(key).map(|object| meta(key, object)))
    }

    fn list(&self, prefix: &str) -> MetaStream {
        match key::check_prefix(prefix) {
            Ok(()) => stream::iter(self.under(prefix).into_iter().map(Ok)).boxed(),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        key::check_prefix(prefix)?;
        let mut children = Children::default();
        for meta in self.under(prefix) {
            match meta.key[prefix.len()..].find('/') {
                Some(at) => children
                    .prefixes
                    .push(meta.key[..=prefix.len() + at].to_owned()),
                None => children.objects.push(meta),
            }
        }
        children.prefixes.dedup();
        Ok(children)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        key::check(key)?;
        self.lock().remove(key);
        Ok(())
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            self.delete(key).await?;
        }
        Ok(())
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        let mut uploads = self.uploads();
        let before = uploads.len();
        uploads.retain(|key| !key.starts_with(prefix));
        Ok((before - uploads.len()) as u64)
    }

    fn keeps_versions(&self) -> bool {
        self.keeps_versions.load(Ordering::Relaxed)
    }
}
