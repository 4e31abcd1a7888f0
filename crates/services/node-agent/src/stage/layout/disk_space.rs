//! Which data directory takes an SSTable: the one with the most free space.

use cassandra_node::files::{self, FileError};

use super::Source;
use crate::folders::Folders;

/// A data directory with its free space; several may share a filesystem.
#[derive(Debug, Clone)]
pub(in crate::stage) struct DiskSpace {
    pub label: String,
    pub device: u64,
    pub free_bytes: u64,
}

/// The free space of each data directory.
pub(in crate::stage) fn disk_spaces(folders: &Folders) -> Result<Vec<DiskSpace>, FileError> {
    folders
        .data
        .iter()
        .map(|data| {
            Ok(DiskSpace {
                label: data.label.clone(),
                device: files::device(&data.path)?,
                free_bytes: data.space()?.free_bytes,
            })
        })
        .collect()
}

/// The data directory with the most free space, which is then less.
pub(super) fn reserve(spaces: &mut [DiskSpace], source: &Source<'_>) -> String {
    let bytes = source.files.iter().map(|(_, file)| file.bytes).sum();
    let bytes = source.portion.of_bytes(bytes);
    let Some(best) = spaces.iter().max_by_key(|space| space.free_bytes).cloned() else {
        return String::new();
    };
    for space in spaces
        .iter_mut()
        .filter(|space| space.device == best.device)
    {
        space.free_bytes = space.free_bytes.saturating_sub(bytes);
    }
    // Of directories on one filesystem, turns are taken: the one that was chosen looks a little fuller.
    if let Some(chosen) = spaces.iter_mut().find(|space| space.label == best.label) {
        chosen.free_bytes = chosen.free_bytes.saturating_sub(1);
    }
    best.label
}
