//! Files and folders on this host: errors that name the path, durable renames, space, and the ownership of new files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, NodeError};

/// A file or folder that could not be worked with.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} `{}`", path.display())]
pub struct FileError {
    /// The verb, for example `read`.
    pub doing: &'static str,
    /// With what.
    pub path: PathBuf,
    /// What the system reported.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: adds what was tried with which path.
    pub fn at(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            doing,
            path,
            source,
        }
    }

    /// Whether the path does not exist.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl NodeError for FileError {
    fn kind(&self) -> ErrorKind {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ErrorKind::ResourceExhausted
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::FailedPrecondition
            }
            _ => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self.kind() {
            ErrorKind::ResourceExhausted => "DISK_FULL",
            ErrorKind::FailedPrecondition => "PERMISSION_DENIED",
            _ => "FILE_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::ResourceExhausted => Some("free space on that filesystem".to_owned()),
            ErrorKind::FailedPrecondition => Some(
                "run the agent as the user that runs Cassandra, or as root, with the data folders writable".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Runs file work where it may block.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The entries of a folder, by name; none if the folder does not exist.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::at("list", folder)(error)),
    };
    let mut found = listing
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(FileError::at("list", folder))?;
    found.sort();
    Ok(found)
}

/// The names of a folder's entries that are wanted; none if the folder does not exist, which shows nothing about what Cassandra
/// has.
pub async fn names(
    folder: PathBuf,
    is_wanted: impl Fn(&str) -> bool + Send + 'static,
) -> Result<Option<BTreeSet<String>>, FileError> {
    blocking(move || {
        if !folder.is_dir() {
            return Ok(None);
        }
        let entries = entries(&folder)?;
        let names = entries.iter().map(|path| name_of(path));
        let wanted = names.filter(|name| is_wanted(name)).map(str::to_owned);
        Ok(Some(wanted.collect()))
    })
    .await
}

/// The last part of a path as text; empty if it has none.
pub fn name_of(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// Makes the names in a folder survive a power failure.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(FileError::at("sync", folder))
}

/// Makes a folder and its missing parents, owned by this process; they survive a power failure.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    if folder == Path::new("") || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => sync_parent(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => sync_parent(folder),
        Err(error) => Err(FileError::at("make", folder)(error)),
    }
}

/// The name of a folder that was just made is in its parent.
fn sync_parent(folder: &Path) -> Result<(), FileError> {
    match folder.parent() {
        Some(parent) if parent != Path::new("") => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Gives a file new contents, which are on disk when this returns. They are written beside it and renamed, so that a reader
/// never sees half of them. One caller at a time for each file.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(path);
    make_folder(folder)?;
    let write = || {
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(FileError::at("write", path))?;
    sync_folder(folder)
}

/// Moves a file or folder on one filesystem.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::at("move", from))
}

/// Deletes a folder and all in it; returns the bytes that it freed. Succeeds if there is none.
pub fn remove_tree(folder: &Path) -> Result<u64, FileError> {
    let freed = tree_bytes(folder)?;
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(freed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(FileError::at("delete", folder)(error)),
    }
}

/// The bytes of all files in a folder.
pub fn tree_bytes(folder: &Path) -> Result<u64, FileError> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            match fs::symlink_metadata(&entry) {
                Ok(found) if found.is_dir() => folders.push(entry),
                Ok(found) => bytes += found.len(),
                // Cassandra deletes files at any time.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(FileError::at("stat", entry)(error)),
            }
        }
    }
    Ok(bytes)
}

/// Space of the filesystem that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What a process without privileges may still write.
    pub free_bytes: u64,
    /// What it holds.
    pub total_bytes: u64,
}

/// The space of the filesystem that a path is on.
pub fn space(path: &Path) -> Result<Space, FileError> {
    let found = nix::sys::statvfs::statvfs(path)
        .map_err(|errno| FileError::at("measure", path)(errno.into()))?;
    let unit = found.fragment_size() as u64;
    Ok(Space {
        free_bytes: found.blocks_available() as u64 * unit,
        total_bytes: found.blocks() as u64 * unit,
    })
}

/// The filesystem that a path is on.
pub fn device(path: &Path) -> Result<u64, FileError> {
    fs::metadata(path)
        .map(|found| found.dev())
        .map_err(FileError::at("stat", path))
}

/// The owner and mode of new files: those of the data directory that they are for.
#[derive(Debug, Clone, Copy)]
pub struct Ownership {
    uid: u32,
    gid: u32,
    mode: u32,
    /// Only root can give files away.
    give: bool,
}

impl Ownership {
    /// As that of a data directory.
    pub fn like(data_directory: &Path) -> Result<Self, FileError> {
        let found = fs::metadata(data_directory).map_err(FileError::at("stat", data_directory))?;
        Ok(Self {
            uid: found.uid(),
            gid: found.gid(),
            mode: found.mode() & 0o7777,
            give: nix::unistd::geteuid().is_root(),
        })
    }

    /// Sets owner and mode of a file.
    pub fn apply_to_file(&self, path: &Path) -> Result<(), FileError> {
        self.apply(path, 0o600 | (self.mode & 0o066))
    }

    /// Sets owner and mode of a file that is open; `path` is for errors.
    pub fn apply_to_open_file(&self, file: &File, path: &Path) -> Result<(), FileError> {
        self.apply_to_open(file, path, 0o600 | (self.mode & 0o066))
    }

    /// The same for a folder.
    pub(crate) fn apply_to_open_folder(&self, folder: &File, path: &Path) -> Result<(), FileError> {
        self.apply_to_open(folder, path, 0o700 | (self.mode & 0o2077))
    }

    fn apply_to_open(&self, file: &File, path: &Path, mode: u32) -> Result<(), FileError> {
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(FileError::at("set permissions of", path))?;
        if self.give {
            fchown(file, Some(self.uid), Some(self.gid)).map_err(FileError::at("give", path))?;
        }
        Ok(())
    }

    fn apply(&self, path: &Path, mode: u32) -> Result<(), FileError> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(FileError::at("set permissions of", path))?;
        if self.give {
            chown(path, Some(self.uid), Some(self.gid)).map_err(FileError::at("give", path))?;
        }
        Ok(())
    }

    /// Makes a folder and its missing parents; they survive a power failure.
    pub fn make_folder(&self, folder: &Path) -> Result<(), FileError> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.make_folder(parent)?;
        }
        match fs::create_dir(folder) {
            Ok(()) => {
                self.apply(folder, 0o700 | (self.mode & 0o2077))?;
                sync_parent(folder)
            }
            // Several files of one table are fetched at once.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => sync_parent(folder),
            Err(error) => Err(FileError::at("make", folder)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_files_are_as_open_as_the_data_directory() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o2770)).unwrap();
        let ownership = Ownership::like(root.path()).unwrap();
        let folder = root.path().join("a/b");
        ownership.make_folder(&folder).unwrap();
        let file = folder.join("f");
        fs::write(&file, "x").unwrap();
        ownership.apply_to_file(&file).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&file)), (0o2770, 0o660));
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_entries() {
        let root = tempfile::tempdir().unwrap();
        assert!(entries(&root.path().join("none")).unwrap().is_empty());
        assert_eq!(remove_tree(&root.path().join("none")).unwrap(), 0);
    }
}
