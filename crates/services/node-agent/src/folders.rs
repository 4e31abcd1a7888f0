//! The agent's own folders: where restores are staged, and where journals are kept.

use std::path::{Path, PathBuf};

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::files::{self, FileError, Ownership};
use cassandra_node::folders::{DataFolder, DataFolders, table_folder_name};
use model::{TableId, TableRef};

use crate::config::AgentConfig;
use crate::error::wire_kind;

/// Cassandra looks for SSTables everywhere in a data directory when it starts, except in folders of this name.
const IGNORED_BY_CASSANDRA: &str = "snapshots";

/// Why restores cannot be staged.
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
            Self::File(error) => wire_kind(error),
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
                "set staging_directories in [agent]; if the data directory is itself a mount point, `{}` serves",
                data.join("ringkeep/snapshots").display()
            )),
        }
    }
}

/// The agent's folders, and the data directories that they serve.
#[derive(Debug, Clone)]
pub struct Folders {
    pub data: DataFolders,
    pub saved_caches: PathBuf,
    staging_name: String,
    staging: Vec<PathBuf>,
    pub state: PathBuf,
}

impl Folders {
    pub fn new(data: DataFolders, saved_caches: PathBuf, config: &AgentConfig) -> Self {
        Self {
            data,
            saved_caches,
            staging_name: config.staging_dir_name.clone(),
            staging: config.staging_directories.clone(),
            state: config.state_dir.clone(),
        }
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

    /// The staging folder of one table of a restore for one data directory.
    pub fn staged_table(
        &self,
        data: &DataFolder,
        restore: &str,
        table: &TableRef,
        id: &TableId,
    ) -> Result<PathBuf, FolderError> {
        let folder = self.staging_of(data, restore)?.join(&table.keyspace);
        Ok(folder.join(table_folder_name(table, id)))
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

    /// The ownership of new files for a data directory.
    pub fn ownership(&self, data: &DataFolder) -> Result<Ownership, FileError> {
        data.ownership()
    }

    /// The journal of a snapshot.
    pub fn snapshot_journal(&self, tag: &str) -> PathBuf {
        self.state.join("snapshots").join(format!("{tag}.jsonl"))
    }

    /// Where the journals of restores are.
    pub fn restore_journals(&self) -> PathBuf {
        self.state.join("restores")
    }

    /// The journal of a restore.
    pub fn restore_journal(&self, restore: &str) -> PathBuf {
        self.restore_journals().join(format!("{restore}.jsonl"))
    }

    /// The fences that this node has seen.
    pub fn fences_file(&self) -> PathBuf {
        self.state.join("fences.json")
    }

    /// What was last known of the node while it was up.
    pub fn identity_file(&self) -> PathBuf {
        self.state.join("identity.json")
    }
}

fn nearest_existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(data: &[PathBuf], config: AgentConfig) -> Folders {
        Folders::new(DataFolders::new(data.to_vec()), "/caches".into(), &config)
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
