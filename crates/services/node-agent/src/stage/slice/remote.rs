//! The components of an SSTable of the bucket, for a reader that blocks: those that were fetched lie on disk, of others
//! only the parts that are asked for come over.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use chassis::work::{Counter, Stopped, Work};

use blob_store::{Store, StoreError};
use cassandra_formats::source::{Components, ReadAt};
use futures::StreamExt;
use model::manifest::StoredFile;
use sstable_files::SstableFiles;
use tokio::runtime::Handle;

/// Why a part of an object did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteFault {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the object `{object}` ended {missing} bytes before its end")]
    Short { object: String, missing: u64 },
}

pub(super) struct Remote {
    /// Of components that are on disk.
    pub fetched: SstableFiles,
    pub fetched_names: BTreeSet<String>,
    /// By component.
    pub stored: BTreeMap<String, StoredFile>,
    pub objects: Arc<Objects>,
}

/// How objects are read.
pub(super) struct Objects {
    pub store: Store,
    pub handle: Handle,
    pub work: Work,
    pub counter: Counter,
}

impl Components for Remote {
    fn names(&self) -> Vec<String> {
        self.stored.keys().cloned().collect()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        if self.fetched_names.contains(component) {
            return self.fetched.open(component);
        }
        Ok(self.stored.get(component).map(|stored| {
            Box::new(Object {
                objects: self.objects.clone(),
                stored: stored.clone(),
            }) as Box<dyn ReadAt>
        }))
    }
}

struct Object {
    objects: Arc<Objects>,
    stored: StoredFile,
}

impl ReadAt for Object {
    fn len(&self) -> u64 {
        self.stored.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.stored.bytes) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let objects = &self.objects;
        objects
            .handle
            .block_on(objects.read(&self.stored.object, offset..end, buffer))
            .map_err(io::Error::other)
    }
}

impl Objects {
    async fn read(
        &self,
        key: &str,
        range: Range<u64>,
        buffer: &mut [u8],
    ) -> Result<(), RemoteFault> {
        self.work.check()?;
        let mut body = self
            .work
            .or_stop(self.store.get_stream(key, Some(range)))
            .await??;
        let mut filled = 0;
        while let Some(piece) = self.work.or_stop(body.next()).await? {
            let piece = piece?;
            let take = piece.len().min(buffer.len() - filled);
            buffer[filled..filled + take].copy_from_slice(&piece[..take]);
            filled += take;
            self.counter.add_bytes(take as u64);
        }
        match buffer.len() - filled {
            0 => Ok(()),
            missing => Err(RemoteFault::Short {
                object: key.to_owned(),
                missing: missing as u64,
            }),
        }
    }
}
