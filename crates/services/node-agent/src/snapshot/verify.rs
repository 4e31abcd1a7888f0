//! Looks at a table's snapshot until it is believed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use cassandra_node::files::FileError;
use cassandra_node::sstables::{self, ComponentFile};
use cassandra_node::tables::Table;
use serde::Deserialize;

use super::SnapshotError;
use crate::folders::Folders;

const MANIFEST: &str = "manifest.json";

/// A table in a snapshot, with all its files over all data directories.
#[derive(Debug, Clone)]
pub struct SnapshotTable {
    pub table: Table,
    pub files: Vec<ComponentFile>,
}

impl SnapshotTable {
    /// Of the table itself, not of its indexes.
    pub fn sstables(&self) -> u64 {
        self.files.iter().filter(|file| file.is_own_data()).count() as u64
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Cassandra's manifest.json.
#[derive(Deserialize)]
struct Manifest {
    /// Data components only; those of an index as `.<index>/<name>`.
    files: Vec<String>,
}

/// Finds a table's files in a snapshot, and refuses what is not whole.
pub fn verify(folders: &Folders, tag: &str, table: Table) -> Result<SnapshotTable, SnapshotError> {
    let found: Vec<PathBuf> = folders
        .data
        .live_folders(&table.table, &table.id)
        .iter()
        .map(|folder| folder.join("snapshots").join(tag))
        .filter(|folder| folder.is_dir())
        .collect();
    if found.is_empty() {
        return Err(SnapshotError::NoFolder {
            tag: tag.to_owned(),
            table: table.table,
        });
    }
    let mut files = Vec::new();
    for folder in &found {
        files.extend(sstables::list(folder)?);
    }
    let named = read_manifests(&found, tag, &table)?;
    let missing = missing(&files, &named)?;
    if !missing.is_empty() {
        return Err(SnapshotError::Incomplete {
            tag: tag.to_owned(),
            table: table.table,
            missing,
        });
    }
    Ok(SnapshotTable { table, files })
}

/// With several data directories the manifest is in one of them, or one is in each: together they name every SSTable.
fn read_manifests(
    snapshot_folders: &[PathBuf],
    tag: &str,
    table: &Table,
) -> Result<BTreeSet<String>, SnapshotError> {
    let mut named = BTreeSet::new();
    let mut manifests = 0;
    for folder in snapshot_folders {
        let path = folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(FileError::at("read", path)(error).into()),
        };
        let unreadable = |why: String| SnapshotError::Manifest {
            tag: tag.to_owned(),
            table: table.table.clone(),
            folder: folder.clone(),
            why,
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        named.extend(manifest.files);
        manifests += 1;
    }
    if manifests == 0 {
        return Err(SnapshotError::Manifest {
            tag: tag.to_owned(),
            table: table.table.clone(),
            folder: snapshot_folders[0].clone(),
            why: "there is none".to_owned(),
        });
    }
    Ok(named)
}

/// Names of essential components that are not there: of what the manifest names, and of what is there beside it.
fn missing(files: &[ComponentFile], named: &BTreeSet<String>) -> Result<Vec<String>, FileError> {
    let present: BTreeSet<String> = files
        .iter()
        .filter(|file| file.is_data())
        .map(|file| shown(file.index.as_deref(), file.name()))
        .collect();
    let mut missing: Vec<String> = named.difference(&present).cloned().collect();
    for ((index, descriptor), components) in sstables::by_sstable(files) {
        for component in sstables::missing(&components)? {
            missing.push(shown(index, &format!("{descriptor}-{component}")));
        }
        // An empty Data component is what a full disk leaves.
        missing.extend(
            components
                .iter()
                .filter(|file| file.is_data() && file.bytes == 0)
                .map(|file| shown(index, file.name())),
        );
    }
    missing.sort();
    missing.dedup();
    Ok(missing)
}

fn shown(index: Option<&str>, name: &str) -> String {
    match index {
        Some(index) => format!(".{index}/{name}"),
        None => name.to_owned(),
    }
}
