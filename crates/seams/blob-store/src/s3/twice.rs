//! Objects whose parts are too large for memory: a part is read for its checksum, and again while it is sent.

use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream as Body, SdkBody};
use bytes::Bytes;
use futures::StreamExt;
use http_body::{Frame, SizeHint};

use super::S3;
use super::multipart::{self, Sending};
use super::upload::Upload;
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
    let mut sending = Sending::new(upload, s3.parallel_parts);
    let read = all(&mut sending, body, part_bytes, again).await;
    sending.finish(read).await
}

async fn all(
    sending: &mut Sending,
    mut body: ByteStream,
    part_bytes: u64,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let mut hashing = Hashing::new(part_bytes);
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

async fn send(sending: &mut Sending, part: Hashed, again: ReadAgain) -> Result<(), StoreError> {
    let send = |upload: Arc<Upload>, number| async move {
        let Hashed { range, crc32 } = part;
        let size = range.end - range.start;
        let key = upload.key.clone();
        let part = Part { key, range, crc32 };
        let fault = Fault::default();
        let body = || part.body(again, fault.clone());
        let sent = upload.send(number, size, crc32, body).await;
        // To the store it is only a request that broke off.
        sent.map_err(|error| fault.take().unwrap_or(error))
    };
    sending.start(send).await
}

/// A part that was read once.
#[derive(Debug, PartialEq, Eq)]
struct Hashed {
    range: Range<u64>,
    crc32: u32,
}

/// The checksums of the parts of a stream, of which nothing is kept.
struct Hashing {
    part_bytes: u64,
    range: Range<u64>,
    crc32: crc32fast::Hasher,
}

impl Hashing {
    fn new(part_bytes: u64) -> Self {
        Self {
            part_bytes,
            range: 0..0,
            crc32: crc32fast::Hasher::new(),
        }
    }

    /// The parts that end in these bytes.
    fn pass(&mut self, mut bytes: &[u8]) -> Vec<Hashed> {
        let mut ended = Vec::new();
        while !bytes.is_empty() {
            let room = self.range.start + self.part_bytes - self.range.end;
            let len = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
            let (own, rest) = bytes.split_at(len);
            self.crc32.update(own);
            self.range.end += len as u64;
            if self.range.end - self.range.start == self.part_bytes {
                ended.push(self.end_part());
            }
            bytes = rest;
        }
        ended
    }

    /// The part that the stream ends in; an empty object has one that is empty.
    fn last(mut self) -> Option<Hashed> {
        (!self.range.is_empty() || self.range.start == 0).then(|| self.end_part())
    }

    fn end_part(&mut self) -> Hashed {
        let end = self.range.end;
        Hashed {
            range: std::mem::replace(&mut self.range, end..end),
            crc32: std::mem::take(&mut self.crc32).finalize(),
        }
    }
}

/// Why a part could not be read again.
#[derive(Clone, Default)]
struct Fault(Arc<Mutex<Option<StoreError>>>);

impl Fault {
    fn take(&self) -> Option<StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: StoreError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
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
    fn body(self, again: ReadAgain, fault: Fault) -> Body {
        Body::new(SdkBody::retryable(move || {
            SdkBody::from_body_1_x(SecondReading {
                chunks: Mutex::new(again(self.range.clone())),
                left: self.range.end - self.range.start,
                crc32: crc32fast::Hasher::new(),
                part: self.clone(),
                fault: fault.clone(),
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
    fault: Fault,
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
        let frame = frame.map_err(|error| {
            let broken = crate::source_error(&self.part.key, error.to_string());
            self.fault.set(error);
            broken
        });
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(chunks: &[&[u8]]) -> Vec<Hashed> {
        let mut hashing = Hashing::new(3);
        let mut parts: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| hashing.pass(chunk))
            .collect();
        parts.extend(hashing.last());
        parts
    }

    #[test]
    fn parts_end_where_they_should_however_the_stream_is_cut() {
        let part = |start: u64, bytes: &[u8]| Hashed {
            range: start..start + bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
        };
        let expected = [part(0, b"abc"), part(3, b"def"), part(6, b"g")];
        for chunks in [&[&b"abcdefg"[..]][..], &[b"ab", b"", b"cde", b"f", b"g"]] {
            assert_eq!(parts(chunks), expected);
        }
        assert_eq!(parts(&[b"abcd", b"ef"]), expected[..2]);
        assert_eq!(parts(&[]), [part(0, b"")]);
    }
}
