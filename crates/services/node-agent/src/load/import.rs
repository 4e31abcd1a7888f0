//! Loads by `nodetool import`, which moves files out of staging.

use std::path::{Path, PathBuf};

use cassandra_node::files::blocking;

use super::{LoadError, drop_indexes, recognise};
use crate::agent::Agent;
use crate::restore::TableTarget;

pub(super) async fn load(
    agent: &Agent,
    restore: &str,
    target: &TableTarget,
    check_tokens: bool,
) -> Result<(), LoadError> {
    let folders = folders_to_import(agent, restore, target).await?;
    if !folders.is_empty() {
        agent
            .node
            .control
            .import(&target.table, &folders, check_tokens)
            .await?;
    }
    let (all, restore, of) = (agent.folders.clone(), restore.to_owned(), target.clone());
    let left = blocking(move || recognise::staged(&all, &restore, &of)).await?;
    if left.is_empty() {
        return Ok(());
    }
    Err(LoadError::Left {
        table: target.table.clone(),
        files: left.into_iter().map(|sstable| sstable.staged).collect(),
    })
}

/// Folders that hold SSTables; one that an earlier try has emptied would be refused.
async fn folders_to_import(
    agent: &Agent,
    restore: &str,
    target: &TableTarget,
) -> Result<Vec<PathBuf>, LoadError> {
    let (folders, restore, target) = (agent.folders.clone(), restore.to_owned(), target.clone());
    blocking(move || {
        let mut found = recognise::staging_folders(&folders, &restore, &target)?;
        for folder in &found {
            drop_indexes(folder)?;
        }
        let staged = recognise::staged(&folders, &restore, &target)?;
        found.retain(|folder| {
            staged
                .iter()
                .any(|w| Path::new(&w.staged).starts_with(folder))
        });
        Ok(found)
    })
    .await
}
