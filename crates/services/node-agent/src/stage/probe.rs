//! Tries with a small file what the restore will do with the staged ones, while everything still runs.
//!
//! One number of a filesystem is no evidence: two bind mounts of one volume share it and refuse renames between them, and
//! the folder of a table or keyspace may be a link to another disk. Found late, that leaves tables empty or Cassandra stopped.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use cassandra_node::files::{FileError, blocking};
use cassandra_node::yaml::CassandraYaml;
use model::TableRef;
use model::plan::RestoreMode;
use tracing::warn;

use super::{Stage, StageError};
use crate::agent::Agent;
use crate::folders::Folders;
use crate::restore::TableTarget;

/// Cassandra takes a file of this name for none of its own.
const PROBE: &str = "ringkeep_probe.tmp";

/// How staged files come into a live folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To there, and the old ones back.
    Rename,
    Link,
}

pub(super) async fn probe(agent: &Agent, stage: &Stage) -> Result<(), StageError> {
    check_directories(agent).await?;
    let way = match stage.mode {
        RestoreMode::InPlace => Way::Rename,
        // Import copies where it cannot move.
        RestoreMode::Online if agent.node.identity().await?.release.has_import() => return Ok(()),
        RestoreMode::Online => Way::Link,
    };
    let (folders, restore) = (agent.folders.clone(), stage.restore.clone());
    let tables = stage.tables.clone();
    blocking(move || probe_all(&folders, &restore, &tables, way)).await
}

/// Refuses to stage into data directories that Cassandra may no longer open, or not all of which are known here.
async fn check_directories(agent: &Agent) -> Result<(), StageError> {
    let known = &agent.node.yaml.data_directories;
    let settings = &agent.node.settings;
    let (file, storage) = (settings.config_file.clone(), settings.storage_dir.clone());
    match blocking(move || CassandraYaml::read(&file, &storage)).await {
        Ok(now) if now.data_directories == *known => Ok(()),
        Ok(now) => Err(StageError::OtherDirectories {
            known: known.clone(),
            now: now.data_directories,
        }),
        Err(error) => {
            warn!(%error, "cassandra.yaml cannot be read again; its data directories are taken to be as before");
            Ok(())
        }
    }
}

fn probe_all(
    folders: &Folders,
    restore: &str,
    tables: &[TableTarget],
    way: Way,
) -> Result<(), StageError> {
    let mut tried = BTreeSet::new();
    for target in tables {
        let live = folders.data.own_folders(&target.table, &target.target_id);
        for (data, live) in folders.data.iter().zip(live) {
            let live = nearest(&data.path, &live);
            if !tried.insert(live.clone()) {
                continue;
            }
            let staging = folders.staging_of(data, restore)?;
            folders.ownership(data)?.make_folder(&staging)?;
            try_one(&staging, &live, way, &target.table)?;
        }
    }
    Ok(())
}

/// The folder, or if it does not exist the one that it will be made in.
fn nearest(data: &Path, live: &Path) -> PathBuf {
    let mut above = live.ancestors().take_while(|folder| *folder != data);
    above.find(|folder| folder.is_dir()).unwrap_or(data).into()
}

fn try_one(staging: &Path, live: &Path, way: Way, table: &TableRef) -> Result<(), StageError> {
    let (here, there) = (staging.join(PROBE), live.join(PROBE));
    let clear = || remove(&here).and_then(|()| remove(&there));
    clear()?;
    File::create_new(&here).map_err(FileError::at("create", &here))?;
    let tried = match way {
        Way::Rename => fs::rename(&here, &there).and_then(|()| fs::rename(&there, &here)),
        Way::Link => fs::hard_link(&here, &there),
    };
    clear()?;
    match tried {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            Err(StageError::OtherDevice {
                table: table.clone(),
                live: live.to_owned(),
                staging: staging.to_owned(),
            })
        }
        Err(error) => Err(FileError::at("move a file to", live)(error).into()),
    }
}

fn remove(probe: &Path) -> Result<(), FileError> {
    match fs::remove_file(probe) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("delete", probe)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
