//! Small disks for the data of nodes, which are full at a word and have room again at another.
//!
//! Each is a tmpfs. Its size is what changes, so that a full disk takes neither time nor memory.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::statvfs::statvfs;

/// A server that writes makes the disk grow between the look and the change.
const TRIES: usize = 50;

/// Whether this process may mount disks here.
pub fn can_mount() -> bool {
    let Ok(folder) = tempfile::tempdir() else {
        return false;
    };
    let is_mounted = mount(folder.path(), 1).is_ok();
    unmount(folder.path());
    is_mounted
}

/// Leaves no room on the disk.
pub fn fill(folder: &Path) -> Result<()> {
    let mut last = None;
    for _ in 0..TRIES {
        let disk = statvfs(folder)?;
        let used = (disk.blocks() - disk.blocks_free()) * disk.fragment_size();
        match resize(folder, &used.to_string()) {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("no try was made")?.context("fill the disk"))
}

/// Gives the disk this size again.
pub fn free(folder: &Path, disk_mb: u32) -> Result<()> {
    resize(folder, &format!("{disk_mb}m"))
}

pub(crate) fn mount(folder: &Path, disk_mb: u32) -> Result<()> {
    let size = format!("size={disk_mb}m,mode=0755");
    run(
        "mount",
        &["-t", "tmpfs", "-o", &size, "ringkeep-lab"],
        folder,
    )
}

/// Takes the disk away with what is on it; does nothing if there is none.
pub(crate) fn unmount(folder: &Path) {
    // Lazily: a process that was killed may not be gone yet.
    let _ = run("umount", &["-l"], folder);
}

fn resize(folder: &Path, size: &str) -> Result<()> {
    run("mount", &["-o", &format!("remount,size={size}")], folder)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {program}"))?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        bail!("`{program}` of {}: {}", folder.display(), printed.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_full_disk_takes_nothing_until_it_has_room_again() {
        if !can_mount() {
            println!("skipped: this process may not mount disks");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        mount(folder.path(), 4).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, vec![1; 1 << 20]).unwrap();
        fill(folder.path()).unwrap();
        let more = folder.path().join("more");
        let refused = fs::write(&more, vec![1; 1 << 20]).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
        free(folder.path(), 4).unwrap();
        fs::write(&more, vec![1; 1 << 20]).unwrap();
        assert_eq!(fs::read(&file).unwrap().len(), 1 << 20);
        unmount(folder.path());
        assert!(!file.exists());
    }
}
