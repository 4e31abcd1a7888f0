//! A file on its way to the disk, hashed as it is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cassandra_node::files::{self, FileError, Ownership};
use cassandra_node::held_folder::HeldFolder;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise, posix_fallocate};

/// What a file is called while it is not whole.
const UNFINISHED: &str = "part";

/// A file that is being written beside its name, in a folder that no link has led to.
pub struct Writer {
    path: PathBuf,
    unfinished: PathBuf,
    folder: Arc<HeldFolder>,
    file: File,
    pub blake3: blake3::Hasher,
    pub bytes: u64,
    ownership: Ownership,
}

impl Writer {
    /// Opens the folder that a file is to be in, below `staging`. Files that are written there at the same time share it.
    pub fn folder(
        staging: &Path,
        path: &Path,
        ownership: Ownership,
    ) -> Result<Arc<HeldFolder>, FileError> {
        let inside = path.strip_prefix(staging).ok().and_then(Path::parent);
        let Some(inside) = inside else {
            let outside = io::ErrorKind::InvalidInput.into();
            return Err(FileError::at("write outside of the staging folder", path)(
                outside,
            ));
        };
        HeldFolder::make(staging, inside, &ownership).map(Arc::new)
    }

    /// Begins a file in its folder.
    pub fn create(
        folder: Arc<HeldFolder>,
        path: &Path,
        bytes: u64,
        ownership: Ownership,
    ) -> Result<Self, FileError> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".");
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        // A new inode: what a stopped try may still be writing goes nowhere.
        let held = folder.path().join(files::name_of(&unfinished));
        match fs::remove_file(&held) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(FileError::at("delete", unfinished)(error)),
        }
        let file = File::create_new(&held).map_err(FileError::at("create", &unfinished))?;
        reserve(&file, bytes).map_err(FileError::at("reserve space for", &unfinished))?;
        Ok(Self {
            path: path.to_owned(),
            unfinished,
            folder,
            file,
            blake3: blake3::Hasher::new(),
            bytes: 0,
            ownership,
        })
    }

    pub fn write(mut self, piece: Bytes) -> Result<Self, FileError> {
        self.file
            .write_all(&piece)
            .map_err(FileError::at("write", &self.unfinished))?;
        self.blake3.update(&piece);
        self.bytes += piece.len() as u64;
        Ok(self)
    }

    pub fn finish(self) -> Result<(), FileError> {
        self.sync()?;
        self.give_name()
    }

    /// Begins to write it to the disk, and waits for nothing. File systems that give files their blocks only now do so for
    /// all that are begun before the first is synced, and note it once.
    pub fn begin_sync(&self) {
        // It is only advice.
        let _ = posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }

    /// Has it on disk.
    pub fn sync(&self) -> Result<(), FileError> {
        self.ownership
            .apply_to_open_file(&self.file, &self.unfinished)?;
        let synced = self.file.sync_all();
        synced.map_err(FileError::at("sync", &self.unfinished))
    }

    /// Moves it to its name, once it is on disk.
    pub fn give_name(self) -> Result<(), FileError> {
        let held = |path: &Path| self.folder.path().join(files::name_of(path));
        fs::rename(held(&self.unfinished), held(&self.path))
            .map_err(FileError::at("move", &self.unfinished))
    }
}

/// A smaller file is written at once, so that it is in one piece anyway.
const UNRESERVED_BYTES_MAX: i64 = 1 << 20;

/// Takes the space at once, so that a full disk is found before the transfer and files are in one piece.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    let Ok(bytes) = i64::try_from(bytes) else {
        return Err(io::ErrorKind::StorageFull.into());
    };
    if bytes <= UNRESERVED_BYTES_MAX {
        return Ok(());
    }
    match posix_fallocate(file.as_fd(), 0, bytes) {
        // Some file systems cannot; then the write finds out.
        Ok(()) | Err(nix::Error::EOPNOTSUPP | nix::Error::EINVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
