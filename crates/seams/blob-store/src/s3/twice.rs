//! Objects whose parts are too large for memory: a part is read for its checksum, and again while it is sent.

use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream as Body, SdkBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::S3;
use super::multipart::{self, Sending};
use super::parts::Parts;
use super::upload::Upload;
use crate::{ByteStream, Put, ReadAgain, StoreError};

/// Parts that are sent at once: what was read for its checksum is likely to be in the page cache if it is not far ahead.
const PARALLEL_PARTS_MAX: usize = 2;

pub async fn put(
    s3: &S3,
    key: &str,
    bytes: u64,
    body: ByteStream,
    again: ReadAgain,
) -> Result<Put, StoreError> {
    let part_bytes = multipart::part_bytes(s3, bytes);
    let mut parts = Parts::new(body, usize::try_from(part_bytes).unwrap_or(usize::MAX));
    let Some(upload) = Upload::take_up(s3, key, bytes.div_ceil(part_bytes)).await? else {
        return Ok(Put::Exists);
    };
    // What is sent while the next part is read counts, as it does for parts in memory.
    let mut sending = Sending::new(upload, s3.parallel_parts.min(PARALLEL_PARTS_MAX));
    let read = all(&mut sending, &mut parts, part_bytes, again).await;
    sending.finish(read).await
}

async fn all(
    sending: &mut Sending,
    parts: &mut Parts,
    part_bytes: u64,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let mut start = 0;
    loop {
        let (end, crc32) = hashed(parts, start, part_bytes).await?;
        // An empty object has one empty part.
        if end == start && start > 0 {
            return Ok(());
        }
        let again = again.clone();
        let send = |upload: Arc<Upload>, number| async move {
            let part = Part {
                key: upload.key.clone(),
                range: start..end,
                crc32,
            };
            let size = end - start;
            let body = || part.body(again);
            upload.send(number, size, crc32, body).await
        };
        sending.start(send).await?;
        start = end;
    }
}

/// Reads the next part and forgets it; returns where it ends, and its checksum.
async fn hashed(parts: &mut Parts, start: u64, part_bytes: u64) -> Result<(u64, u32), StoreError> {
    let (mut at, mut crc32) = (start, crc32fast::Hasher::new());
    while at < start + part_bytes {
        let room = usize::try_from(start + part_bytes - at).unwrap_or(usize::MAX);
        let piece = parts.piece(room).await?;
        if piece.is_empty() {
            break;
        }
        crc32.update(&piece);
        at += piece.len() as u64;
    }
    Ok((at, crc32.finalize()))
}

/// A part whose checksum is known.
#[derive(Clone)]
struct Part {
    key: String,
    range: Range<u64>,
    crc32: u32,
}

impl Part {
    /// The body of a request, read once more for each try.
    fn body(self, again: ReadAgain) -> Body {
        Body::new(SdkBody::retryable(move || {
            SdkBody::from_body_1_x(SecondReading {
                chunks: Mutex::new(again(self.range.clone())),
                left: self.range.end - self.range.start,
                crc32: crc32fast::Hasher::new(),
                part: self.clone(),
            })
        }))
    }
}

/// The bytes of a part as they are sent. It ends with an error, and the request with it, if they are not those of the
/// first reading.
struct SecondReading {
    /// In a mutex only because a body must be `Sync`.
    chunks: Mutex<ByteStream>,
    left: u64,
    crc32: crc32fast::Hasher,
    part: Part,
}

impl SecondReading {
    fn pass(&mut self, chunk: Bytes) -> Result<Frame<Bytes>, StoreError> {
        let Some(left) = self.left.checked_sub(chunk.len() as u64) else {
            return Err(self.changed());
        };
        self.left = left;
        self.crc32.update(&chunk);
        if left == 0 && self.crc32.clone().finalize() != self.part.crc32 {
            return Err(self.changed());
        }
        Ok(Frame::data(chunk))
    }

    fn changed(&self) -> StoreError {
        crate::source_error(&self.part.key, "it changed between two readings")
    }
}

impl http_body::Body for SecondReading {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let chunks = self.chunks.get_mut();
        let chunks = chunks.unwrap_or_else(PoisonError::into_inner);
        let frame = match ready!(chunks.as_mut().poll_next(context)) {
            Some(chunk) => chunk.and_then(|chunk| self.pass(chunk)),
            None => Err(self.changed()),
        };
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
