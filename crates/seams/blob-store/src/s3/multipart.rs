//! Streams of any length: small ones in one request, longer ones in parts that are uploaded in parallel.
//!
//! A part is in memory while it is sent, and the next one is read meanwhile. How many parts there are at once is
//! decided by the caller that makes the stream, and limited by `parallel_parts`. An upload that is not completed is
//! left for the next upload of the same object if that can go on from it, and aborted otherwise, also when the future
//! is dropped. What is left is discarded by the storage-catalog when the backup is committed or deleted, or by the
//! bucket's lifecycle rule.

use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use bytes::Bytes;
use tokio::task::JoinSet;

use super::S3;
use super::parts::Parts;
use super::upload::Upload;
use crate::{BlobStore, ByteStream, Put, StoreError};

/// S3's own limit.
const PARTS_MAX: u64 = 10_000;

/// The size of the parts of an object of so many bytes.
pub fn part_bytes(s3: &S3, bytes: u64) -> u64 {
    s3.part_bytes.max(bytes.div_ceil(PARTS_MAX))
}

pub async fn put(
    s3: &S3,
    key: &str,
    size_hint: Option<u64>,
    body: ByteStream,
) -> Result<Put, StoreError> {
    let size = size_hint.unwrap_or(0);
    let part_bytes = part_bytes(s3, size);
    let whole = usize::try_from(part_bytes).unwrap_or(usize::MAX);
    let mut parts = Parts::new(body, whole);
    let first = parts.next().await?.unwrap_or_default();
    // While the first part is held, the next chunk must not be waited for if it is known that there is one.
    if first.len() < whole || (size <= part_bytes && parts.is_at_end().await?) {
        return s3.put(key, first).await;
    }
    let Some(upload) = Upload::take_up(s3, key, size.div_ceil(part_bytes)).await? else {
        return Ok(Put::Exists);
    };
    let mut sending = Sending::new(upload, s3.parallel_parts);
    let read = sending.all_of(first, &mut parts).await;
    sending.finish(read).await
}

/// The same for one part, however small: for finding out whether the store creates once in this way, too.
pub async fn put_one_part(s3: &S3, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let mut sending = Sending::new(Upload::begin(s3, key).await?, 1);
    let started = sending.start(|upload, number| upload.part(number, bytes));
    let started = started.await;
    sending.finish(started).await
}

/// The parts that are being uploaded.
pub struct Sending {
    upload: Arc<Upload>,
    parallel: usize,
    tasks: JoinSet<Result<CompletedPart, StoreError>>,
    number: i32,
    sent: Vec<CompletedPart>,
}

impl Sending {
    pub fn new(upload: Arc<Upload>, parallel: usize) -> Self {
        Self {
            upload,
            parallel,
            tasks: JoinSet::new(),
            number: 0,
            sent: Vec::new(),
        }
    }

    async fn all_of(&mut self, first: Bytes, parts: &mut Parts) -> Result<(), StoreError> {
        let mut next = Some(first);
        while let Some(bytes) = next {
            self.start(|upload, number| upload.part(number, bytes))
                .await?;
            next = parts.next().await?;
        }
        Ok(())
    }

    /// Starts to send the next part, and waits until another one may be read.
    pub async fn start<Sent>(
        &mut self,
        send: impl FnOnce(Arc<Upload>, i32) -> Sent,
    ) -> Result<(), StoreError>
    where
        Sent: Future<Output = Result<CompletedPart, StoreError>> + Send + 'static,
    {
        self.number += 1;
        if self.number as u64 > PARTS_MAX {
            let why = "the stream has more than 10,000 parts: give its size, or set larger parts";
            return Err(crate::source_error(&self.upload.key, why));
        }
        self.tasks.spawn(send(self.upload.clone(), self.number));
        while self.tasks.len() >= self.parallel {
            self.join_one().await?;
        }
        Ok(())
    }

    /// Completes the upload if all was read and sent.
    pub async fn finish(mut self, read: Result<(), StoreError>) -> Result<Put, StoreError> {
        let put = match self.all_sent(read).await {
            Ok(parts) => self.upload.complete(parts).await,
            Err(error) => {
                // Parts in flight would arrive after the abort.
                self.tasks.shutdown().await;
                Err(error)
            }
        };
        self.upload.end(&put).await;
        put
    }

    /// All parts in order.
    async fn all_sent(
        &mut self,
        read: Result<(), StoreError>,
    ) -> Result<Vec<CompletedPart>, StoreError> {
        read?;
        while !self.tasks.is_empty() {
            self.join_one().await?;
        }
        let mut sent = std::mem::take(&mut self.sent);
        sent.sort_by_key(CompletedPart::part_number);
        Ok(sent)
    }

    async fn join_one(&mut self) -> Result<(), StoreError> {
        match self.tasks.join_next().await {
            Some(Ok(part)) => self.sent.push(part?),
            Some(Err(panicked)) => return Err(self.upload.s3.other(&self.upload.key, panicked)),
            None => {}
        }
        Ok(())
    }
}
