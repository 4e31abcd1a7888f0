//! Objects in blocks: sent in parallel, and assembled under their key unless there is an object.
//!
//! The blocks of an object that was never completed belong to its key and not to an upload. So a block is named after
//! its number and the MD5 of its bytes: the next try takes a block of that name and size for sent, and blocks of
//! another writer have other names unless they are the same. The store discards blocks by itself, when any object of
//! that key is created, or a week after the last one was sent; there is nothing to abort.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use md5::Digest;

use super::error::may_be_there;
use super::unfinished::unfinished;
use super::{Azure, CREATED, REPLY_BYTES_MAX, Refused};
use crate::parts::Parts;
use crate::rest::Payload;
use crate::sending::{InParts, Sending};
use crate::twice::{self, InPartsAgain, PartSum, Reread};
use crate::{BlobStore, ByteStream, Put, ReadAgain, StoreError};

/// Azure's own limit.
const BLOCKS_MAX: u64 = 50_000;
/// An object of fewer blocks is sent again sooner than the store is asked what it has of it.
const RESUMED_BLOCKS_MIN: u64 = 4;

/// The MD5 of a part.
#[derive(Default, Clone)]
pub struct Md5(md5::Md5);

/// An MD5.
pub type Sum = [u8; 16];

impl PartSum for Md5 {
    type Sum = Sum;

    fn pass(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn end(self) -> Sum {
        self.0.finalize().into()
    }
}

impl Md5 {
    pub fn encode(sum: &Sum) -> String {
        aws_smithy_types::base64::encode(sum)
    }
}

/// The MD5 of bytes, computed beside the async threads.
pub async fn md5_of(bytes: Bytes) -> Sum {
    let sum = move || {
        let mut md5 = Md5::default();
        md5.pass(&bytes);
        md5.end()
    };
    match tokio::task::spawn_blocking(sum.clone()).await {
        Ok(sum) => sum,
        // The runtime is ending.
        Err(_) => sum(),
    }
}

/// The size of the blocks of an object of so many bytes.
pub fn block_bytes(azure: &Azure, bytes: u64) -> u64 {
    azure.part_bytes.max(bytes.div_ceil(BLOCKS_MAX))
}

pub async fn put(
    azure: &Azure,
    key: &str,
    size_hint: Option<u64>,
    body: ByteStream,
) -> Result<Put, StoreError> {
    let size = size_hint.unwrap_or(0);
    let block_bytes = block_bytes(azure, size);
    let whole = usize::try_from(block_bytes).unwrap_or(usize::MAX);
    let mut parts = Parts::new(body, whole);
    let first = parts.next().await?.unwrap_or_default();
    // While the first part is held, the next chunk must not be waited for if it is known that there is one.
    if first.len() < whole || (size <= block_bytes && parts.is_at_end().await?) {
        return azure.put(key, first).await;
    }
    let Some(blocks) = Blocks::take_up(azure, key, size.div_ceil(block_bytes)).await? else {
        return Ok(Put::Exists);
    };
    let sending = Sending::new(blocks.clone(), azure.parallel_parts);
    blocks.or_exists(sending.all_of(first, &mut parts).await)
}

/// The same for one block, however small: for finding out whether the store creates once in this way, too.
pub async fn put_one(azure: &Azure, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let blocks = Blocks::new(azure, key, HashMap::new());
    let mut sending = Sending::new(blocks.clone(), 1);
    let started = sending.start(|blocks, number| blocks.part(number, bytes));
    let started = started.await;
    blocks.or_exists(sending.finish(started).await)
}

pub async fn put_read_twice(
    azure: &Azure,
    key: &str,
    bytes: u64,
    body: ByteStream,
    again: ReadAgain,
) -> Result<Put, StoreError> {
    let block_bytes = block_bytes(azure, bytes);
    let Some(blocks) = Blocks::take_up(azure, key, bytes.div_ceil(block_bytes)).await? else {
        return Ok(Put::Exists);
    };
    let sending = Sending::new(blocks.clone(), azure.parallel_parts);
    blocks.or_exists(twice::send(sending, block_bytes, body, again).await)
}

/// The blocks of one object.
struct Blocks {
    azure: Azure,
    key: String,
    /// Names and sizes of what the store has already.
    before: HashMap<String, u64>,
    /// Whether a block was refused because there is an object.
    exists: AtomicBool,
}

impl Blocks {
    fn new(azure: &Azure, key: &str, before: HashMap<String, u64>) -> Arc<Self> {
        Arc::new(Self {
            azure: azure.clone(),
            key: key.to_owned(),
            before,
            exists: AtomicBool::new(false),
        })
    }

    /// An object under a policy or a lease refuses blocks, which is no error of an upload that finds it there.
    fn or_exists(&self, put: Result<Put, StoreError>) -> Result<Put, StoreError> {
        match put {
            Err(StoreError::Source { .. }) | Ok(_) => put,
            Err(_) if self.exists.load(Ordering::Relaxed) => Ok(Put::Exists),
            Err(_) => put,
        }
    }

    /// With what earlier tries have sent; `None` if the object is there already.
    async fn take_up(
        azure: &Azure,
        key: &str,
        parts: u64,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        if parts < RESUMED_BLOCKS_MIN {
            return Ok(Some(Self::new(azure, key, HashMap::new())));
        }
        if azure.head(key).await?.is_some() {
            return Ok(None);
        }
        let before = unfinished(azure, key).await?;
        if !before.is_empty() {
            let blocks = before.len();
            tracing::info!(key, blocks, "an unfinished upload is taken up");
        }
        Ok(Some(Self::new(azure, key, before)))
    }

    /// Sends a block, unless an earlier try has. Returns its name.
    async fn send(&self, number: u32, md5: Sum, payload: Payload) -> Result<String, StoreError> {
        let name = name(number, &md5);
        if self.before.get(&name) == Some(&payload.len()) {
            return Ok(name);
        }
        // Not inside the request, whose time is limited.
        self.azure.pace(payload.len()).await;
        let pairs = [("comp", "block"), ("blockid", name.as_str())];
        let request = self.azure.blob(Method::PUT, &self.key, &pairs)?;
        let request = request
            .accept(CREATED)
            .header("content-md5", &Md5::encode(&md5))
            .payload(payload);
        match self.azure.rest.fetch(&request, REPLY_BYTES_MAX).await {
            Ok(_) => Ok(name),
            Err(refusal) => {
                let may_exist = may_be_there(&refusal);
                let error = self.azure.failed(&self.key, refusal);
                if may_exist && self.azure.head(&self.key).await?.is_some() {
                    self.exists.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}

#[async_trait]
impl InParts for Blocks {
    type Part = String;
    const PARTS_MAX: u64 = BLOCKS_MAX;

    fn key(&self) -> &str {
        &self.key
    }

    fn store(&self) -> String {
        self.azure.store.clone()
    }

    async fn part(self: Arc<Self>, number: u32, bytes: Bytes) -> Result<String, StoreError> {
        let md5 = md5_of(bytes.clone()).await;
        self.send(number, md5, Payload::from(bytes)).await
    }

    async fn complete(&self, names: Vec<String>) -> Result<Put, StoreError> {
        let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for name in names {
            // Base64: nothing in it has a meaning in XML.
            list.push_str(&format!("<Uncommitted>{name}</Uncommitted>"));
        }
        list.push_str("</BlockList>");
        let list = Bytes::from(list);
        let request = self.azure.create(&self.key, &[("comp", "blocklist")])?;
        let request = request
            .header("content-md5", &Md5::encode(&md5_of(list.clone()).await))
            .header("x-ms-blob-content-type", "application/octet-stream")
            .payload(Payload::from(list));
        match self.azure.created(&self.key, request).await {
            Ok(put) => Ok(put),
            // Another writer has created the object, whose creation discards all blocks; or they were too old.
            Err(Refused::BlocksGone(error)) => match self.azure.head(&self.key).await? {
                Some(_) => Ok(Put::Exists),
                None => Err(StoreError::Unavailable {
                    key: self.key.clone(),
                    store: self.azure.store.clone(),
                    source: error.into(),
                }),
            },
            Err(Refused::Other(error)) => Err(error),
        }
    }

    async fn end(&self, _put: &Result<Put, StoreError>) {}
}

#[async_trait]
impl InPartsAgain for Blocks {
    type Sum = Md5;

    async fn part_again(&self, number: u32, part: Reread<Md5>) -> Result<String, StoreError> {
        let md5 = *part.sum();
        self.send(number, md5, Payload::again(part)).await
    }
}

/// All names of blocks of one object have to be of one length.
fn name(number: u32, md5: &Sum) -> String {
    let hex: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    aws_smithy_types::base64::encode(format!("{number:05}-{hex}"))
}
