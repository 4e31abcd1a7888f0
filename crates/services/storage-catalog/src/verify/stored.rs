//! SSTables in the bucket: their components as what a check reads beside the one that it checks.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use blob_store::{Store, StoreError};
use cassandra_formats::source::{Components, ReadAt};
use cassandra_formats::{Descriptor, parse_file_name};
use futures::TryStreamExt;
use model::manifest::{NodeManifest, StoredFile};
use tokio::runtime::Handle;

/// The SSTables of a node, found by any of their files.
pub struct StoredSstables {
    manifest: Arc<NodeManifest>,
    /// By table and file, as the manifest counts them.
    sstables: HashMap<(usize, usize), Arc<StoredSstable>>,
}

/// One SSTable. It reads from within a thread that may block, never from a task.
pub struct StoredSstable {
    manifest: Arc<NodeManifest>,
    table: usize,
    files: Vec<usize>,
    /// Files whose objects are missing or of another size: as good as not there.
    lost: BTreeSet<usize>,
    pub descriptor: Descriptor,
    store: Store,
    runtime: Handle,
}

impl StoredSstables {
    pub fn of(manifest: &Arc<NodeManifest>, is_wrong: &BTreeSet<&str>, store: &Store) -> Self {
        let mut sstables = HashMap::new();
        for (at, table) in manifest.tables.iter().enumerate() {
            let mut files: HashMap<(Option<&str>, Descriptor), Vec<usize>> = HashMap::new();
            for (file, stored) in table.files.iter().enumerate() {
                if let Ok((descriptor, _)) = parse_file_name(&stored.name) {
                    let place = (stored.index.as_deref(), descriptor);
                    files.entry(place).or_default().push(file);
                }
            }
            for ((_, descriptor), files) in files {
                let is_lost = |file: &usize| is_wrong.contains(table.files[*file].object.as_str());
                let sstable = Arc::new(StoredSstable {
                    manifest: manifest.clone(),
                    table: at,
                    lost: files.iter().copied().filter(is_lost).collect(),
                    files: files.clone(),
                    descriptor,
                    store: store.clone(),
                    runtime: Handle::current(),
                });
                let of_file = |file| ((at, file), sstable.clone());
                sstables.extend(files.into_iter().map(of_file));
            }
        }
        Self {
            manifest: manifest.clone(),
            sstables,
        }
    }

    /// The SSTable of a file of the manifest; `None` for a file that is no component.
    pub fn find(&self, table: usize, file: usize) -> Option<(Arc<StoredSstable>, &str)> {
        let sstable = self.sstables.get(&(table, file))?;
        let name = &self.manifest.tables[table].files[file].name;
        let (_, component) = parse_file_name(name).ok()?;
        Some((sstable.clone(), component))
    }
}

impl StoredSstable {
    /// Each file with its component's name.
    fn components(&self) -> impl Iterator<Item = (usize, &str, &StoredFile)> {
        let files = &self.manifest.tables[self.table].files;
        self.files.iter().filter_map(move |at| {
            let file = &files[*at];
            let (_, component) = parse_file_name(&file.name).ok()?;
            Some((*at, component, file))
        })
    }
}

impl Components for StoredSstable {
    fn names(&self) -> Vec<String> {
        let components = self.components();
        components
            .map(|(_, component, _)| component.to_owned())
            .collect()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        let found = self.components().find(|(_, name, _)| *name == component);
        Ok(found
            .filter(|(at, ..)| !self.lost.contains(at))
            .map(|(_, _, file)| {
                let source = StoredSource {
                    store: self.store.clone(),
                    runtime: self.runtime.clone(),
                    key: file.object.clone(),
                    bytes: file.bytes,
                };
                Box::new(source) as Box<dyn ReadAt>
            }))
    }
}

/// An object, read in the ranges that are asked for: who reads onward asks for many at once.
struct StoredSource {
    store: Store,
    runtime: Handle,
    key: String,
    bytes: u64,
}

impl ReadAt for StoredSource {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.bytes) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let mut rest = buffer;
        let read = async {
            let range = Some(offset..end);
            let mut body = self.store.get_stream(&self.key, range).await?;
            while let Some(chunk) = body.try_next().await? {
                let taken = chunk.len().min(rest.len());
                let (now, later) = std::mem::take(&mut rest).split_at_mut(taken);
                now.copy_from_slice(&chunk[..taken]);
                rest = later;
            }
            Ok::<_, StoreError>(())
        };
        self.runtime.block_on(read).map_err(io::Error::other)?;
        match rest.is_empty() {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
