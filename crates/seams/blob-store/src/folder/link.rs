//! Gives an object its name, and takes it away.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::durable::Durable;
use super::temporary::Temporary;
use crate::Put;

/// How often a link is tried while other calls remove the emptied folder that it goes to.
const LINK_ATTEMPTS_MAX: u32 = 16;

/// Links a temporary file to its name unless the name exists. Everything is on the disk when this returns.
pub fn link_durably(
    root: &Path,
    durable: &Durable,
    temporary: &Temporary,
    path: &Path,
) -> io::Result<Put> {
    temporary.file().sync_all()?;
    link(root, durable, temporary.path(), path)
}

/// Links a file that is on the disk to a second name unless that exists.
pub fn link(root: &Path, durable: &Durable, file: &Path, path: &Path) -> io::Result<Put> {
    let parent = path.parent().ok_or(ErrorKind::InvalidInput)?;
    for _ in 0..LINK_ATTEMPTS_MAX {
        create_folders(root, durable, parent)?;
        match std::fs::hard_link(file, path) {
            Ok(()) => {
                durable.flush(parent)?;
                durable.folder(root, parent)?;
                return Ok(Put::Created);
            }
            // The name is a folder of other objects. An object store allows both, a file system does not.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {
                return Err(ErrorKind::IsADirectory.into());
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // It may be of a writer that died before its own flush; the result must hold after a power cut too.
                durable.object(root, path)?;
                return Ok(Put::Exists);
            }
            // A deletion has just removed the emptied folder.
            Err(error) if error.kind() == ErrorKind::NotFound && file.exists() => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::Interrupted.into())
}

/// Creates the folders down to `folder`, each on the disk before the next.
fn create_folders(root: &Path, durable: &Durable, folder: &Path) -> io::Result<()> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().ok_or(ErrorKind::InvalidInput)?;
    create_folders(root, durable, parent)?;
    match std::fs::create_dir(folder) {
        Ok(()) => durable.flush(parent),
        // Created meanwhile, and perhaps removed again by a deletion that emptied it; the caller's loop retries.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !folder.is_file() => Ok(()),
        // The parent was removed again; the caller's loop retries.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes an object and the folders that it leaves empty.
pub fn remove(root: &Path, durable: &Durable, path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(());
        }
        // A folder is not an object.
        Err(_) if path.is_dir() => return Ok(()),
        Err(error) => return Err(error),
    }
    let mut folder = path.parent();
    while let Some(emptied) = folder.filter(|&folder| folder != root) {
        if std::fs::remove_dir(emptied).is_err() {
            return durable.flush(emptied);
        }
        folder = emptied.parent();
    }
    durable.flush(root)
}
