//! Azure Blob Storage.
//!
//! Create-once is `If-None-Match: *`, on Put Blob and on Put Block List. Each request that carries bytes has their MD5,
//! which the store checks before it accepts. Blocks are named after their content, so that a later try finds by their
//! names what is there already, and two writers of one object cannot mix their blocks.

mod blocks;
mod config;
mod credentials;
mod error;
mod list;
mod read;
mod unfinished;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;

pub use config::AzureConfig;

use crate::rest::{
    HttpClient, Payload, Refusal, Request, Rest, Slashes, encode, folder, query, text,
};
use crate::{
    Bandwidth, BlobStore, ByteStream, Children, Meta, MetaStream, Put, ReadAgain, Store,
    StoreError, key,
};
use blocks::{Md5, md5_of};
use credentials::Credentials;
use error::{classify, is_missing, is_there, may_be_there};

/// A container, or a prefix of one.
#[derive(Debug, Clone)]
pub struct Azure {
    rest: Rest,
    /// The container's URL, without a `/` at its end.
    container: String,
    /// Empty, or ends with `/`.
    prefix: String,
    store: String,
    part_bytes: u64,
    parallel_parts: usize,
    access_tier: Option<String>,
    /// For what is sent of objects.
    up: Option<Arc<Bandwidth>>,
    keeps_versions: Arc<AtomicBool>,
}

impl Azure {
    /// Prepares a client. Makes no request; tokens are fetched when they are first needed. Fails with
    /// [`StoreError::Config`].
    pub fn open(config: &AzureConfig) -> Result<Self, StoreError> {
        config.check()?;
        let settings = config.settings();
        let client = HttpClient::new(&settings)?;
        let credentials = Credentials::new(config, &client)?;
        let account = credentials.account.clone();
        let endpoint = match config.endpoint.trim_end_matches('/') {
            "" => format!("https://{account}.blob.core.windows.net"),
            endpoint => endpoint.to_owned(),
        };
        let prefix = folder(&config.prefix);
        let mut store = format!("azure://{account}/{}/{prefix}", config.container);
        store.truncate(store.trim_end_matches('/').len());
        if !config.endpoint.is_empty() {
            store = format!("{store} at {endpoint}");
        }
        Ok(Self {
            rest: Rest::new(client, &settings, Arc::new(credentials)),
            container: format!("{endpoint}/{}", encode(&config.container, Slashes::Belong)),
            prefix,
            store,
            part_bytes: config.part_size_bytes,
            parallel_parts: config.parallel_parts,
            access_tier: config.access_tier.clone(),
            up: None,
            keeps_versions: Arc::default(),
        })
    }

    /// Makes the container, as operators do beforehand.
    #[cfg(feature = "testing")]
    pub async fn create_container(&self) -> Result<(), StoreError> {
        let uri = format!("{}{}", self.container, query(&[("restype", "container")]));
        let made = self
            .rest
            .send(&Request::new(Method::PUT, uri).accept(CREATED))
            .await;
        made.map(drop).map_err(|refusal| self.failed("", refusal))
    }

    /// A request for an object, with parameters.
    fn blob(
        &self,
        method: Method,
        key: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Request, StoreError> {
        check(key)?;
        let object = encode(&format!("{}{key}", self.prefix), Slashes::Separate);
        let uri = format!("{}/{object}{}", self.container, query(pairs));
        Ok(Request::new(method, uri))
    }

    /// A request that creates an object unless there is one.
    fn create(&self, key: &str, pairs: &[(&str, &str)]) -> Result<Request, StoreError> {
        let request = self.blob(Method::PUT, key, pairs)?;
        let request = request.accept(CREATED).header("if-none-match", "*");
        Ok(match &self.access_tier {
            Some(tier) => request.header("x-ms-access-tier", tier),
            None => request,
        })
    }

    async fn created(&self, key: &str, request: Request) -> Result<Put, Refused> {
        match self.rest.fetch(&request, REPLY_BYTES_MAX).await {
            Ok(_) => Ok(Put::Created),
            Err(refusal) if is_there(&refusal) => Ok(Put::Exists),
            Err(refusal) if may_be_there(&refusal) => {
                let error = self.failed(key, refusal);
                self.exists_or(key, error).await.map_err(Refused::Other)
            }
            Err(refusal) if error::code(&refusal) == "InvalidBlockList" => {
                Err(Refused::BlocksGone(self.failed(key, refusal)))
            }
            Err(refusal) => Err(Refused::Other(self.failed(key, refusal))),
        }
    }

    /// What to report of a refusal that an object of that key may be the reason for.
    async fn exists_or(&self, key: &str, error: StoreError) -> Result<Put, StoreError> {
        match self.head(key).await {
            Ok(Some(_)) => Ok(Put::Exists),
            // Whether there is one is not known, and may be on the next try.
            Err(unknown) if unknown.is_retryable() => Err(unknown),
            Ok(None) | Err(_) => Err(error),
        }
    }

    /// Waits until so many bytes of an object may be sent.
    async fn pace(&self, bytes: u64) {
        if let Some(limit) = &self.up {
            limit.take(bytes).await;
        }
    }

    fn failed(&self, key: &str, refusal: Refusal) -> StoreError {
        classify(&self.store, key, refusal)
    }
}

/// Azure takes a backslash for a slash, so that two keys would be one.
fn check(key: &str) -> Result<(), StoreError> {
    key::check(key)?;
    match key.contains('\\') {
        false => Ok(()),
        true => Err(StoreError::Key {
            key: key.to_owned(),
            why: "it has a backslash, which Azure takes for `/`",
        }),
    }
}

/// The status of what was stored.
const CREATED: &[u16] = &[201];
/// Replies to requests that change something have no body worth reading.
const REPLY_BYTES_MAX: usize = 64 << 10;

/// Why an object was not created.
enum Refused {
    /// The store does not have the blocks that it is to be made of.
    BlocksGone(StoreError),
    Other(StoreError),
}

#[async_trait]
impl BlobStore for Azure {
    fn describe(&self) -> String {
        self.store.clone()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let request = self.create(key, &[])?;
        let md5 = md5_of(bytes.clone()).await;
        self.pace(bytes.len() as u64).await;
        let request = request
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/octet-stream")
            .header("content-md5", &Md5::encode(&md5))
            .payload(Payload::from(bytes));
        match self.created(key, request).await {
            Ok(put) => Ok(put),
            Err(Refused::BlocksGone(error) | Refused::Other(error)) => Err(error),
        }
    }

    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        blocks::put_one(self, key, bytes).await
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        blocks::put(self, key, size_hint, body).await
    }

    fn part_bytes(&self, bytes: u64) -> Option<u64> {
        Some(blocks::block_bytes(self, bytes))
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
        blocks::put_read_twice(self, key, bytes, body, again).await
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
        let request = self.blob(Method::DELETE, key, &[])?;
        let request = request
            .accept(&[202])
            .header("x-ms-delete-snapshots", "include");
        match self.rest.fetch(&request, REPLY_BYTES_MAX).await {
            Ok(reply) => {
                // Soft deletion or versions are on: the account still holds the bytes.
                if text(&reply.headers, "x-ms-delete-type-permanent") == Some("false") {
                    self.keeps_versions.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Err(refusal) if is_missing(&refusal) => Ok(()),
            Err(refusal) => Err(self.failed(key, refusal)),
        }
    }

    fn keeps_versions(&self) -> bool {
        self.keeps_versions.load(Ordering::Relaxed)
    }
}
