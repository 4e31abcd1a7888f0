//! Swaps the old files that a restore has put aside back, while Cassandra is down.
//!
//! The inverse of a swap, in two phases for each table as well: what is live goes aside, which is written down; then the old
//! files go live. It also undoes a swap that has ended half-way. What was restored waits in the staging folder until the
//! rollback is finished.

use std::sync::Arc;

use cassandra_node::files::{self, blocking};
use cassandra_node::folders::live_entries;
use cassandra_node::lifecycle;
use tracing::info;

use super::{Places, Rename, SwapError, count_old, each_directory, hide_caches, move_entries};
use crate::agent::Agent;
use crate::folders::Folders;
use crate::journal::Journal;
use crate::path_name;
use crate::restore::{RestoreRecord, RestoreState, TableTarget};

/// Swaps all tables of the restore back.
pub async fn swap_back(agent: &Agent, restore: &str) -> Result<(), SwapError> {
    path_name::check("restore", restore)?;
    lifecycle::check_down(&agent.node).await?;
    back_files(&agent.folders, restore, Arc::new(files::rename)).await
}

pub(super) async fn back_files(
    folders: &Folders,
    restore: &str,
    rename: Rename,
) -> Result<(), SwapError> {
    let (journal, state) = RestoreState::open(folders, restore).await?;
    let Some(begun) = &state.begun else {
        return Err(SwapError::NothingKept {
            restore: restore.to_owned(),
        });
    };
    for target in &begun.tables {
        check_old(folders, restore, target, &state).await?;
    }
    for target in &begun.tables {
        back_table(folders, restore, target, &journal, &state, &rename).await?;
    }
    let caches = folders.saved_caches.clone();
    blocking(move || hide_caches(&caches)).await
}

/// Before anything is moved: the old files are all there.
async fn check_old(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    state: &RestoreState,
) -> Result<(), SwapError> {
    let table = target.target_id;
    let Some(expected) = state.old_files.get(&table).copied() else {
        return Ok(());
    };
    if state.restored_aside.contains(&table) || state.swapped_back.contains(&table) {
        return Ok(());
    }
    let found = count_old(folders, restore, target).await?;
    if found == expected {
        return Ok(());
    }
    Err(SwapError::OldFilesLost {
        restore: restore.to_owned(),
        table: target.table.clone(),
        expected,
        found,
    })
}

async fn back_table(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
    rename: &Rename,
) -> Result<(), SwapError> {
    let table = target.target_id;
    if state.swapped_back.contains(&table) {
        return Ok(());
    }
    // Before `Aside` is written, what is live is old: some of it has been moved at most.
    if state.aside.contains(&table) && !state.restored_aside.contains(&table) {
        each_directory(folders, restore, target, rename, move_restored_aside).await?;
        journal
            .append(&RestoreRecord::RestoredAside { table })
            .await?;
    }
    each_directory(folders, restore, target, rename, move_back).await?;
    journal
        .append(&RestoreRecord::SwappedBack { table })
        .await?;
    info!(table = %target.table, "table swapped back");
    Ok(())
}

fn move_restored_aside(
    folders: &Folders,
    places: &Places,
    rename: &Rename,
) -> Result<(), SwapError> {
    let entries = live_entries(&places.live)?;
    let way = (places.live.as_path(), places.restored.as_path());
    move_entries(folders, places, &entries, way, rename)
}

fn move_back(folders: &Folders, places: &Places, rename: &Rename) -> Result<(), SwapError> {
    let entries = files::entries(&places.old)?;
    let way = (places.old.as_path(), places.live.as_path());
    move_entries(folders, places, &entries, way, rename)
}
