//! Loads by `nodetool refresh`: files are linked into the live folder under fresh numbers, and Cassandra takes them from
//! there under numbers of its own.
//!
//! Linked, not moved: until Cassandra has taken them, staging still holds everything. The Data component is linked last,
//! because without it the others are nothing to Cassandra, and it deletes them when it starts.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cassandra_formats::Descriptor;
use cassandra_node::files::{self, FileError, blocking};
use cassandra_node::sstables::{self, ComponentFile};

use super::{LoadError, drop_indexes};
use crate::agent::Agent;
use crate::folders::Folders;
use crate::restore::TableTarget;

/// Flushes go on meanwhile and take the next numbers; fresh ones begin far behind them.
const NUMBER_GAP: u64 = 100_000;
/// A flush between two counts makes them differ; several times in a row it does not.
const COUNT_TRIES_MAX: u32 = 5;
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn load(
    agent: &Agent,
    restore: &str,
    target: &TableTarget,
) -> Result<(), LoadError> {
    let (folders, of, run) = (agent.folders.clone(), target.clone(), restore.to_owned());
    blocking(move || link_all(&folders, &run, &of)).await?;
    agent.node.control.refresh(&target.table).await?;
    let mut tries = 0;
    loop {
        let table = std::slice::from_ref(&target.table);
        let counts = agent.node.control.sstable_counts(table).await?;
        let counted = counts.get(&target.table).copied().unwrap_or(0);
        let (folders, of) = (agent.folders.clone(), target.clone());
        let on_disk = blocking(move || count(&folders, &of)).await?;
        if counted == on_disk {
            return Ok(());
        }
        tries += 1;
        if tries == COUNT_TRIES_MAX {
            return Err(LoadError::Miscounted {
                table: target.table.clone(),
                on_disk,
                counted,
            });
        }
        tokio::time::sleep(COUNT_INTERVAL).await;
    }
}

fn count(folders: &Folders, target: &TableTarget) -> Result<u64, LoadError> {
    let live = folders.data.live_files(&target.table, &target.target_id)?;
    Ok(live.iter().filter(|file| file.is_own_data()).count() as u64)
}

fn link_all(folders: &Folders, restore: &str, target: &TableTarget) -> Result<(), LoadError> {
    let live = folders.data.live_files(&target.table, &target.target_id)?;
    let taken: HashSet<u64> = live
        .iter()
        .filter(|file| file.is_own_data())
        .map(|file| file.source.inode)
        .collect();
    let mut number = highest(&live) + NUMBER_GAP;
    let own_folders = folders.data.own_folders(&target.table, &target.target_id);
    for (data, into) in folders.data.iter().zip(own_folders) {
        let staging = folders.staged_table(data, restore, &target.table, &target.target_id)?;
        if !staging.is_dir() {
            continue;
        }
        drop_indexes(&staging)?;
        folders.ownership(data)?.make_folder(&into)?;
        let staged = sstables::list(&staging)?;
        unlink_unfinished(&into, &staged, &live)?;
        for ((_, descriptor), files) in sstables::by_sstable(&staged) {
            let data_file = files.iter().find(|file| file.is_data());
            if data_file.is_some_and(|file| !taken.contains(&file.source.inode)) {
                number += 1;
                link(&into, descriptor, number, &files)?;
            }
        }
        files::sync_folder(&into)?;
    }
    Ok(())
}

fn highest(live: &[ComponentFile]) -> u64 {
    let numbers = live
        .iter()
        .filter_map(|file| file.descriptor.id.parse().ok());
    numbers.max().unwrap_or(0)
}

/// Links that an earlier try made without coming to the Data component. They are recognised by their inodes, so nothing else
/// can be meant.
fn unlink_unfinished(
    into: &Path,
    staged: &[ComponentFile],
    live: &[ComponentFile],
) -> Result<(), FileError> {
    let ours: HashSet<u64> = staged.iter().map(|file| file.source.inode).collect();
    let whole: HashSet<&Descriptor> = live
        .iter()
        .filter(|file| file.is_own_data())
        .map(|file| &file.descriptor)
        .collect();
    let unfinished = live.iter().filter(|file| {
        file.path.parent() == Some(into)
            && ours.contains(&file.source.inode)
            && !whole.contains(&file.descriptor)
    });
    for file in unfinished {
        fs::remove_file(&file.path).map_err(FileError::at("unlink", &file.path))?;
    }
    Ok(())
}

fn link(
    into: &Path,
    descriptor: &Descriptor,
    number: u64,
    files: &[&ComponentFile],
) -> Result<(), FileError> {
    let fresh = Descriptor {
        format: descriptor.format.clone(),
        id: number.to_string(),
    };
    let others = files.iter().filter(|file| !file.is_data());
    for file in others.chain(files.iter().filter(|file| file.is_data())) {
        let to: PathBuf = into.join(format!("{fresh}-{}", file.component));
        fs::hard_link(&file.path, &to).map_err(FileError::at("link", &file.path))?;
    }
    Ok(())
}
