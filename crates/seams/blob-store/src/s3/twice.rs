//! Objects whose parts are too large for memory: a part is read for its checksum, and again while it is sent.

use std::sync::Arc;

use aws_sdk_s3::primitives::{ByteStream as Body, SdkBody};
use futures::StreamExt;

use super::S3;
use super::multipart;
use super::upload::Upload;
use crate::sending::Sending;
use crate::twice::{Fault, Hashed, Hashing, Reread};
use crate::{ByteStream, Put, ReadAgain, StoreError};

type Crc32 = crc32fast::Hasher;

pub async fn put(
    s3: &S3,
    key: &str,
    bytes: u64,
    body: ByteStream,
    again: ReadAgain,
) -> Result<Put, StoreError> {
    let part_bytes = multipart::part_bytes(s3, bytes);
    let Some(upload) = Upload::take_up(s3, key, bytes.div_ceil(part_bytes)).await? else {
        return Ok(Put::Exists);
    };
    // What is sent while the next part is read counts, as it does for parts in memory.
    let mut sending = Sending::new(upload, s3.parallel_parts);
    let read = all(&mut sending, body, part_bytes, again).await;
    sending.finish(read).await
}

async fn all(
    sending: &mut Sending<Upload>,
    mut body: ByteStream,
    part_bytes: u64,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let mut hashing = Hashing::<Crc32>::new(part_bytes);
    while let Some(chunk) = body.next().await.transpose()? {
        let ended = hashing.pass(&chunk);
        // To send a part, it is read again, for which the memory of this chunk may be needed.
        drop(chunk);
        for part in ended {
            send(sending, part, again.clone()).await?;
        }
    }
    match hashing.last() {
        Some(part) => send(sending, part, again).await,
        None => Ok(()),
    }
}

async fn send(
    sending: &mut Sending<Upload>,
    part: Hashed<Crc32>,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let send = |upload: Arc<Upload>, number| async move {
        let (size, crc32) = (part.size(), part.sum);
        let fault = Fault::default();
        let part = Reread::new(&upload.key, part, again, fault.clone());
        let body = || {
            Body::new(SdkBody::retryable(move || {
                SdkBody::from_body_1_x(part.body())
            }))
        };
        let sent = upload.send(number, size, crc32, body).await;
        // To the store it is only a request that broke off.
        sent.map_err(|error| fault.take().unwrap_or(error))
    };
    sending.start(send).await
}
