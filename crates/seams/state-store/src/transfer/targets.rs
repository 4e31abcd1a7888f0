//! Both ends of a move: a state that is read as a whole, and one that is written as a whole.
//!
//! A state that was imported in part is never used. In a file it comes to be under another name, and is renamed once it is
//! whole; what it replaces stays beside it. In etcd the state is marked until it is whole, and is not opened meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::TransferError;
use crate::{
    Direction, EtcdStore, Expected, Page, RedbStore, StateConfig, StateError, StateKind,
    StateStore, Write,
};

/// Values and operations of one transaction of an import.
const BATCH_BYTES_MAX: usize = crate::TRANSACTION_BYTES_MAX;
const BATCH_WRITES_MAX: usize = crate::TRANSACTION_OPERATIONS_MAX;

/// A state that is read.
pub(super) enum Source {
    Redb(RedbStore),
    Etcd(EtcdStore),
}

impl Source {
    pub async fn open(config: &StateConfig) -> Result<Self, TransferError> {
        match config.kind {
            StateKind::Redb => {
                // Opening would make a new one.
                std::fs::metadata(&config.path).map_err(|source| TransferError::Path {
                    path: config.path.clone(),
                    source,
                })?;
                Ok(Self::Redb(open_file(&config.path).await?))
            }
            StateKind::Etcd => {
                // Opening would make a new one.
                let store = EtcdStore::open_existing(&config.etcd).await?;
                let prefix = || config.etcd.prefix.clone();
                let store = store.ok_or_else(|| TransferError::Absent { prefix: prefix() })?;
                check_unused(&store).await?;
                Ok(Self::Etcd(store))
            }
        }
    }

    /// A page of all entries: of a file, which no other process can use meanwhile, or of etcd as it was at this version.
    pub async fn page(
        &self,
        version: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StateError> {
        match self {
            Self::Redb(store) => store.page("", after, limit, Direction::Ascending).await,
            Self::Etcd(store) => store.page_at(version, after, limit).await,
        }
    }

    /// Fails if a task-runner has begun to use the state since it was opened.
    pub async fn check_still_unused(&self) -> Result<(), TransferError> {
        match self {
            Self::Redb(_) => Ok(()),
            Self::Etcd(store) => {
                check_unused(store).await?;
                // Fails if there was an import meanwhile.
                store.floor().await?;
                Ok(())
            }
        }
    }

    pub async fn floor(&self) -> Result<u64, StateError> {
        match self {
            Self::Redb(store) => store.floor().await,
            Self::Etcd(store) => store.floor().await,
        }
    }
}

/// A state that is written.
pub(super) struct Target {
    place: Place,
    batch: Vec<Write>,
    bytes: usize,
}

enum Place {
    File {
        /// Held, so that no other process uses it; none if there was none.
        old: Option<RedbStore>,
        new: Option<RedbStore>,
        path: PathBuf,
    },
    Etcd(EtcdStore),
}

impl Target {
    /// Opens the state; fails if it is in use, or if it has entries that are not to be replaced. Changes nothing.
    pub async fn open(config: &StateConfig, replace: bool) -> Result<Self, TransferError> {
        let place = match config.kind {
            StateKind::Redb => Place::File {
                old: match config.path.exists() {
                    true => Some(open_file(&config.path).await?),
                    false => None,
                },
                new: None,
                path: config.path.clone(),
            },
            StateKind::Etcd => {
                let store = EtcdStore::open_for_import(&config.etcd).await?;
                check_unused(&store).await?;
                Place::Etcd(store)
            }
        };
        if !replace {
            match &place {
                Place::File { old: None, .. } => {}
                Place::File { old: Some(old), .. } => check_empty(old).await?,
                Place::Etcd(store) => check_empty(store).await?,
            }
        }
        Ok(Self {
            place,
            batch: Vec::new(),
            bytes: 0,
        })
    }

    /// Begins with an empty state whose versions and tokens are above the floor.
    pub async fn begin(&mut self, floor: u64) -> Result<(), TransferError> {
        match &mut self.place {
            Place::File { old, new, path } => {
                let floor = match old {
                    Some(old) => floor.max(old.floor().await?),
                    None => floor,
                };
                let beside = beside(path, "importing");
                remove(&beside)?;
                let store = open_file(&beside).await?;
                store.raise(floor).await?;
                *new = Some(store);
            }
            Place::Etcd(store) => store.begin_import(floor).await?,
        }
        Ok(())
    }

    pub async fn put(&mut self, key: String, value: Value) -> Result<(), TransferError> {
        let bytes = value.to_string().len();
        if self.bytes + bytes > BATCH_BYTES_MAX || self.batch.len() == BATCH_WRITES_MAX {
            self.flush().await?;
        }
        self.bytes += bytes;
        self.batch.push(Write::put(key, value, Expected::Anything));
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), TransferError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        match &self.place {
            Place::File { new: Some(new), .. } => new.write(&batch, None).await?,
            Place::File { new: None, .. } => unreachable!("an import begins before it writes"),
            Place::Etcd(store) => store.write(&batch, None).await?,
        };
        Ok(())
    }

    /// Puts the new state in place.
    pub async fn finish(mut self) -> Result<(), TransferError> {
        self.flush().await?;
        match self.place {
            Place::File { old, new, path } => {
                // Closed, so that all of it is in the file.
                drop(new);
                let new = beside(&path, "importing");
                if old.is_some() {
                    // A second name, so that at no moment there is no state: a task-runner would make an empty one.
                    let kept = beside(&path, "before-import");
                    remove(&kept)?;
                    std::fs::hard_link(&path, &kept).map_err(failed(&kept))?;
                    std::fs::rename(new, &path).map_err(failed(&path))?;
                } else {
                    // Unlike a rename this does not replace what a task-runner has made there meanwhile.
                    std::fs::hard_link(&new, &path).map_err(failed(&path))?;
                    remove(&new)?;
                }
                sync_folder(&path)?;
                drop(old);
                Ok(())
            }
            Place::Etcd(store) => Ok(store.finish_import().await?),
        }
    }
}

async fn open_file(path: &Path) -> Result<RedbStore, StateError> {
    RedbStore::open(path, Arc::new(Timestamp::now)).await
}

async fn check_empty(store: &dyn StateStore) -> Result<(), TransferError> {
    let page = store.page("", None, 1, Direction::Ascending).await?;
    match page.entries.into_iter().next() {
        None => Ok(()),
        Some(entry) => Err(TransferError::NotEmpty { key: entry.key }),
    }
}

/// A task-runner that does anything holds a lease.
async fn check_unused(store: &EtcdStore) -> Result<(), TransferError> {
    match store.held_leases().await?.into_iter().next() {
        None => Ok(()),
        Some((lease, holder)) => Err(TransferError::InUse { lease, holder }),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) -> Result<(), TransferError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(failed(path)),
    }
}

fn sync_folder(path: &Path) -> Result<(), TransferError> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed(folder))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> TransferError {
    let path = path.to_owned();
    move |source| TransferError::Path {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_was_made_during_an_import_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.redb");
        let config = StateConfig::redb(&path);
        let mut target = Target::open(&config, false).await.expect("none is there");
        target.begin(0).await.expect("begun");
        std::fs::write(&path, "of another").expect("a file");
        let refused = target.finish().await;
        assert!(
            matches!(refused, Err(TransferError::Path { .. })),
            "{refused:?}"
        );
        assert_eq!(std::fs::read(&path).expect("a file"), b"of another");
    }
}
