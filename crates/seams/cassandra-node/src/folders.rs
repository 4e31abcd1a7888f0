//! Where things lie on the node: data directories, table folders, and the staging folders of restores.

use std::path::{Path, PathBuf};

use api::{ErrorKind, ServiceError};
use model::{TableId, TableRef};

use crate::config::AgentConfig;
use crate::files::{self, FileError, Ownership, Space};
use crate::sstables::{self, ComponentFile};

/// Folders inside a table's folder that are not its live data.
const NOT_LIVE: &[&str] = &["snapshots", "backups"];
/// Cassandra looks for SSTables everywhere in a data directory when it starts, except in folders of this name.
const IGNORED_BY_CASSANDRA: &str = "snapshots";

/// Why there is nowhere to stage.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "the staging folder `{}` is not on the filesystem of the data directory `{}`, so files could not be moved between them",
        staging.display(), data.display()
    )]
    OtherDevice { staging: PathBuf, data: PathBuf },
    #[error("no folder of staging_directories is on the filesystem of the data directory `{}`", data.display())]
    NoStaging { data: PathBuf },
    #[error(
        "the staging folder `{}` lies in the data directory `{}`: Cassandra would take what is in it for its own when it starts",
        staging.display(), data.display()
    )]
    Inside { staging: PathBuf, data: PathBuf },
}

impl ServiceError for FolderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File(error) => error.kind(),
            Self::OtherDevice { .. } | Self::NoStaging { .. } | Self::Inside { .. } => {
                ErrorKind::FailedPrecondition
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::File(error) => error.reason(),
            Self::OtherDevice { .. } | Self::NoStaging { .. } | Self::Inside { .. } => {
                "STAGING_FOLDER"
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::OtherDevice { data, .. }
            | Self::NoStaging { data }
            | Self::Inside { data, .. } => Some(format!(
                "set staging_directories in [agent]; where the data directory is itself a mount point, `{}` serves",
                data.join("ringkeep/snapshots").display()
            )),
        }
    }
}

/// One of the node's data directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    pub path: PathBuf,
    /// Its name inside a staging folder; several data directories may share one.
    pub label: String,
}

/// The node's folders.
#[derive(Debug, Clone)]
pub struct Folders {
    pub data: Vec<DataFolder>,
    pub saved_caches: PathBuf,
    staging_name: String,
    staging: Vec<PathBuf>,
    pub state: PathBuf,
}

impl Folders {
    pub fn new(data: Vec<PathBuf>, saved_caches: PathBuf, config: &AgentConfig) -> Self {
        let data = data
            .into_iter()
            .map(|path| DataFolder {
                label: label(&path),
                path,
            })
            .collect();
        Self {
            data,
            saved_caches,
            staging_name: config.staging_dir_name.clone(),
            staging: config.staging_directories.clone(),
            state: config.state_dir.clone(),
        }
    }

    /// The folder of a table in one data directory, whether it exists or not.
    pub fn table_folder(data: &Path, table: &TableRef, id: &TableId) -> PathBuf {
        data.join(&table.keyspace)
            .join(table_folder_name(table, id))
    }

    /// The folders of a table that exist, one for each data directory at most. Tables from before 2.1 have no id.
    pub fn live_folders(&self, table: &TableRef, id: &TableId) -> Vec<PathBuf> {
        let with_id = |data: &DataFolder| Self::table_folder(&data.path, table, id);
        let plain = |data: &DataFolder| data.path.join(&table.keyspace).join(&table.table);
        self.data
            .iter()
            .flat_map(|data| [with_id(data), plain(data)])
            .filter(|folder| folder.is_dir())
            .collect()
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
        for data in &self.data {
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

    /// Where restores of one data directory are staged: on its filesystem, and out of Cassandra's sight.
    pub fn staging(&self, data: &DataFolder) -> Result<PathBuf, FolderError> {
        let device = files::device(&data.path)?;
        let staging = if self.staging.is_empty() {
            let parent = data.path.parent().unwrap_or(Path::new("/"));
            parent.join(&self.staging_name)
        } else {
            let mut fitting = self.staging.iter().filter(|folder| {
                nearest_existing(folder).and_then(|f| files::device(f).ok()) == Some(device)
            });
            match fitting.next() {
                Some(folder) => folder.clone(),
                None => {
                    return Err(FolderError::NoStaging {
                        data: data.path.clone(),
                    });
                }
            }
        };
        if let Some(inside) = self.data.iter().find(|d| staging.starts_with(&d.path))
            && !staging.iter().any(|part| part == IGNORED_BY_CASSANDRA)
        {
            return Err(FolderError::Inside {
                staging,
                data: inside.path.clone(),
            });
        }
        let on = nearest_existing(&staging).unwrap_or(Path::new("/"));
        if files::device(on)? != device {
            return Err(FolderError::OtherDevice {
                staging,
                data: data.path.clone(),
            });
        }
        Ok(staging)
    }

    /// The staging folder of one restore for one data directory; it ends in the data directory's label.
    pub fn staging_of(&self, data: &DataFolder, restore: &str) -> Result<PathBuf, FolderError> {
        Ok(self.staging(data)?.join(restore).join(&data.label))
    }

    /// The roots of one restore's staging folders, each once.
    pub fn restore_roots(&self, restore: &str) -> Result<Vec<PathBuf>, FolderError> {
        let mut roots = Vec::new();
        for data in &self.data {
            let root = self.staging(data)?.join(restore);
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        Ok(roots)
    }

    pub fn space(&self, data: &DataFolder) -> Result<Space, FileError> {
        files::space(&data.path)
    }

    pub fn ownership(&self, data: &DataFolder) -> Result<Ownership, FileError> {
        Ownership::like(&data.path)
    }

    /// The journal of a snapshot.
    pub fn snapshot_journal(&self, tag: &str) -> PathBuf {
        self.state.join("snapshots").join(format!("{tag}.jsonl"))
    }

    /// The journal of a restore.
    pub fn restore_journal(&self, restore: &str) -> PathBuf {
        self.state.join("restores").join(format!("{restore}.jsonl"))
    }

    /// What was last known of the node while it was up.
    pub fn identity_file(&self) -> PathBuf {
        self.state.join("identity.json")
    }
}

/// A table's folder: `<table>-<id>`.
pub fn table_folder_name(table: &TableRef, id: &TableId) -> String {
    format!("{}-{}", table.table, id.folder_suffix())
}

/// What in a table's folder is live: all but snapshots and incremental backups.
pub fn live_entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = files::entries(folder)?;
    found.retain(|path| !NOT_LIVE.contains(&files::name_of(path)));
    Ok(found)
}

fn label(data: &Path) -> String {
    let hash = blake3::hash(data.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", files::name_of(data), &hash[..8])
}

fn nearest_existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(data: &[PathBuf], config: AgentConfig) -> Folders {
        Folders::new(data.to_vec(), "/caches".into(), &config)
    }

    #[test]
    fn staging_lies_beside_the_data_directories_and_keeps_them_apart() {
        let root = tempfile::tempdir().unwrap();
        let data = [root.path().join("d1"), root.path().join("d2")];
        data.iter().for_each(|d| std::fs::create_dir(d).unwrap());
        let folders = folders(&data, AgentConfig::default());
        let of = |at: usize| folders.staging_of(&folders.data[at], "r1").unwrap();
        assert!(of(0).starts_with(root.path().join("ringkeep-staging/r1")));
        assert_ne!(of(0), of(1));
        assert_eq!(
            folders.restore_roots("r1").unwrap(),
            [root.path().join("ringkeep-staging/r1")]
        );
    }

    #[test]
    fn staging_inside_a_data_directory_is_only_where_cassandra_does_not_look() {
        let root = tempfile::tempdir().unwrap();
        let with = |staging: PathBuf| {
            let config = AgentConfig {
                staging_directories: vec![staging],
                ..AgentConfig::default()
            };
            let folders = folders(&[root.path().to_owned()], config);
            folders.staging(&folders.data[0])
        };
        assert!(matches!(
            with(root.path().join("x")),
            Err(FolderError::Inside { .. })
        ));
        assert!(with(root.path().join("ringkeep/snapshots")).is_ok());
        assert!(matches!(
            with("/proc/x".into()),
            Err(FolderError::NoStaging { .. })
        ));
    }
}
