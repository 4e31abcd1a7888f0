//! S3 and every store that speaks its protocol.
//!
//! Create-once is `If-None-Match: *`, on a plain PUT and on the completion of a multipart upload. Retries with
//! backoff and jitter are the SDK's; a body that breaks in the middle is resumed here. Each object and part carries a
//! CRC32 that the store checks before it accepts: computed once, sent as a header, because the SDK's own way streams
//! the body in signed chunks at more than twice the cost.

mod client;
mod config;
mod copy;
mod credentials;
mod delete;
mod denied;
mod error;
mod head;
mod multipart;
mod put;
mod read;
mod resume;
mod status;
mod twice;
mod unfinished;
mod upload;

use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, once, try_unfold};

use crate::{
    Bandwidth, BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store,
    StoreError, key,
};
pub use config::S3Config;
use denied::{LISTING_HINT, lacking};
use error::classify;

/// A bucket, or a prefix of one.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
    store: String,
    part_bytes: u64,
    parallel_parts: usize,
    checksums: bool,
    sign_payload: bool,
    storage_class: Option<StorageClass>,
    sse_kms_key: Option<String>,
    /// For what is sent of objects.
    up: Option<Arc<Bandwidth>>,
    learnt: Arc<Learnt>,
}

/// What the store's responses have shown of it so far.
#[derive(Debug, Default)]
struct Learnt {
    refuses_bulk: AtomicBool,
    keeps_versions: AtomicBool,
    /// Uploads that the next try must not take up, because this process is about to abort them, or the store has shown
    /// that they cannot be completed.
    given_up: Mutex<HashSet<String>>,
}

impl Learnt {
    fn given_up(&self) -> MutexGuard<'_, HashSet<String>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl S3 {
    /// Prepares a client. Makes no request to the store; credentials are looked up when they are first needed. Fails
    /// with [`StoreError::Config`].
    pub async fn open(config: &S3Config) -> Result<Self, StoreError> {
        config.check()?;
        let prefix = match config.prefix.trim_end_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let mut store = format!("s3://{}/{prefix}", config.bucket);
        store.truncate(store.trim_end_matches('/').len());
        if !config.endpoint.is_empty() {
            store = format!("{store} at {}", config.endpoint);
        }
        Ok(Self {
            client: client::client(config).await?,
            bucket: config.bucket.clone(),
            prefix,
            store,
            part_bytes: config.part_size_bytes,
            parallel_parts: config.parallel_parts,
            checksums: config.checksums,
            sign_payload: config
                .sign_payload
                .unwrap_or(config.endpoint.starts_with("http://")),
            storage_class: config.storage_class.as_deref().map(StorageClass::from),
            sse_kms_key: config.sse_kms_key.clone(),
            up: None,
            learnt: Arc::default(),
        })
    }

    fn object(&self, key: &str) -> Result<String, StoreError> {
        key::check(key)?;
        Ok(format!("{}{key}", self.prefix))
    }

    fn encryption(&self) -> Option<ServerSideEncryption> {
        self.sse_kms_key
            .as_ref()
            .map(|_| ServerSideEncryption::AwsKms)
    }

    /// Waits until so many bytes of an object may be sent.
    async fn pace(&self, bytes: u64) {
        if let Some(limit) = &self.up {
            limit.take(bytes).await;
        }
    }

    fn checksum(&self, bytes: &[u8]) -> Option<String> {
        self.checksums
            .then(|| upload::encode(crc32fast::hash(bytes)))
    }

    /// One page of a listing, and the token of the next one.
    async fn page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        token: Option<String>,
    ) -> Result<(Children, Option<String>), StoreError> {
        let page = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("{}{prefix}", self.prefix))
            .set_delimiter(delimiter.map(str::to_owned))
            .set_continuation_token(token.clone())
            .send()
            .await
            .map_err(|error| lacking(classify(&self.store, prefix, error), LISTING_HINT))?;
        let next = page.next_continuation_token().map(str::to_owned);
        // What is not listed counts as missing, so a listing that is cut off must be no listing.
        if page.is_truncated() == Some(true) && (next.is_none() || next == token) {
            return Err(self.other(
                prefix,
                "a page of a listing did not say where the next begins",
            ));
        }
        let next = next.filter(|_| page.is_truncated() == Some(true));
        let own = format!("{}{prefix}", self.prefix);
        let strip = |key: &str| {
            let below = key.strip_prefix(&self.prefix)?;
            key.starts_with(&own).then(|| below.to_owned())
        };
        let children = Children {
            prefixes: page
                .common_prefixes()
                .iter()
                .filter_map(|common| common.prefix().and_then(strip))
                .collect(),
            objects: page
                .contents()
                .iter()
                .filter_map(|object| {
                    Some(Meta {
                        key: strip(object.key()?)?,
                        size: u64::try_from(object.size()?).ok()?,
                        tag: object.e_tag().unwrap_or_default().to_owned(),
                    })
                })
                .collect(),
        };
        Ok((children, next))
    }

    fn other(
        &self,
        key: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::Other {
            key: key.to_owned(),
            store: self.store.clone(),
            source: source.into(),
        }
    }
}

#[async_trait]
impl BlobStore for S3 {
    fn describe(&self) -> String {
        self.store.clone()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        put::put(self, key, bytes).await
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        multipart::put_one_part(self, key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        multipart::put(self, key, size_hint, body).await
    }

    fn part_bytes(&self, bytes: u64) -> Option<u64> {
        Some(multipart::part_bytes(self, bytes))
    }

    fn with_upload_limit(&self, limit: &Arc<Bandwidth>) -> Option<Store> {
        let up = Some(limit.clone());
        Some(Arc::new(Self { up, ..self.clone() }))
    }

    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        twice::put(self, key, bytes, body, again).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        copy::copy(self, from, key, sizes).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        crate::read::whole(self, key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        crate::read::stream(self, key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        let head = head::head(self, key).await?;
        Ok(head.map(|head| head.meta))
    }

    fn list(&self, prefix: &str) -> MetaStream {
        if let Err(error) = key::check_prefix(prefix) {
            return once(async { Err(error) }).boxed();
        }
        let (store, prefix) = (self.clone(), prefix.to_owned());
        try_unfold(Some(None), move |token| {
            let (store, prefix) = (store.clone(), prefix.clone());
            async move {
                let Some(token) = token else {
                    return Ok(None);
                };
                let (children, next) = store.page(&prefix, None, token).await?;
                let objects = futures::stream::iter(children.objects.into_iter().map(Ok));
                Ok(Some((objects, next.map(Some))))
            }
        })
        .try_flatten()
        .boxed()
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        key::check_prefix(prefix)?;
        let mut all = Children::default();
        let mut token = None;
        loop {
            let (mut children, next) = self.page(prefix, Some("/"), token).await?;
            all.prefixes.append(&mut children.prefixes);
            all.objects.append(&mut children.objects);
            if next.is_none() {
                return Ok(all);
            }
            token = next;
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        delete::one(self, key).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        delete::many(self, keys).await
    }

    async fn discard_unfinished(&self, prefix: &str) -> Result<u64, StoreError> {
        unfinished::discard(self, prefix).await
    }

    fn keeps_versions(&self) -> bool {
        self.learnt.keeps_versions.load(Ordering::Relaxed)
    }
}
