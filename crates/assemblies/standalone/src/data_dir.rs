//! The data folder: one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::Error;

/// The data folder, held until dropped. The lock is the kernel's, so that a process that was killed leaves none behind.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Keeps the lock.
    _lock: File,
}

impl DataDir {
    /// Makes the folder where it is not there, and takes it.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::DataDir {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(fail)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message: the lock says no whether this reads or not.
                let _ = lock.read_to_string(&mut holder);
                return Err(Error::Locked {
                    path: path.to_owned(),
                    holder: holder.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "process {}", std::process::id()))
            .map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The file in which tasks and clusters are kept.
    pub fn state(&self) -> PathBuf {
        self.path.join("task-runner.redb")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_refused_and_told_who_is_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        let first = DataDir::take(&path).expect("free");
        let error = DataDir::take(&path).expect_err("taken");
        let holder = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        drop(first);
        DataDir::take(&path).expect("free again");
    }
}
