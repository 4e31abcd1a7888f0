//! Files that are being written: in a folder of their own, locked by their writer, removed when it is done or dead.
//!
//! The lock distinguishes a living writer from a dead one without a clock, because it ends with the process that
//! holds it.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The name of that folder below the root. No key may begin with it.
pub const FOLDER: &str = ".tmp";
/// How often a file is created again if a sweep removed it in the instant before it was locked.
const ATTEMPTS_MAX: u32 = 16;

/// A locked file that has no object name yet; removed when dropped.
pub struct Temporary {
    file: File,
    path: PathBuf,
}

impl Temporary {
    pub fn create(root: &Path) -> io::Result<Self> {
        let folder = root.join(FOLDER);
        for _ in 0..ATTEMPTS_MAX {
            std::fs::create_dir_all(&folder)?;
            let path = folder.join(Uuid::new_v4().to_string());
            let opened = File::options().write(true).create_new(true).open(&path);
            let temporary = match opened {
                Ok(file) => Self { file, path },
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match temporary.file.try_lock() {
                // If a sweep removed the file's name between the two calls, it could not be published.
                Ok(()) if temporary.file.metadata()?.nlink() > 0 => return Ok(temporary),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(ErrorKind::Interrupted.into())
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What stays behind is swept when the store is next opened.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes the files of writers that have died.
pub fn sweep(root: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(root.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let Ok(file) = File::options().write(true).open(&path) else {
            continue;
        };
        if file.try_lock().is_ok() {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}
