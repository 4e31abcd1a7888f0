//! Swaps staged files in for a table's live ones, while Cassandra is down.
//!
//! Before the first file is moved, all that was staged must be there. Then two phases for each table: the old files go aside, which is written down; then the staged ones go live. Each phase
//! only ever moves what is still in its place, so a kill at any rename is made good by doing it again. The old files stay
//! in the staging folder until the restore is finished.

mod back;
mod error;
mod old;
mod staging;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cassandra_node::files::{self, FileError, blocking};
use cassandra_node::folders::{DataFolder, live_entries, table_folder_name};
use cassandra_node::lifecycle;
use cassandra_node::sstables;
use tracing::info;

use crate::agent::Agent;
use crate::folders::Folders;
use crate::journal::Journal;
use crate::path_name;
use crate::restore::{RestoreRecord, RestoreState, TableTarget};

pub use back::swap_back;
pub use error::SwapError;
pub use old::{half_swapped, keeps_old_files};

/// Where old files wait inside a restore's staging folder.
const OLD: &str = "old";
/// Where restored files wait there that were swapped back.
const RESTORED: &str = "restored";
/// Added to the names of caches, so that Cassandra does not find them: they point into files that are no longer live.
const OLD_CACHE: &str = "ringkeep-old";

/// How a file gets another name; tests let it fail.
type Rename = Arc<dyn Fn(&Path, &Path) -> Result<(), FileError> + Send + Sync>;

/// Swaps the tables; returns the SSTables that are then live.
pub async fn swap(agent: &Agent, restore: &str, targets: &[TableTarget]) -> Result<u64, SwapError> {
    path_name::check("restore", restore)?;
    lifecycle::check_down(&agent.node).await?;
    swap_files(&agent.folders, restore, targets, Arc::new(files::rename)).await
}

async fn swap_files(
    folders: &Folders,
    restore: &str,
    targets: &[TableTarget],
    rename: Rename,
) -> Result<u64, SwapError> {
    let (journal, state) = RestoreState::open(folders, restore).await?;
    if !state.restored_aside.is_empty() || !state.swapped_back.is_empty() {
        return Err(SwapError::RolledBack {
            restore: restore.to_owned(),
        });
    }
    for target in targets {
        let staged = state.staged.as_ref();
        if !staged.is_some_and(|tables| tables.contains_key(&target.target_id)) {
            return Err(SwapError::NotStaged {
                restore: restore.to_owned(),
                table: target.table.clone(),
            });
        }
    }
    let (all, of, run) = (folders.clone(), targets.to_vec(), restore.to_owned());
    let state = blocking(move || staging::check(&all, &run, &of, &state).map(|()| state)).await?;
    for target in targets {
        swap_table(folders, restore, target, &journal, &state, &rename).await?;
    }
    let caches = folders.saved_caches.clone();
    blocking(move || hide_caches(&caches)).await?;
    count(folders, restore, targets, &state).await
}

async fn swap_table(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
    rename: &Rename,
) -> Result<(), SwapError> {
    let table = target.target_id;
    if state.swapped.contains(&table) {
        return Ok(());
    }
    if !state.aside.contains(&table) {
        each_directory(folders, restore, target, rename, move_aside).await?;
        let files = Some(count_old(folders, restore, target).await?);
        journal
            .append(&RestoreRecord::Aside { table, files })
            .await?;
    }
    each_directory(folders, restore, target, rename, move_in).await?;
    journal.append(&RestoreRecord::Swapped { table }).await?;
    info!(table = %target.table, "table swapped");
    Ok(())
}

/// The three folders of a table that belong to one data directory.
struct Places {
    data: DataFolder,
    live: PathBuf,
    staged: PathBuf,
    old: PathBuf,
    restored: PathBuf,
}

type Phase = fn(&Folders, &Places, &Rename) -> Result<(), SwapError>;

async fn each_directory(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    rename: &Rename,
    phase: Phase,
) -> Result<(), SwapError> {
    let (folders, restore, target, rename) = (
        folders.clone(),
        restore.to_owned(),
        target.clone(),
        rename.clone(),
    );
    blocking(move || {
        // The folders that Cassandra opens: of a table from before 2.1 their name has no id.
        let live = folders.data.own_folders(&target.table, &target.target_id);
        for (data, live) in folders.data.iter().zip(live) {
            let inside = Path::new(&target.table.keyspace)
                .join(table_folder_name(&target.table, &target.target_id));
            let root = folders.staging(data)?.join(&restore);
            let places = Places {
                live,
                staged: root.join(&data.label).join(&inside),
                old: root.join(OLD).join(&data.label).join(&inside),
                restored: root.join(RESTORED).join(&data.label).join(&inside),
                data: data.clone(),
            };
            phase(&folders, &places, &rename)?;
        }
        Ok(())
    })
    .await
}

fn move_aside(folders: &Folders, places: &Places, rename: &Rename) -> Result<(), SwapError> {
    let entries = live_entries(&places.live)?;
    move_entries(
        folders,
        places,
        &entries,
        (&places.live, &places.old),
        rename,
    )
}

/// Moves entries of one folder into another of the same table.
fn move_entries(
    folders: &Folders,
    places: &Places,
    entries: &[PathBuf],
    (from, into): (&Path, &Path),
    rename: &Rename,
) -> Result<(), SwapError> {
    if entries.is_empty() {
        return Ok(());
    }
    folders.ownership(&places.data)?.make_folder(into)?;
    move_all(entries, into, rename)?;
    files::sync_folder(into)?;
    Ok(files::sync_folder(from)?)
}

/// The old files of a table that wait in the staging folders.
async fn count_old(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
) -> Result<u64, SwapError> {
    let (folders, restore, target) = (folders.clone(), restore.to_owned(), target.clone());
    blocking(move || {
        let mut count = 0;
        for data in &folders.data {
            let inside = Path::new(&target.table.keyspace)
                .join(table_folder_name(&target.table, &target.target_id));
            let root = folders.staging(data)?.join(&restore);
            count += count_files(&root.join(OLD).join(&data.label).join(inside))?;
        }
        Ok(count)
    })
    .await
}

/// The files in a folder and in those of its indexes.
fn count_files(folder: &Path) -> Result<u64, FileError> {
    let mut count = 0;
    for entry in files::entries(folder)? {
        count += match entry.is_dir() {
            true => count_files(&entry)?,
            false => 1,
        };
    }
    Ok(count)
}

fn move_in(folders: &Folders, places: &Places, rename: &Rename) -> Result<(), SwapError> {
    let mut entries = files::entries(&places.staged)?;
    // What a stopped transfer has left is no file of an SSTable.
    entries.retain(|entry| !files::name_of(entry).ends_with(".part"));
    let way = (places.staged.as_path(), places.live.as_path());
    move_entries(folders, places, &entries, way, rename)
}

fn move_all(entries: &[PathBuf], into: &Path, rename: &Rename) -> Result<(), SwapError> {
    for entry in entries {
        let to = into.join(files::name_of(entry));
        // A rename would replace what is there; nothing may be, and nothing may be lost.
        if to.exists() {
            return Err(SwapError::Occupied { path: to });
        }
        rename(entry, &to)?;
    }
    Ok(())
}

/// Deletes the caches that were hidden; returns the bytes that this freed.
pub fn delete_hidden_caches(caches: &Path) -> Result<u64, FileError> {
    let mut freed = 0;
    for cache in files::entries(caches)? {
        if files::name_of(&cache).ends_with(OLD_CACHE) {
            freed += sstables::stat(&cache)?.map_or(0, |(bytes, _)| bytes);
            std::fs::remove_file(&cache).map_err(FileError::at("delete", &cache))?;
        }
    }
    Ok(freed)
}

/// Cassandra makes them again.
fn hide_caches(caches: &Path) -> Result<(), SwapError> {
    for cache in files::entries(caches)? {
        let name = files::name_of(&cache);
        if cache.is_file() && !name.ends_with(OLD_CACHE) {
            let hidden = caches.join(format!("{name}.{OLD_CACHE}"));
            files::rename(&cache, &hidden)?;
        }
    }
    Ok(())
}

async fn count(
    folders: &Folders,
    restore: &str,
    targets: &[TableTarget],
    state: &RestoreState,
) -> Result<u64, SwapError> {
    let mut total = 0;
    for target in targets {
        let (all, of) = (folders.clone(), target.clone());
        let live = blocking(move || all.data.live_files(&of.table, &of.target_id)).await?;
        let found = live.iter().filter(|file| file.is_own_data()).count() as u64;
        let staged = state.staged.as_ref();
        let expected = staged
            .and_then(|s| s.get(&target.target_id))
            .copied()
            .unwrap_or(0);
        // A table that was swapped in an earlier call may have been written to since.
        let before = state.swapped.contains(&target.target_id);
        if found != expected && !before {
            return Err(SwapError::Miscounted {
                restore: restore.to_owned(),
                table: target.table.clone(),
                expected,
                found,
            });
        }
        total += expected;
    }
    Ok(total)
}

#[cfg(test)]
mod back_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
pub(crate) mod tests;
