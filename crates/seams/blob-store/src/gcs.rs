//! Google Cloud Storage, through its JSON API.
//!
//! Create-once is `ifGenerationMatch=0`. Large objects go up through resumable uploads, the only way for them that the
//! store creates conditionally: one piece after the other, checked as a whole by a CRC32C that the last piece carries.
//! A connection that breaks costs a piece; an upload whose process ends begins again, because the store does not list
//! uploads. It discards them by itself after a week.

mod checksum;
mod config;
mod credentials;
mod error;
mod list;
mod put;
mod read;
mod session;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;

pub use config::GcsConfig;

use crate::rest::{Authorize, HttpClient, Request, Rest, Slashes, encode, folder, query};
use crate::{
    Bandwidth, BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store,
    StoreError, key,
};
use credentials::{Anonymous, Credentials};
use error::explain;

/// The listings that show what a deletion has left.
const LEFTOVERS: [&str; 2] = ["versions", "softDeleted"];
const ENDPOINT: &str = "https://storage.googleapis.com";

/// A bucket, or a prefix of one.
#[derive(Debug, Clone)]
pub struct Gcs {
    rest: Rest,
    endpoint: String,
    /// As it stands in a URL.
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
    store: String,
    part_bytes: u64,
    storage_class: Option<String>,
    /// For what is sent of objects.
    up: Option<Arc<Bandwidth>>,
    learnt: Arc<Learnt>,
}

/// What the store's responses have shown of it so far.
#[derive(Debug, Default)]
struct Learnt {
    /// Whether it was looked for what a deletion leaves.
    has_looked: AtomicBool,
    keeps_versions: AtomicBool,
}

impl Gcs {
    /// Prepares a client. Makes no request; tokens are fetched when they are first needed. Fails with
    /// [`StoreError::Config`].
    pub fn open(config: &GcsConfig) -> Result<Self, StoreError> {
        config.check()?;
        let settings = config.settings();
        let client = HttpClient::new(&settings)?;
        let authorize: Arc<dyn Authorize> = match config.anonymous {
            true => Arc::new(Anonymous),
            false => Arc::new(Credentials::new(config, &client)?),
        };
        let endpoint = match config.endpoint.trim_end_matches('/') {
            "" => ENDPOINT.to_owned(),
            endpoint => endpoint.to_owned(),
        };
        let prefix = folder(&config.prefix);
        let mut store = format!("gs://{}/{prefix}", config.bucket);
        store.truncate(store.trim_end_matches('/').len());
        if !config.endpoint.is_empty() {
            store = format!("{store} at {endpoint}");
        }
        Ok(Self {
            rest: Rest::new(client, &settings, authorize),
            endpoint,
            bucket: encode(&config.bucket, Slashes::Belong),
            prefix,
            store,
            part_bytes: config.part_size_bytes,
            storage_class: config.storage_class.clone(),
            up: None,
            learnt: Arc::default(),
        })
    }

    /// A request for an object, with parameters.
    fn object(
        &self,
        method: Method,
        key: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Request, StoreError> {
        key::check(key)?;
        let object = encode(&format!("{}{key}", self.prefix), Slashes::Belong);
        let (endpoint, bucket) = (&self.endpoint, &self.bucket);
        let uri = format!(
            "{endpoint}/storage/v1/b/{bucket}/o/{object}{}",
            query(pairs)
        );
        Ok(Request::new(method, uri))
    }

    fn listing(&self, pairs: &[(&str, &str)]) -> Request {
        let (endpoint, bucket) = (&self.endpoint, &self.bucket);
        let uri = format!("{endpoint}/storage/v1/b/{bucket}/o{}", query(pairs));
        Request::new(Method::GET, uri)
    }

    /// A request that sends something of an object.
    fn upload(&self, method: Method, pairs: &[(&str, &str)]) -> Request {
        let (endpoint, bucket) = (&self.endpoint, &self.bucket);
        let uri = format!("{endpoint}/upload/storage/v1/b/{bucket}/o{}", query(pairs));
        Request::new(method, uri)
    }

    /// Waits until so many bytes of an object may be sent.
    async fn pace(&self, bytes: u64) {
        if let Some(limit) = &self.up {
            limit.take(bytes).await;
        }
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

    /// Looks until both listings were read whether a deletion has left the object's bytes: as an older version, or because the bucket deletes
    /// softly, which new buckets do for a week.
    async fn look_for_leftovers(&self, key: &str) {
        if self.learnt.has_looked.load(Ordering::Relaxed) {
            return;
        }
        let mut read = 0;
        let object = format!("{}{key}", self.prefix);
        for kind in LEFTOVERS {
            let request =
                self.listing(&[("prefix", &object), (kind, "true"), ("maxResults", "10")]);
            // Without an answer nothing is known, as before.
            let Ok(reply) = self.rest.fetch(&request, list::PAGE_BYTES_MAX).await else {
                continue;
            };
            let page = list::page_of(self, key, &reply.body);
            let Ok(page) = page else {
                continue;
            };
            read += 1;
            if page.items.iter().any(|item| item.name == object) {
                self.learnt.keeps_versions.store(true, Ordering::Relaxed);
            }
        }
        if read == LEFTOVERS.len() {
            self.learnt.has_looked.store(true, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl BlobStore for Gcs {
    fn describe(&self) -> String {
        self.store.clone()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        put::whole(self, key, bytes).await
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        put::one_piece(self, key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        put::stream(self, key, size_hint, body).await
    }

    fn part_bytes(&self, _bytes: u64) -> Option<u64> {
        Some(self.part_bytes)
    }

    fn with_upload_limit(&self, limit: &Arc<Bandwidth>) -> Option<Store> {
        let up = Some(limit.clone());
        Some(Arc::new(Self { up, ..self.clone() }))
    }

    async fn put_read_twice(
        &self,
        key: &str,
        _bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        put::read_twice(self, key, body, again).await
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
        read::head(self, key).await
    }

    fn list(&self, prefix: &str) -> MetaStream {
        list::all(self, prefix)
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        list::children(self, prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let request = self.object(Method::DELETE, key, &[])?.accept(&[200, 204]);
        match self.rest.fetch(&request, put::REPLY_BYTES_MAX).await {
            Ok(_) => {
                self.look_for_leftovers(key).await;
                Ok(())
            }
            // Only a missing object is deleted; a refusal of what is not there may be about the right to delete.
            Err(refusal) if refusal.status() == Some(404) => {
                let error = explain(self, key, refusal).await;
                if error.is_not_found() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            Err(refusal) => Err(error::classify(&self.store, key, refusal)),
        }
    }

    fn keeps_versions(&self) -> bool {
        self.learnt.keeps_versions.load(Ordering::Relaxed)
    }
}
