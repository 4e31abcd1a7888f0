//! What is in Ringkeep's bucket, read and written the same way by every service. docs/format.md is the specification.
//!
//! - [`keys`]: where each object is.
//! - [`envelope`]: the header line around every document, with form, kind, length and hash.
//! - [`Document`]: what holds for all documents of a kind: how large they may be, and that each belongs under its key.
//! - [`node_manifest`]: whether the names and keys in a node manifest stay where they belong.
//! - [`Bucket`]: reads and writes documents, opens stored files, and compares manifests with what is there.
//! - [`Packing`]: which small files travel together in a pack; [`runs`]: which files of packs come with one request.
//! - [`StoredSstable`]: the components of an SSTable in the bucket, for a reader that blocks.
//! - [`RowsCheck`]: the check of all rows of an SSTable beside the download of its Data.db.
//! - [`StreamingCheck`]: the check of a component while its bytes pass by; [`StoredCheck`] runs one beside a download.
//! - [`BucketError`]: what can go wrong, with the one mapping of errors of the store to kinds of errors.
//!
//! A stored file is read through [`Bucket::open`], or as a part of a [`Run`], and through nothing else: how files are
//! packed into objects is known to this crate alone. The crate decides nothing about backups and deletes nothing.

#![warn(missing_docs)]

mod document;
pub mod envelope;
mod error;
pub mod keys;
pub mod node_manifest;
mod packing;
mod presence;
mod rows_check;
mod run;
mod sstable;
mod stored_check;
mod stored_file;
mod streaming_check;

use blob_store::Store;

pub use document::{DeletionMark, Document, Pin, Read, Tombstone, Written, seal_document};
pub use envelope::{DocumentError, DocumentKind};
pub use error::{BucketError, store_kind, store_reason};
pub use node_manifest::{CommittedNode, CommittedNodes};
pub use packing::{PACKED_FILE_BYTES_MAX, PackedFile, Packing, pack_name};
pub use presence::{WrongFile, WrongFiles};
pub use rows_check::RowsCheck;
pub use run::{LoadedPart, PackPart, Run, RunLimits, Split, pack_place, runs};
pub use sstable::{ReadWatch, StoredReadError, StoredSstable};
pub use stored_check::StoredCheck;
pub use streaming_check::{StreamingCheck, UnreadableComponent};

/// The bucket of Ringkeep on an object store. Clones share the store.
#[derive(Clone)]
pub struct Bucket {
    store: Store,
}

impl Bucket {
    /// The bucket that is in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The store beneath, for listing and deleting, which follow rules of their own.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Runs work that takes long or blocks where it holds up no other task.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
