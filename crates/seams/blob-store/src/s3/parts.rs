//! The parts that a stream is uploaded in.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::Fuse;

use crate::{ByteStream, StoreError};

/// A stream of chunks as a stream of parts: all of one size, the last one smaller.
pub struct Parts {
    /// Fused, because it is polled again after its end, which not every stream allows.
    body: Fuse<ByteStream>,
    part_bytes: usize,
    /// Read already, and belongs to the next part.
    rest: Bytes,
}

impl Parts {
    pub fn new(body: ByteStream, part_bytes: usize) -> Self {
        Self {
            body: body.fuse(),
            part_bytes,
            rest: Bytes::new(),
        }
    }

    pub async fn is_at_end(&mut self) -> Result<bool, StoreError> {
        while self.rest.is_empty() {
            match self.body.next().await.transpose()? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.is_at_end().await? {
            return Ok(None);
        }
        // A chunk that is exactly one part is not copied.
        if self.rest.len() == self.part_bytes {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        let mut part = BytesMut::with_capacity(self.part_bytes);
        while !self.is_at_end().await? {
            let room = self.part_bytes - part.len();
            let taken = self.rest.split_to(room.min(self.rest.len()));
            part.extend_from_slice(&taken);
            if part.len() == self.part_bytes {
                break;
            }
        }
        Ok(Some(part.freeze()))
    }
}
