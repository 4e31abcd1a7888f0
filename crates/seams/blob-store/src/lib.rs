//! The object store as a port: write-once objects under keys, with what callers may rely on said at each method.
//!
//! Objects are created, never overwritten, so every operation is safe to repeat. Backends are [`Folder`] and [`S3`];
//! [`open`] picks one by configuration. The `testing` feature adds the conformance suite that makes a new backend a
//! drop-in, and fakes for faults. The port knows nothing of backups.

mod config;
mod counted;
mod error;
mod folder;
mod key;
mod s3;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use config::{FolderConfig, S3Config, StoreConfig, open};
pub use counted::{Counted, Counts};
pub use error::StoreError;
pub use folder::Folder;
pub use key::{KEY_BYTES_MAX, check as check_key};
pub use s3::S3;
pub use throttle::{Bandwidth, Throttle};

/// A store that is shared between tasks.
pub type Store = Arc<dyn BlobStore>;
/// Chunks of one object, in order; it ends early only with an error.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;
/// Objects of a listing, in order of their keys; it ends early only with an error.
pub type MetaStream = BoxStream<'static, Result<Meta, StoreError>>;

/// Wraps the error of whoever produces a stream for [`BlobStore::put_stream`], so that the cause is kept.
pub fn source_error(
    key: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Source {
        key: key.to_owned(),
        source: source.into(),
    }
}

/// What a conditional create came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is this call's, durable and visible to every reader.
    Created,
    /// There is an object of that key, untouched by this call. It may have been created by an earlier try of this very
    /// call whose answer was lost: who needs to know compares the content.
    Exists,
}

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub key: String,
    pub size: u64,
    /// Differs between two objects that had the same key one after the other. Means nothing else.
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
/// Keys are relative paths, as [`check_key`] defines them. Every method reads what was written before by anybody
/// (strong consistency), may be called from many tasks at once, and is safe to repeat. Dropping a future stops the
/// work; what that leaves behind is said at the method.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Which store this is, for people, without credentials.
    fn describe(&self) -> String;

    /// Creates an object from bytes unless one of that key exists. Atomic: of two writers exactly one creates, and no
    /// reader ever sees a part. Dropped or failed, the object is there whole or not at all.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError>;

    /// Creates an object from a stream of any length unless one of that key exists, with memory bounded by the backend's
    /// settings. Atomic as [`put`](Self::put). `size_hint` lets the backend choose its part size: the stream decides what
    /// is stored. When the stream fails or the future is dropped, nothing is visible, and what was sent so far is
    /// discarded. An existing object may be noticed only after the stream has been read.
    async fn put_stream(
        &self,
        key: &str,
        size_hint: Option<u64>,
        body: ByteStream,
    ) -> Result<Put, StoreError>;

    /// Reads a whole object of at most `bytes_max` bytes; a larger one is refused unread.
    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError>;

    /// Reads an object, or the given part of it, as a stream. A connection that breaks is taken up again where it broke.
    /// A range that reaches beyond the object's end is refused: the object is not what the caller believes.
    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError>;

    /// Says whether there is an object, and how large it is. Every doubt is an error, never `None`.
    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError>;

    /// Lists every object whose key starts with `prefix`, sorted by the bytes of the key, in pages. Objects that come or
    /// go meanwhile may be in it or not; all others are.
    fn list(&self, prefix: &str) -> MetaStream;

    /// Lists one level below `prefix`, which is empty or ends with `/`.
    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError>;

    /// Deletes an object. Succeeds where there is none.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Deletes objects in no particular order. After an error any of them may be gone; repeating finishes.
    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError>;
}
