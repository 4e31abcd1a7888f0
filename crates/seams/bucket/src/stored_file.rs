//! Stored files: the only place that knows how a file is stored in an object.

use std::ops::{Range, RangeInclusive};

use blob_store::{ByteStream, Put, ReadAgain, StoreError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use model::manifest::StoredFile;

use crate::Bucket;

impl Bucket {
    /// Reads a stored file, or the given part of it. Without a range all that is stored of a file that is an object of its
    /// own comes, also if that is more or less than the manifest says: the caller compares length and hash. A range that
    /// reaches beyond the file or the object is refused.
    pub async fn open(
        &self,
        file: &StoredFile,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        if let Some(Range { start, end }) = range
            && end > file.bytes
        {
            return Err(StoreError::OutOfRange {
                key: file.object.clone(),
                store: self.store.describe(),
                size: file.bytes,
                start,
                end,
            });
        }
        let Some(place) = file.place() else {
            return self.store.get_stream(&file.object, range).await;
        };
        let Range { start, end } = range.unwrap_or(0..file.bytes);
        if start >= end {
            return Ok(stream::empty().boxed());
        }
        let part = place.start.saturating_add(start)..place.start.saturating_add(end);
        self.store.get_stream(&file.object, Some(part)).await
    }

    /// Stores a file under `key` unless there is an object; see [`blob_store::BlobStore::put_stream`].
    pub async fn store_file(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.store.put_stream(key, Some(bytes), body).await
    }

    /// Stores a pack under `key` unless there is an object.
    pub async fn store_pack(&self, key: &str, pack: Bytes) -> Result<Put, StoreError> {
        let bytes = pack.len() as u64;
        let part = self.store.part_bytes(bytes).unwrap_or(bytes);
        let part = usize::try_from(part).unwrap_or(usize::MAX).max(1);
        // Slices of the very size of a part are sent as they are.
        let starts = (0..pack.len()).step_by(part);
        let parts: Vec<_> = starts
            .map(|at| Ok(pack.slice(at..pack.len().min(at + part))))
            .collect();
        drop(pack);
        let body = stream::iter(parts).boxed();
        self.store.put_stream(key, Some(bytes), body).await
    }

    /// Copies an object inside the store unless there is one under `key`; see [`blob_store::BlobStore::copy`].
    pub async fn copy_object(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        self.store.copy(from, key, sizes).await
    }

    /// The same as [`store_file`](Self::store_file) for a file whose parts are too large for memory; see [`blob_store::BlobStore::put_read_twice`].
    pub async fn store_file_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        again: ReadAgain,
    ) -> Result<Put, StoreError> {
        self.store.put_read_twice(key, bytes, body, again).await
    }

    /// The size of the parts in which a file of so many bytes is stored; see [`blob_store::BlobStore::part_bytes`].
    pub fn part_bytes(&self, bytes: u64) -> Option<u64> {
        self.store.part_bytes(bytes)
    }

    /// The hex BLAKE3 of the file that is stored under `key`, read to its end.
    pub async fn hash_of_file(&self, key: &str) -> Result<String, StoreError> {
        let mut body = self.store.get_stream(key, None).await?;
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = body.try_next().await? {
            hasher.update(&piece);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blob_store::testing::Memory;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_whole_or_in_part_and_not_beyond_its_end() {
        let memory = Memory::default();
        memory.overwrite("data/x", "0123456789");
        let bucket = Bucket::new(Arc::new(memory));
        let file = StoredFile {
            name: "x".to_owned(),
            index: None,
            bytes: 8,
            blake3: String::new(),
            object: "data/x".to_owned(),
            offset: None,
            from: None,
            copied_from: None,
            source: None,
        };
        let read = |range| async {
            let pieces: Vec<_> = bucket.open(&file, range).await?.try_collect().await?;
            Ok::<_, StoreError>(pieces.concat())
        };
        // What is too long comes whole, so that the caller finds out.
        assert_eq!(read(None).await.unwrap(), b"0123456789");
        assert_eq!(read(Some(2..5)).await.unwrap(), b"234");
        let error = read(Some(5..9)).await.unwrap_err();
        assert!(matches!(error, StoreError::OutOfRange { size: 8, .. }));
        let packed = StoredFile {
            offset: Some(2),
            bytes: 5,
            ..file.clone()
        };
        let read_packed = |range| async {
            let pieces: Vec<_> = bucket.open(&packed, range).await?.try_collect().await?;
            Ok::<_, StoreError>(pieces.concat())
        };
        assert_eq!(read_packed(None).await.unwrap(), b"23456");
        assert_eq!(read_packed(Some(1..3)).await.unwrap(), b"34");
        assert_eq!(read_packed(Some(2..2)).await.unwrap(), b"");
        let error = read_packed(Some(4..6)).await.unwrap_err();
        assert!(matches!(error, StoreError::OutOfRange { size: 5, .. }));
        let hash = bucket.hash_of_file("data/x").await.unwrap();
        assert_eq!(hash, blake3::hash(b"0123456789").to_hex().to_string());
    }

    #[tokio::test]
    async fn a_pack_is_stored_once_as_it_is() {
        let bucket = Bucket::new(Arc::new(Memory::default()));
        for (key, pack) in [("data/x", "0123456789"), ("data/empty", "")] {
            let put = || bucket.store_pack(key, pack.into());
            assert_eq!(put().await.unwrap(), Put::Created);
            assert_eq!(put().await.unwrap(), Put::Exists);
            assert_eq!(bucket.store.get(key, 100).await.unwrap(), pack);
        }
    }
}
