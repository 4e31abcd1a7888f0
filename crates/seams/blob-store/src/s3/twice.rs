//! Objects whose parts are too large for memory: a part is read for its checksum, and again while it is sent.

use async_trait::async_trait;
use aws_sdk_s3::primitives::{ByteStream as Body, SdkBody};
use aws_sdk_s3::types::CompletedPart;

use super::S3;
use super::multipart;
use super::upload::Upload;
use crate::sending::Sending;
use crate::twice::{self, InPartsAgain, Reread};
use crate::{ByteStream, Put, ReadAgain, StoreError};

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
    let sending = Sending::new(upload, s3.parallel_parts);
    twice::send(sending, part_bytes, body, again).await
}

#[async_trait]
impl InPartsAgain for Upload {
    type Sum = crc32fast::Hasher;

    async fn part_again(
        &self,
        number: u32,
        part: Reread<crc32fast::Hasher>,
    ) -> Result<CompletedPart, StoreError> {
        let (size, crc32) = (part.size(), *part.sum());
        let body = || {
            Body::new(SdkBody::retryable(move || {
                SdkBody::from_body_1_x(part.body())
            }))
        };
        self.send(number, size, crc32, body).await
    }
}
