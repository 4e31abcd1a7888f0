//! Whether the old files that a swap has put aside may be deleted.

use std::path::{Path, PathBuf};

use cassandra_node::files::{self, FileError};
use cassandra_node::folders::table_folder_name;
use model::TableId;

use super::OLD;
use crate::restore::RestoreState;

/// A table of a swap that was begun and is not done, so that the old files may be the only copy of what was live.
///
/// The journal alone does not show this: a kill while the first files were moved aside has left no record.
pub fn half_swapped(roots: &[PathBuf], state: &RestoreState) -> Result<Option<String>, FileError> {
    let old = tables_with_old_files(roots)?;
    if old.is_empty() && state.aside.is_empty() && state.swapped.is_empty() {
        return Ok(None);
    }
    let tables = state.begun.iter().flat_map(|begun| &begun.tables);
    let (swapped, open): (Vec<_>, Vec<_>) =
        tables.partition(|target| is_settled(&target.target_id, state));
    if let Some(target) = open.first() {
        return Ok(Some(target.table.to_string()));
    }
    let is_swapped = |folder: &Path| {
        swapped.iter().any(|target| {
            let name = table_folder_name(&target.table, &target.target_id);
            folder.ends_with(Path::new(&target.table.keyspace).join(name))
        })
    };
    let unknown = old.iter().find(|folder| !is_swapped(folder));
    Ok(unknown.map(|folder| files::name_of(folder).to_owned()))
}

/// Whether files that a restore has replaced wait in its staging folders.
pub fn keeps_old_files(roots: &[PathBuf]) -> Result<bool, FileError> {
    Ok(!tables_with_old_files(roots)?.is_empty())
}

/// Whether the files of a table are where they belong: the restored ones live and the old ones aside, or the reverse.
fn is_settled(table: &TableId, state: &RestoreState) -> bool {
    state.swapped_back.contains(table)
        || (state.swapped.contains(table) && !state.restored_aside.contains(table))
}

/// Folders of tables, one for each data directory, in which old files wait.
fn tables_with_old_files(roots: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut found: Vec<PathBuf> = roots.iter().map(|root| root.join(OLD)).collect();
    // The data directory's label, the keyspace, the table.
    for _ in 0..3 {
        let mut inside = Vec::new();
        for folder in &found {
            inside.extend(files::entries(folder)?);
        }
        inside.retain(|entry| entry.is_dir());
        found = inside;
    }
    let mut with_files = Vec::new();
    for folder in found {
        if !files::entries(&folder)?.is_empty() {
            with_files.push(folder);
        }
    }
    Ok(with_files)
}
