//! The components of an SSTable in the bucket, for a reader that blocks: only the parts that are asked for come over.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use blob_store::StoreError;
use bytes::Bytes;
use cassandra_formats::Descriptor;
use cassandra_formats::source::{Components, ReadAt};
use futures::TryStreamExt;
use model::manifest::StoredFile;
use tokio::runtime::Handle;

use crate::{Bucket, LoadedPart};

/// Why a part of a component did not come. It is the source of the [`io::Error`] that the blocking reader sees.
#[derive(Debug, thiserror::Error)]
pub enum StoredReadError {
    /// The watch has stopped the reading.
    #[error("the reading was stopped")]
    Stopped,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store sent fewer bytes than were asked for.
    #[error("the object `{object}` ended {missing} bytes before its end")]
    Short {
        /// The object key.
        object: String,
        /// In bytes.
        missing: u64,
    },
}

/// Follows the reads of a [`StoredSstable`], and may end them.
#[async_trait]
pub trait ReadWatch: Send + Sync + 'static {
    /// Returns when nothing more is to be read; reads that wait for the store are given up then.
    async fn stopped(&self);

    /// Counts bytes that came from the bucket.
    fn count(&self, bytes: u64);
}

/// Lets everything be read, and counts nothing.
struct Unwatched;

#[async_trait]
impl ReadWatch for Unwatched {
    async fn stopped(&self) {
        std::future::pending().await
    }

    fn count(&self, _bytes: u64) {}
}

/// One SSTable of a backup. It reads from within a thread that may block, never from a task.
pub struct StoredSstable {
    descriptor: Descriptor,
    /// By component.
    files: BTreeMap<String, StoredFile>,
    lost: BTreeSet<String>,
    local: Option<Box<dyn Components>>,
    local_names: BTreeSet<String>,
    loaded: Option<LoadedPart>,
    reads: Arc<Reads>,
}

/// How parts of objects are read.
struct Reads {
    bucket: Bucket,
    runtime: Handle,
    watch: Arc<dyn ReadWatch>,
}

impl StoredSstable {
    /// The SSTable that these files make up, by component: `Data.db`, `TOC.txt`. To be called in a runtime, which the
    /// reads then use.
    pub fn new(
        bucket: Bucket,
        descriptor: Descriptor,
        files: BTreeMap<String, StoredFile>,
    ) -> Self {
        Self {
            descriptor,
            files,
            lost: BTreeSet::new(),
            local: None,
            local_names: BTreeSet::new(),
            loaded: None,
            reads: Arc::new(Reads {
                bucket,
                runtime: Handle::current(),
                watch: Arc::new(Unwatched),
            }),
        }
    }

    /// Treats these components as not there: their objects are missing or of another size.
    pub fn with_lost(mut self, components: BTreeSet<String>) -> Self {
        self.lost = components;
        self
    }

    /// Reads the components that `local` has from there: they have been fetched already.
    pub fn with_local(mut self, local: impl Components + 'static) -> Self {
        self.local_names = local.names().into_iter().collect();
        self.local = Some(Box::new(local));
        self
    }

    /// Reads from memory what lies in this part of a pack.
    pub fn with_loaded(mut self, loaded: LoadedPart) -> Self {
        self.loaded = Some(loaded);
        self
    }

    /// Has its reads followed.
    pub fn watched_by(mut self, watch: Arc<dyn ReadWatch>) -> Self {
        self.reads = Arc::new(Reads {
            bucket: self.reads.bucket.clone(),
            runtime: self.reads.runtime.clone(),
            watch,
        });
        self
    }

    /// Whether none of its components is treated as not there.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether a component is read from memory.
    pub(crate) fn is_loaded(&self, component: &str) -> bool {
        let file = self.files.get(component);
        let loaded = self.loaded.as_ref().zip(file);
        loaded.is_some_and(|(part, file)| part.file(file).is_some())
    }

    /// What the names of its files share.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl Components for StoredSstable {
    fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        if let Some(local) = &self.local
            && self.local_names.contains(component)
        {
            return local.open(component);
        }
        let found = self.files.get(component);
        Ok(found
            .filter(|_| !self.lost.contains(component))
            .map(|file| {
                let loaded = self.loaded.as_ref().and_then(|part| part.file(file));
                if let Some(bytes) = loaded.filter(|bytes| bytes.len() as u64 == file.bytes) {
                    return Box::new(InMemory(bytes)) as Box<dyn ReadAt>;
                }
                let source = StoredSource {
                    reads: self.reads.clone(),
                    file: file.clone(),
                };
                Box::new(source) as Box<dyn ReadAt>
            }))
    }
}

/// A component that lies in a part of a pack which is in memory.
struct InMemory(Bytes);

impl ReadAt for InMemory {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0[..].read_exact_at(offset, buffer)
    }
}

/// A component, read in the ranges that are asked for: a reader that goes through it asks for many bytes at once.
struct StoredSource {
    reads: Arc<Reads>,
    file: StoredFile,
}

impl ReadAt for StoredSource {
    fn len(&self) -> u64 {
        self.file.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.file.bytes) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let reads = &self.reads;
        let read = async {
            tokio::select! {
                biased;
                () = reads.watch.stopped() => Err(StoredReadError::Stopped),
                read = reads.read(&self.file, offset..end, buffer) => read,
            }
        };
        reads.runtime.block_on(read).map_err(io::Error::other)
    }
}

impl Reads {
    async fn read(
        &self,
        file: &StoredFile,
        range: Range<u64>,
        buffer: &mut [u8],
    ) -> Result<(), StoredReadError> {
        let mut body = self.bucket.open(file, Some(range)).await?;
        let mut filled = 0;
        while let Some(piece) = body.try_next().await? {
            let taken = piece.len().min(buffer.len() - filled);
            buffer[filled..filled + taken].copy_from_slice(&piece[..taken]);
            filled += taken;
            self.watch.count(taken as u64);
        }
        match buffer.len() - filled {
            0 => Ok(()),
            missing => Err(StoredReadError::Short {
                object: file.object.clone(),
                missing: missing as u64,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
