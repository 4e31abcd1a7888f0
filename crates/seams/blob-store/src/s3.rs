//! S3 and every store that speaks its protocol.
//!
//! Create-once is `If-None-Match: *`, on a plain PUT and on the completion of a multipart upload. Retries with
//! backoff and jitter are the SDK's; a body that breaks in the middle is resumed here. Each object and part carries a
//! CRC32 that the store checks before it accepts: computed once, sent as a header, because the SDK's own way streams
//! the body in signed chunks at more than twice the cost.

mod client;
mod error;
mod multipart;
mod read;

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption, StorageClass};
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, once, try_unfold};

use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, S3Config, StoreError, key};
use error::{Condition, classify, condition};

/// How often a conditional create is retried after a conflict with another one on the same key.
const CONFLICT_ATTEMPTS_MAX: u32 = 5;
/// The pause before the first retry; doubles each time.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);
/// S3's own limit for one deletion request.
const DELETE_KEYS_MAX: usize = 1000;

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

    fn checksum(&self, bytes: &[u8]) -> Option<String> {
        self.checksums
            .then(|| aws_smithy_types::base64::encode(crc32fast::hash(bytes).to_be_bytes()))
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
            .set_continuation_token(token)
            .send()
            .await
            .map_err(|error| classify(&self.store, prefix, error))?;
        let next = page.next_continuation_token().map(str::to_owned);
        let strip = |key: &str| key.strip_prefix(&self.prefix).unwrap_or(key).to_owned();
        let children = Children {
            prefixes: page
                .common_prefixes()
                .iter()
                .filter_map(|common| common.prefix().map(strip))
                .collect(),
            objects: page
                .contents()
                .iter()
                .filter_map(|object| {
                    Some(Meta {
                        key: strip(object.key()?),
                        size: u64::try_from(object.size()?).ok()?,
                        tag: object.e_tag().unwrap_or_default().to_owned(),
                    })
                })
                .collect(),
        };
        Ok((children, next))
    }

    async fn delete_batch(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut batch = Delete::builder().quiet(true);
        for key in keys {
            let object = ObjectIdentifier::builder().key(self.object(key)?).build();
            batch = batch.objects(object.map_err(|error| self.other(key, error))?);
        }
        let first = keys.first().map_or("", String::as_str);
        let batch = batch.build().map_err(|error| self.other(first, error))?;
        let response = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(batch)
            .send()
            .await
            .map_err(|error| classify(&self.store, first, error))?;
        let Some(failed) = response.errors().first() else {
            return Ok(());
        };
        let key = failed.key().unwrap_or(first).to_owned();
        let code = failed.code().unwrap_or_default();
        let source = format!("{code}: {}", failed.message().unwrap_or_default()).into();
        let store = self.store.clone();
        Err(match code {
            "AccessDenied" => StoreError::PermissionDenied { key, store, source },
            "InternalError" | "SlowDown" => StoreError::Unavailable { key, store, source },
            _ => StoreError::Other { key, store, source },
        })
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
        let object = self.object(key)?;
        let checksum = self.checksum(&bytes);
        let mut pause = CONFLICT_PAUSE;
        let mut attempt = 1;
        loop {
            let request = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(&object)
                .if_none_match("*")
                .set_checksum_crc32(checksum.clone())
                .set_storage_class(self.storage_class.clone())
                .set_server_side_encryption(self.encryption())
                .set_ssekms_key_id(self.sse_kms_key.clone())
                .body(Body::from(bytes.clone()))
                .customize();
            let request = if self.sign_payload {
                request
            } else {
                request.disable_payload_signing()
            };
            let Err(error) = request.send().await else {
                return Ok(Put::Created);
            };
            match condition(&error) {
                Condition::Exists => return Ok(Put::Exists),
                Condition::Conflict if attempt < CONFLICT_ATTEMPTS_MAX => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                _ => return Err(classify(&self.store, key, error)),
            }
        }
    }

    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        multipart::put(self, key, size_hint, body).await
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        read::whole(self, key, bytes_max).await
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        read::stream(self, key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        let object = self.object(key)?;
        let head = self.client.head_object().bucket(&self.bucket).key(&object);
        match head.send().await {
            Ok(head) => Ok(Some(Meta {
                key: key.to_owned(),
                size: u64::try_from(head.content_length().unwrap_or(0)).unwrap_or(0),
                tag: head.e_tag().unwrap_or_default().to_owned(),
            })),
            Err(error) => match classify(&self.store, key, error) {
                // A response to HEAD has no body that distinguishes a missing object from a missing bucket.
                error if error.is_not_found() => {
                    let bucket = self.client.head_bucket().bucket(&self.bucket).send().await;
                    match bucket.map_err(|error| classify(&self.store, key, error)) {
                        Ok(_) => Ok(None),
                        Err(error) if error.is_not_found() => {
                            Err(self.other(key, "the bucket does not exist"))
                        }
                        // A caller without permission for HEAD on the bucket still got 404 for the object, not 403.
                        Err(StoreError::PermissionDenied { .. }) => Ok(None),
                        Err(error) => Err(error),
                    }
                }
                error => Err(error),
            },
        }
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
        let object = self.object(key)?;
        let delete = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(&object);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match classify(&self.store, key, error) {
                error if error.is_not_found() => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        for batch in keys.chunks(DELETE_KEYS_MAX) {
            self.delete_batch(batch).await?;
        }
        Ok(())
    }
}
