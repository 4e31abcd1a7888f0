//! Streams of any length: small ones in one request, longer ones in parts that are uploaded in parallel.
//!
//! A part is in memory while it is sent, and the next one is read meanwhile. How many parts there are at once is
//! decided by the caller that makes the stream, and limited by `parallel_parts`. An upload that is not completed is
//! left for the next upload of the same object if that can go on from it, and aborted otherwise, also when the future
//! is dropped. What is left is discarded by the storage-catalog when the backup is committed or deleted, or by the
//! bucket's lifecycle rule.

use bytes::Bytes;

use super::S3;
use super::upload::Upload;
use crate::parts::Parts;
use crate::sending::{InParts, Sending};
use crate::{BlobStore, ByteStream, Put, StoreError};

/// S3's own limit.
pub const PARTS_MAX: u64 = 10_000;

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
    let sending = Sending::new(upload, s3.parallel_parts);
    sending.all_of(first, &mut parts).await
}

/// The same for one part, however small: for finding out whether the store creates once in this way, too.
pub async fn put_one_part(s3: &S3, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
    let mut sending = Sending::new(Upload::begin(s3, key).await?, 1);
    let started = sending.start(|upload, number| upload.part(number, bytes));
    let started = started.await;
    sending.finish(started).await
}
