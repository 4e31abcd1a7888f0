//! Stored files: the only place that knows how a file is stored in an object.

use std::ops::Range;

use blob_store::{ByteStream, Put, ReadAgain, StoreError};
use futures::TryStreamExt;
use model::manifest::StoredFile;

use crate::Bucket;

impl Bucket {
    /// Reads a stored file, or the given part of it. Without a range all that is stored comes, also if that is more or
    /// less than the manifest says: the caller compares length and hash. A range that reaches beyond the file is refused.
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
        // A file is an object of its own, so offsets in one are offsets in the other.
        self.store.get_stream(&file.object, range).await
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

    /// The same for a file whose parts are too large for memory; see [`blob_store::BlobStore::put_read_twice`].
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
            from: None,
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
        let hash = bucket.hash_of_file("data/x").await.unwrap();
        assert_eq!(hash, blake3::hash(b"0123456789").to_hex().to_string());
    }
}
