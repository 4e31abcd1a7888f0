//! A bucket that refuses deletions.

use std::ops::{Range, RangeInclusive};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, Store, StoreError};

/// A store that refuses every deletion, as a bucket under retention does.
pub struct WriteOnce(pub Store);

impl WriteOnce {
    fn refuse(&self, key: &str) -> StoreError {
        StoreError::PermissionDenied {
            key: key.to_owned(),
            store: self.describe(),
            source: "objects are under retention".into(),
        }
    }
}

#[async_trait]
impl BlobStore for WriteOnce {
    fn describe(&self) -> String {
        self.0.describe()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.0.put(key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.0.put_stream(key, size_hint, body).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        self.0.copy(from, key, sizes).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        self.0.get(key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        self.0.get_stream(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        self.0.head(key).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        self.0.list(prefix)
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        self.0.list_children(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        Err(self.refuse(key))
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        match keys.first() {
            Some(key) => Err(self.refuse(key)),
            None => Ok(()),
        }
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.0.put_as_parts(key, bytes).await
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        self.0.make_durable(key).await
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        self.0.discard_unfinished(prefix).await
    }

    fn keeps_versions(&self) -> bool {
        self.0.keeps_versions()
    }
}
