//! The object store as a port: write-once objects under keys. Each method documents what callers may rely on.
//!
//! Objects are created, never overwritten, so every operation is safe to repeat. Backends are [`Folder`], [`S3`],
//! [`Azure`] and [`Gcs`]; [`open`] picks one by configuration. The `testing` feature adds the conformance suite that a new
//! backend must pass, and stores with faults for tests. The port knows nothing about backups.
//!
//! ```
//! use blob_store::{BlobStore, Folder, Put, StoreError};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let root = std::env::temp_dir().join(format!("blob-store-example-{}", std::process::id()));
//! let store = Folder::open(&root)?;
//!
//! // The first writer of a key creates the object; a later one changes nothing.
//! assert_eq!(store.put("backups/b1/done", "first".into()).await?, Put::Created);
//! assert_eq!(store.put("backups/b1/done", "second".into()).await?, Put::Exists);
//! assert_eq!(store.get("backups/b1/done", 1024).await?, "first");
//!
//! let level = store.list_children("backups/").await?;
//! assert_eq!(level.prefixes, ["backups/b1/"]);
//!
//! store.delete("backups/b1/done").await?;
//! assert_eq!(store.head("backups/b1/done").await?, None);
//! # std::fs::remove_dir_all(&root).unwrap();
//! # Ok::<(), StoreError>(())
//! # }).unwrap();
//! ```

#![warn(missing_docs)]

mod azure;
mod budget;
mod config;
mod counted;
mod delete;
mod error;
mod folder;
mod gcs;
mod key;
mod parts;
mod range;
mod read;
mod rest;
mod s3;
mod sending;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod twice;

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use azure::{Azure, AzureConfig};
pub use budget::{Budget, Buffer, Reservation};
pub use config::{FolderConfig, StoreConfig, open};
pub use counted::{Counted, Counts};
pub use error::StoreError;
pub use folder::Folder;
pub use gcs::{Gcs, GcsConfig};
pub use key::{KEY_BYTES_MAX, check as check_key};
pub use s3::{S3, S3Config};
pub use throttle::{Bandwidth, Throttle};

/// A store that is shared between tasks.
pub type Store = Arc<dyn BlobStore>;
/// Chunks of one object, in order; it ends early only with an error.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;
/// Objects of a listing, in order of their keys; it ends early only with an error.
pub type MetaStream = BoxStream<'static, Result<Meta, StoreError>>;
/// Reads a range of what is being uploaded again.
pub type ReadAgain = Arc<dyn Fn(Range<u64>) -> ByteStream + Send + Sync>;

/// Wraps an error of the stream that a caller hands to [`BlobStore::put_stream`], so that the cause is kept.
pub fn source_error(
    key: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Source {
        key: key.to_owned(),
        source: source.into(),
    }
}

/// The result of a conditional create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// This call created the object; it is durable and visible to every reader.
    Created,
    /// There is an object of that key, untouched by this call, and as durable as one that was created. It may have been
    /// created by an earlier try of this same call whose response was lost; a caller that needs to know compares the
    /// content.
    Exists,
}

/// An object as a listing reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The object's key, without the prefix that the store is configured with.
    pub key: String,
    /// The object's size in bytes.
    pub size: u64,
    /// Differs between two objects that had the same key one after the other, unless both were copies of one object. It has
    /// no other meaning.
    pub tag: String,
}

/// One level of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Children {
    /// Prefixes up to and with the next `/`, sorted.
    pub prefixes: Vec<String>,
    /// Objects of this level, sorted by key.
    pub objects: Vec<Meta>,
}

/// A store of write-once objects.
///
/// Keys are relative paths, as [`check_key`] defines them. Every method sees all completed writes of any client
/// (strong consistency), may be called from many tasks at once, and is safe to repeat. Dropping a future stops the
/// work; each method documents what that leaves behind.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Names the store for people, without credentials: `s3://bucket/prefix` or `folder /path`.
    fn describe(&self) -> String;

    /// Creates an object from bytes unless one of that key exists. Atomic: of two writers exactly one creates, and no
    /// reader ever sees a part. Dropped or failed, the object is there whole or not at all.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError>;

    /// Creates an object from a stream of any length unless one of that key exists, with memory bounded by the backend's
    /// settings. Atomic as [`put`](Self::put). `size_hint` lets the backend choose its part size: the stream decides what
    /// is stored. When the stream fails or the future is dropped, nothing is visible. What was sent so far is discarded,
    /// unless the next call for this key can go on from it; then it stays until that call, or until
    /// [`discard_unfinished`](Self::discard_unfinished). An existing object may be noticed only after the stream has been
    /// read.
    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError>;

    /// The size of the parts in which this backend uploads an object of so many bytes; `None` if it takes a stream as it
    /// comes. If the chunks of a stream have just this size, the backend sends each as it is and holds no copy, so that
    /// the caller decides by the chunks that it hands out how much memory is used.
    fn part_bytes(&self, _bytes: u64) -> Option<u64> {
        None
    }

    /// Creates an object as [`put_stream`](Self::put_stream) does, without ever holding a part: `body` is read for the
    /// checksum of a part, whose bytes then come from `again`. For objects whose parts are too large for the memory of
    /// the caller. Fails if the second reading differs from the first.
    async fn put_read_twice(
        &self,
        key: &str,
        bytes: u64,
        body: ByteStream,
        _again: ReadAgain,
    ) -> Result<Put, StoreError> {
        self.put_stream(key, Some(bytes), body).await
    }

    /// This store with a limit for the bytes that it sends, if it applies one by itself. It then charges what really goes
    /// to the store, before each request, so that what is there already costs nothing and no request waits inside.
    fn with_upload_limit(&self, _limit: &Arc<Bandwidth>) -> Option<Store> {
        None
    }

    /// Creates an object in the way in which this backend creates large ones, however small it is, so that a caller can
    /// find out whether it is conditional in that way, too.
    async fn put_as_parts(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        self.put(key, bytes).await
    }

    /// Creates an object with the content of another one of this store, `from`, unless one of that key exists. No byte of it
    /// passes through this process, and before success is reported the copy is known to be equal to its source: by the
    /// store's own hashes, or because it is the same file. Atomic as [`put`](Self::put); dropped or failed, nothing is
    /// visible, and what was copied so far is discarded.
    ///
    /// `sizes` are the sizes in bytes that the source may have. [`StoreError::NotFound`] names the source;
    /// [`StoreError::NotCopied`] says that it has another size or cannot be copied, which says nothing of others, and
    /// [`StoreError::Unsuitable`] that the store does not copy, or that no copy can be compared with its source. After any
    /// error the caller can store the same content by itself.
    async fn copy(
        &self,
        _from: &str,
        key: &str,
        _sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        Err(error::not_copied(
            key,
            &self.describe(),
            "it copies no objects",
        ))
    }

    /// Reads a whole object of at most `bytes_max` bytes; a larger one is refused unread.
    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError>;

    /// Reads an object, or the given range of bytes, as a stream. If a connection breaks, reading resumes at the byte
    /// where it broke. A range that reaches beyond the object's end is refused: the object is not what the caller
    /// believes.
    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError>;

    /// Returns an object's size, or `None` if there is no such object. If the store cannot say for certain, that is
    /// an error, never `None`.
    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError>;

    /// Lists every object whose key starts with `prefix`, sorted by the bytes of the key, in pages. Objects that are
    /// created or deleted meanwhile may or may not be in it; all others are.
    fn list(&self, prefix: &str) -> MetaStream;

    /// Lists one level below `prefix`, which is empty or ends with `/`.
    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError>;

    /// Deletes an object. Succeeds if there is none.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Deletes objects in no particular order. After an error any of them may be gone; repeating finishes.
    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        delete::one_by_one(self, keys).await
    }

    /// Makes sure that an object that was found survives a power cut, also if its writer was killed before it could.
    /// Does nothing where an object is not visible before it is durable.
    async fn make_durable(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Discards what killed writers left of objects under `prefix` that they never finished; returns how many there
    /// were. An upload that is running is discarded as well, and fails: only call it for keys that nothing may write
    /// any more. A store may clean up by itself and report none.
    async fn discard_unfinished(&self, _prefix: &str) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Whether a deletion so far has left the bytes in the store, as an older version of the object.
    fn keeps_versions(&self) -> bool {
        false
    }
}
