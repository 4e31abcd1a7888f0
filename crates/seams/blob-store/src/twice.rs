//! Parts that are not held: each is read for its checksum, and again while it is sent.

use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http_body::{Frame, SizeHint};

use crate::sending::{InParts, Sending};
use crate::{ByteStream, Put, ReadAgain, StoreError};

/// An object whose parts can be sent while they are read again.
#[async_trait]
pub trait InPartsAgain: InParts {
    type Sum: PartSum;

    /// Sends the part of this number, from 1 on.
    async fn part_again(
        &self,
        number: u32,
        part: Reread<Self::Sum>,
    ) -> Result<Self::Part, StoreError>;
}

/// Sends all parts of a stream and completes the object.
pub async fn send<U: InPartsAgain>(
    mut sending: Sending<U>,
    part_bytes: u64,
    body: ByteStream,
    again: ReadAgain,
) -> Result<Put, StoreError> {
    let read = each(&mut sending, part_bytes, body, again).await;
    sending.finish(read).await
}

async fn each<U: InPartsAgain>(
    sending: &mut Sending<U>,
    part_bytes: u64,
    mut body: ByteStream,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let mut hashing = Hashing::<U::Sum>::new(part_bytes);
    while let Some(chunk) = body.next().await.transpose()? {
        let ended = hashing.pass(&chunk);
        // To send a part, it is read again, for which the memory of this chunk may be needed.
        drop(chunk);
        for part in ended {
            start(sending, part, again.clone()).await?;
        }
    }
    match hashing.last() {
        Some(part) => start(sending, part, again).await,
        None => Ok(()),
    }
}

async fn start<U: InPartsAgain>(
    sending: &mut Sending<U>,
    part: Hashed<U::Sum>,
    again: ReadAgain,
) -> Result<(), StoreError> {
    let send = |upload: Arc<U>, number| async move {
        let part = Reread::new(upload.key(), part, again);
        let fault = part.fault();
        fault.or_of_store(upload.part_again(number, part).await)
    };
    sending.start(send).await
}

/// A checksum of a part, as a backend needs it.
pub trait PartSum: Default + Clone + Send + Unpin + 'static {
    /// The finished checksum.
    type Sum: Clone + PartialEq + std::fmt::Debug + Send + Sync + Unpin;

    fn pass(&mut self, bytes: &[u8]);
    fn end(self) -> Self::Sum;
}

impl PartSum for crc32fast::Hasher {
    type Sum = u32;

    fn pass(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn end(self) -> u32 {
        self.finalize()
    }
}

/// A part that was read once.
#[derive(Clone)]
pub struct Hashed<H: PartSum> {
    pub range: Range<u64>,
    pub sum: H::Sum,
}

impl<H: PartSum> Hashed<H> {
    pub fn size(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// The checksums of the parts of a stream, of which nothing is kept.
pub struct Hashing<H> {
    part_bytes: u64,
    range: Range<u64>,
    sum: H,
}

impl<H: PartSum> Hashing<H> {
    pub fn new(part_bytes: u64) -> Self {
        Self {
            part_bytes,
            range: 0..0,
            sum: H::default(),
        }
    }

    /// The parts that end in these bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) -> Vec<Hashed<H>> {
        let mut ended = Vec::new();
        while !bytes.is_empty() {
            let room = self.range.start + self.part_bytes - self.range.end;
            let len = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
            let (own, rest) = bytes.split_at(len);
            self.sum.pass(own);
            self.range.end += len as u64;
            if self.range.end - self.range.start == self.part_bytes {
                ended.push(self.end_part());
            }
            bytes = rest;
        }
        ended
    }

    /// The part that the stream ends in; an empty object has one that is empty.
    pub fn last(mut self) -> Option<Hashed<H>> {
        (!self.range.is_empty() || self.range.start == 0).then(|| self.end_part())
    }

    fn end_part(&mut self) -> Hashed<H> {
        let end = self.range.end;
        Hashed {
            range: std::mem::replace(&mut self.range, end..end),
            sum: std::mem::take(&mut self.sum).end(),
        }
    }
}

/// Why a part could not be read again.
#[derive(Clone, Default)]
pub struct Fault(Arc<Mutex<Option<StoreError>>>);

impl Fault {
    /// Whether another try would fail as well.
    pub fn is_set(&self) -> bool {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fault.is_some()
    }

    /// The result of a request: to the store it has only broken off if its part could not be read.
    pub fn or_of_store<T>(&self, sent: Result<T, StoreError>) -> Result<T, StoreError> {
        sent.map_err(|error| {
            let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            fault.unwrap_or(error)
        })
    }

    fn set(&self, error: StoreError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// A part whose checksum is known, and from where its bytes come again.
#[derive(Clone)]
pub struct Reread<H: PartSum> {
    key: String,
    part: Hashed<H>,
    again: ReadAgain,
    fault: Fault,
}

impl<H: PartSum> Reread<H> {
    pub fn new(key: &str, part: Hashed<H>, again: ReadAgain) -> Self {
        Self {
            key: key.to_owned(),
            part,
            again,
            fault: Fault::default(),
        }
    }

    pub fn size(&self) -> u64 {
        self.part.size()
    }

    pub fn sum(&self) -> &H::Sum {
        &self.part.sum
    }

    pub fn fault(&self) -> Fault {
        self.fault.clone()
    }

    /// The body of a request, read once more for each try.
    pub fn body(&self) -> SecondReading<H> {
        SecondReading {
            chunks: Mutex::new((self.again)(self.part.range.clone())),
            left: self.part.size(),
            sum: H::default(),
            of: self.clone(),
        }
    }
}

/// The bytes of a part as they are sent. It ends with an error, and the request with it, if they are not those of the
/// first reading.
pub struct SecondReading<H: PartSum> {
    /// In a mutex only because a body must be `Sync`.
    chunks: Mutex<ByteStream>,
    left: u64,
    sum: H,
    of: Reread<H>,
}

impl<H: PartSum> SecondReading<H> {
    fn pass(&mut self, chunk: Bytes) -> Result<Frame<Bytes>, StoreError> {
        let Some(left) = self.left.checked_sub(chunk.len() as u64) else {
            return Err(self.changed());
        };
        self.left = left;
        self.sum.pass(&chunk);
        if left == 0 && self.sum.clone().end() != self.of.part.sum {
            return Err(self.changed());
        }
        Ok(Frame::data(chunk))
    }

    fn changed(&self) -> StoreError {
        crate::source_error(&self.of.key, "it changed between two readings")
    }
}

impl<H: PartSum + Sync> http_body::Body for SecondReading<H> {
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
            let broken = crate::source_error(&self.of.key, error.to_string());
            self.of.fault.set(error);
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

    fn parts(chunks: &[&[u8]]) -> Vec<(Range<u64>, u32)> {
        let mut hashing = Hashing::<crc32fast::Hasher>::new(3);
        let mut parts: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| hashing.pass(chunk))
            .collect();
        parts.extend(hashing.last());
        let parts = parts.into_iter().map(|part| (part.range, part.sum));
        parts.collect()
    }

    #[test]
    fn parts_end_where_they_should_however_the_stream_is_cut() {
        let part = |start: u64, bytes: &[u8]| {
            let end = start + bytes.len() as u64;
            (start..end, crc32fast::hash(bytes))
        };
        let expected = [part(0, b"abc"), part(3, b"def"), part(6, b"g")];
        for chunks in [&[&b"abcdefg"[..]][..], &[b"ab", b"", b"cde", b"f", b"g"]] {
            assert_eq!(parts(chunks), expected);
        }
        assert_eq!(parts(&[b"abcd", b"ef"]), expected[..2]);
        assert_eq!(parts(&[]), [part(0, b"")]);
    }
}
