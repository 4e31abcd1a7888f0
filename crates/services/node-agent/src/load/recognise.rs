//! Recognises SSTables after Cassandra has renamed them.

use std::fs;
use std::path::PathBuf;

use cassandra_node::files::FileError;
use cassandra_node::sstables::{self, ComponentFile, DIGEST};

use super::LoadError;
use crate::folders::Folders;
use crate::restore::{LoadEvidence, TableTarget};

/// A table's folders in staging that exist, one for each data directory at most.
pub(super) fn staging_folders(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for data in &folders.data {
        let folder = folders.staged_table(data, restore, &target.table, &target.target_id)?;
        if folder.is_dir() {
            found.push(folder);
        }
    }
    Ok(found)
}

/// The SSTables of a table that are in staging.
pub(super) fn staged(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
) -> Result<Vec<LoadEvidence>, LoadError> {
    let mut found = Vec::new();
    for folder in staging_folders(folders, restore, target)? {
        for file in sstables::list(&folder)?
            .iter()
            .filter(|file| file.is_own_data())
        {
            found.push(LoadEvidence {
                staged: file.path.display().to_string(),
                inode: file.source.inode,
                bytes: file.bytes,
                digest: digest(file)?,
            });
        }
    }
    Ok(found)
}

fn digest(data: &ComponentFile) -> Result<Option<String>, FileError> {
    let path = data
        .path
        .with_file_name(format!("{}-{DIGEST}", data.descriptor));
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at("read", path)(error)),
    }
}

/// Which of them are not among the table's live SSTables.
pub(super) fn not_live(
    folders: &Folders,
    target: &TableTarget,
    evidence: Vec<LoadEvidence>,
) -> Result<Vec<LoadEvidence>, FileError> {
    let mut live = folders.data.live_files(&target.table, &target.target_id)?;
    live.retain(ComponentFile::is_own_data);
    // First those that kept their inode, so that none of them is taken for a copy of another.
    let mut gone = Vec::new();
    for sought in evidence {
        let same =
            |file: &ComponentFile| file.source.inode == sought.inode && file.bytes == sought.bytes;
        match live.iter().position(same) {
            Some(at) => drop(live.swap_remove(at)),
            None => gone.push(sought),
        }
    }
    // Cassandra copies where the data directory that it chooses is on another filesystem.
    let mut lost = Vec::new();
    for sought in gone {
        let mut copy = None;
        for (at, file) in live.iter().enumerate() {
            let same_size = file.bytes == sought.bytes && sought.digest.is_some();
            if same_size && digest(file)? == sought.digest {
                copy = Some(at);
                break;
            }
        }
        match copy {
            Some(at) => drop(live.swap_remove(at)),
            None => lost.push(sought),
        }
    }
    Ok(lost)
}
