//! A folder that was reached without following a link, and is held open.
//!
//! What an agent writes belongs to Cassandra's user, who can put a link in the place of a folder. An agent that runs as
//! root would follow it to anywhere, so it goes down folder by folder, and works in the folder that it has opened.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};

use crate::files::{FileError, Ownership};

/// What is tried with a folder that may turn out to be a link.
const ENTER: &str = "enter, without following a link,";

/// A folder that is held open.
#[derive(Debug)]
pub struct HeldFolder(File);

impl HeldFolder {
    /// Opens `root`, wherever links lead to it, and below it `inside`, where none of the folders may be a link. Folders that
    /// are missing are made; they survive a power failure.
    pub fn make(root: &Path, inside: &Path, ownership: &Ownership) -> Result<Self, FileError> {
        ownership.make_folder(root)?;
        let mut folder = File::open(root).map_err(FileError::at("open", root))?;
        let mut path = root.to_owned();
        for part in inside.components() {
            path.push(part);
            let Component::Normal(name) = part else {
                return Err(FileError::at(ENTER, path)(
                    io::ErrorKind::InvalidInput.into(),
                ));
            };
            folder = enter_or_make(&folder, name, &path, ownership)?;
        }
        Ok(Self(folder))
    }

    /// A path to this very folder, whatever its name leads to by now; for as long as this is held.
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// `path` is for errors.
fn enter_or_make(
    parent: &File,
    name: &OsStr,
    path: &Path,
    ownership: &Ownership,
) -> Result<File, FileError> {
    let enter = || {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        openat(parent, name, flags, Mode::empty()).map(File::from)
    };
    match enter() {
        Err(Errno::ENOENT) => {}
        entered => return entered.map_err(|errno| FileError::at(ENTER, path)(errno.into())),
    }
    match mkdirat(parent, name, Mode::S_IRWXU) {
        Ok(()) => {
            let made = enter().map_err(|errno| FileError::at(ENTER, path)(errno.into()))?;
            ownership.apply_to_open_folder(&made, path)?;
            parent.sync_all().map_err(FileError::at("sync", path))?;
            Ok(made)
        }
        // Several files of one table are fetched at once.
        Err(Errno::EEXIST) => enter().map_err(|errno| FileError::at(ENTER, path)(errno.into())),
        Err(errno) => Err(FileError::at("make", path)(errno.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_followed_above_the_root_and_never_below() {
        let place = tempfile::tempdir().unwrap();
        let (real, outside) = (place.path().join("real"), place.path().join("outside"));
        fs::create_dir(&real).unwrap();
        fs::create_dir(&outside).unwrap();
        let root = place.path().join("root");
        symlink(&real, &root).unwrap();
        let ownership = Ownership::like(&real).unwrap();
        let make = |inside: &str| HeldFolder::make(&root, Path::new(inside), &ownership);

        let held = make("ks/t").unwrap();
        fs::write(held.path().join("f"), "x").unwrap();
        assert_eq!(fs::read(real.join("ks/t/f")).unwrap(), b"x");

        symlink(&outside, real.join("linked")).unwrap();
        let error = make("linked/t").unwrap_err();
        assert!(error.to_string().contains("root/linked"), "{error}");
        assert!(make("../outside").is_err());

        // It is the folder that was opened, also if its name has been taken away since.
        fs::rename(real.join("ks"), real.join("moved")).unwrap();
        symlink(&outside, real.join("ks")).unwrap();
        fs::write(held.path().join("g"), "y").unwrap();
        assert!(real.join("moved/t/g").is_file());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
