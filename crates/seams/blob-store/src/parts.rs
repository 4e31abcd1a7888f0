//! The parts that a stream is uploaded in.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::Fuse;

use crate::{ByteStream, StoreError};

/// A stream of chunks as a stream of parts: all of one size, the last one smaller.
///
/// The next chunk may have to wait for memory that is given back when the ones before have been sent. So nothing is
/// read ahead that is not needed, and a chunk that is a part by itself is neither copied nor held.
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

    /// The next bytes of the stream, at most so many; empty at its end.
    async fn piece(&mut self, bytes_max: usize) -> Result<Bytes, StoreError> {
        if self.is_at_end().await? {
            return Ok(Bytes::new());
        }
        Ok(self.rest.split_to(bytes_max.min(self.rest.len())))
    }

    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let first = self.piece(self.part_bytes).await?;
        if first.is_empty() {
            return Ok(None);
        }
        // Only the last chunk of a stream of parts is smaller, and after it comes no other that would need memory.
        if first.len() == self.part_bytes || self.is_at_end().await? {
            return Ok(Some(first));
        }
        let mut part = BytesMut::with_capacity(self.part_bytes);
        part.extend_from_slice(&first);
        drop(first);
        while part.len() < self.part_bytes && !self.is_at_end().await? {
            let room = self.part_bytes - part.len();
            part.extend_from_slice(&self.piece(room).await?);
        }
        Ok(Some(part.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a stream of these chunks, and whether each is in the memory of a chunk.
    async fn parts(chunks: &[&'static [u8]], part_bytes: usize) -> Vec<(Bytes, bool)> {
        let body =
            futures::stream::iter(chunks.to_vec()).map(|chunk| Ok(Bytes::from_static(chunk)));
        let mut parts = Parts::new(body.boxed(), part_bytes);
        let mut found = Vec::new();
        while let Some(part) = parts.next().await.expect("no error") {
            let of_chunk = |chunk: &&[u8]| chunk.as_ptr_range().contains(&part.as_ptr());
            found.push((part.clone(), chunks.iter().any(of_chunk)));
        }
        found
    }

    #[tokio::test]
    async fn chunks_of_the_size_of_a_part_are_not_copied_and_the_last_one_neither() {
        let whole = parts(&[b"abc", b"def", b"g"], 3).await;
        let expected = [("abc", true), ("def", true), ("g", true)];
        assert_eq!(whole, expected.map(|(part, own)| (part.into(), own)));
    }

    #[tokio::test]
    async fn other_chunks_are_joined_and_split() {
        let joined = parts(&[b"ab", b"", b"cdefgh", b"i"], 4).await;
        let expected = [("abcd", false), ("efgh", true), ("i", true)];
        assert_eq!(joined, expected.map(|(part, own)| (part.into(), own)));
        assert_eq!(parts(&[], 4).await, []);
    }
}
