//! The data directories of the node, and the folders of tables in them.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use model::{TableId, TableRef};

use crate::files::{self, FileError, Ownership, Space};
use crate::sstables::{self, ComponentFile};

/// Folders inside a table's folder that are not its live data.
const NOT_LIVE: &[&str] = &["snapshots", "backups"];

/// One of the node's data directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    /// Where it is.
    pub path: PathBuf,
    /// A short name that no other data directory of the node has.
    pub label: String,
}

impl DataFolder {
    /// The space of its filesystem.
    pub fn space(&self) -> Result<Space, FileError> {
        files::space(&self.path)
    }

    /// The ownership of new files in it.
    pub fn ownership(&self) -> Result<Ownership, FileError> {
        Ownership::like(&self.path)
    }
}

/// All data directories of the node.
#[derive(Debug, Clone)]
pub struct DataFolders(Vec<DataFolder>);

impl Deref for DataFolders {
    type Target = [DataFolder];

    fn deref(&self) -> &[DataFolder] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a DataFolders {
    type Item = &'a DataFolder;
    type IntoIter = std::slice::Iter<'a, DataFolder>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl DataFolders {
    /// At these paths; none of them needs to exist.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let folder = |path: PathBuf| DataFolder {
            label: label(&path),
            path,
        };
        Self(paths.into_iter().map(folder).collect())
    }

    /// The folder of a table in one data directory, as Cassandra names it since 2.1; whether it exists or not.
    pub fn table_folder(data: &Path, table: &TableRef, id: &TableId) -> PathBuf {
        data.join(&table.keyspace)
            .join(table_folder_name(table, id))
    }

    /// The name of the folder that a table has in every data directory. Before 2.1 it was `<table>`. While a folder of
    /// that name is in any data directory, Cassandra uses that name in all of them when it starts, and opens no folder
    /// with an id.
    pub fn folder_name(&self, table: &TableRef, id: &TableId) -> String {
        let plain = |data: &DataFolder| data.path.join(&table.keyspace).join(&table.table);
        match self.0.iter().any(|data| plain(data).exists()) {
            true => table.table.clone(),
            false => table_folder_name(table, id),
        }
    }

    /// The folders that Cassandra opens for a table and writes its SSTables to, one for each data directory, in their
    /// order; whether they exist or not.
    pub fn own_folders(&self, table: &TableRef, id: &TableId) -> Vec<PathBuf> {
        let name = self.folder_name(table, id);
        let folder = |data: &DataFolder| data.path.join(&table.keyspace).join(&name);
        self.0.iter().map(folder).collect()
    }

    /// Those of [`own_folders`](Self::own_folders) that exist.
    pub fn live_folders(&self, table: &TableRef, id: &TableId) -> Vec<PathBuf> {
        let mut folders = self.own_folders(table, id);
        folders.retain(|folder| folder.is_dir());
        folders
    }

    /// The components of a table's live SSTables, and of its indexes'.
    pub fn live_files(
        &self,
        table: &TableRef,
        id: &TableId,
    ) -> Result<Vec<ComponentFile>, FileError> {
        let mut found = Vec::new();
        for folder in self.live_folders(table, id) {
            found.extend(sstables::list(&folder)?);
        }
        Ok(found)
    }

    /// The folders of a snapshot, of all tables that have one: also of tables that were dropped since.
    pub fn snapshot_folders(&self, tag: &str) -> Result<Vec<PathBuf>, FileError> {
        let mut found = Vec::new();
        for data in &self.0 {
            for keyspace in files::entries(&data.path)? {
                if !keyspace.is_dir() {
                    continue;
                }
                for table in files::entries(&keyspace)? {
                    let folder = table.join("snapshots").join(tag);
                    if folder.is_dir() {
                        found.push(folder);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// A table's folder: `<table>-<id>`.
pub fn table_folder_name(table: &TableRef, id: &TableId) -> String {
    format!("{}-{}", table.table, id.folder_suffix())
}

/// The live entries of a table's folder: all but snapshots and incremental backups.
pub fn live_entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = files::entries(folder)?;
    found.retain(|path| !NOT_LIVE.contains(&files::name_of(path)));
    Ok(found)
}

fn label(data: &Path) -> String {
    let hash = blake3::hash(data.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", files::name_of(data), &hash[..8])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_without_an_id_is_the_tables_own_in_every_data_directory() {
        let root = tempfile::tempdir().unwrap();
        let paths = [root.path().join("d1"), root.path().join("d2")];
        let data = DataFolders::new(paths.to_vec());
        let table = TableRef::new("ks", "t");
        let id: TableId = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let name = table_folder_name(&table, &id);
        let with_id = paths.clone().map(|path| path.join("ks").join(&name));
        assert!(data.live_folders(&table, &id).is_empty());
        with_id.iter().for_each(|f| fs::create_dir_all(f).unwrap());
        assert_eq!(data.live_folders(&table, &id), with_id);
        let plain = paths.clone().map(|path| path.join("ks/t"));
        fs::create_dir(&plain[1]).unwrap();
        assert_eq!(data.own_folders(&table, &id), plain);
        assert_eq!(data.live_folders(&table, &id), plain[1..]);
    }
}
