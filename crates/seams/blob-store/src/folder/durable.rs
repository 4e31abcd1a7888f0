//! Which folders are known to be on the disk, with all above them.
//!
//! A folder or object that is there may be of a writer that was killed, or is about to be, before it flushed the folder
//! that holds the name. Who relies on it flushes on its own.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// More than this and everything is forgotten: flushing again costs time, not correctness.
const FOLDERS_MAX: usize = 10_000;

/// Distinguishes a folder from a later one of the same path, which another process may have made.
type Identity = (u64, SystemTime);

/// The folders of one store. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Durable {
    known: Arc<Mutex<HashMap<PathBuf, Identity>>>,
    /// What was flushed, in order.
    #[cfg(test)]
    pub flushed: Arc<Mutex<Vec<PathBuf>>>,
}

impl Durable {
    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, Identity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes an object that was found, and the name of it and of every folder down to it.
    pub fn object(&self, root: &Path, path: &Path) -> io::Result<()> {
        self.flush(path)?;
        let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
        self.flush(folder)?;
        self.folder(root, folder)
    }

    /// Makes sure that the names of a folder and of those above it, up to the root, are on the disk.
    pub fn folder(&self, root: &Path, folder: &Path) -> io::Result<()> {
        let mut below = folder;
        while below != root {
            let identity = identity(below)?;
            if identity.is_some() && self.known().get(below).copied() == identity {
                return Ok(());
            }
            let above = below.parent().ok_or(ErrorKind::InvalidInput)?;
            self.flush(above)?;
            below = above;
        }
        // Only now is everything above them on the disk, too.
        let mut below = folder;
        while below != root {
            if let Some(identity) = identity(below)? {
                let mut known = self.known();
                if known.len() >= FOLDERS_MAX {
                    known.clear();
                }
                known.insert(below.to_owned(), identity);
            }
            below = below.parent().ok_or(ErrorKind::InvalidInput)?;
        }
        Ok(())
    }

    /// Flushes a file or folder. One that is gone needs it no more.
    pub fn flush(&self, path: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.flushed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path.to_owned());
        match std::fs::File::open(path) {
            Ok(file) => file.sync_all(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// `None` if the file system does not say when a folder was made: such a folder is flushed each time.
fn identity(folder: &Path) -> io::Result<Option<Identity>> {
    match std::fs::metadata(folder) {
        Ok(metadata) => Ok(metadata.created().ok().map(|at| (metadata.ino(), at))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
