//! The trial of a restore: a few staged SSTables are loaded into scratch tables, while everything live is still there.
//!
//! It goes through the same load, with the same evidence, as the restore itself: what Cassandra would refuse in the middle
//! of that is refused here. Staging stays as it is: immutable components are linked, the others are copied, because
//! Cassandra may write into these.

mod error;
mod pick;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cassandra_formats::Component;
use cassandra_node::cql::CqlError;
use cassandra_node::files::{self, FileError, blocking};
use cassandra_node::schema::keyspace_names;
use cassandra_node::sstables::{self, ComponentFile};
use chassis::work::Work;
use model::cql::{literal, quote};
use model::plan::TrialTable;
use model::{TRIAL_KEYSPACE_PREFIX, TableId, TableRef};
use tracing::{info, warn};

use crate::agent::Agent;
use crate::folders::Folders;
use crate::restore::{self, RestoreRecord, RestoreState, TableTarget};
use crate::{load, path_name};

pub use error::TrialError;

/// Tries each format that is staged of these tables; returns the SSTables that were tried.
pub async fn try_load(
    agent: &Agent,
    restore: &str,
    tables: &[TrialTable],
    work: &Work,
) -> Result<u64, TrialError> {
    path_name::check("restore", restore)?;
    for table in tables {
        check_is_scratch(&table.trial)?;
    }
    let trial = trial_name(restore);
    // What an earlier try has left. Its scratch tables may be gone, so nothing of it is of use.
    restore::finish(agent, &trial, false)
        .await
        .map_err(TrialError::Finish)?;
    let loaded = match stage(agent, restore, &trial, tables).await {
        Ok(staged) => {
            let loaded = load::load(agent, &trial, &staged, work).await;
            loaded
                .map(|sstables| (staged, sstables))
                .map_err(TrialError::Load)
        }
        Err(error) => Err(error),
    };
    let finished = restore::finish(agent, &trial, false).await;
    let (staged, sstables) = loaded?;
    finished.map_err(TrialError::Finish)?;
    for target in &staged {
        work.check()?;
        read(agent, &target.table).await;
    }
    info!(restore, sstables, "trial load done");
    Ok(sstables)
}

/// Deletes the folders of scratch keyspaces that are no longer in the schema: Cassandra keeps a snapshot of what is dropped.
pub async fn clear(agent: &Agent) -> Result<(), TrialError> {
    let keyspaces = keyspace_names(&*agent.node.cql).await?;
    let data: Vec<_> = agent.folders.data.iter().map(|d| d.path.clone()).collect();
    blocking(move || {
        for folder in data.iter().map(|data| files::entries(data)) {
            for folder in folder? {
                let name = files::name_of(&folder);
                let is_scratch = name.starts_with(TRIAL_KEYSPACE_PREFIX);
                if is_scratch && !keyspaces.iter().any(|live| live == name) {
                    files::remove_tree(&folder)?;
                }
            }
        }
        Ok::<_, FileError>(())
    })
    .await?;
    Ok(())
}

/// The trial has staging folders and a journal of its own.
pub fn trial_name(restore: &str) -> String {
    format!("{restore}-trial")
}

fn check_is_scratch(table: &TableRef) -> Result<(), TrialError> {
    path_name::check("tables.trial.keyspace", &table.keyspace)?;
    path_name::check("tables.trial.table", &table.table)?;
    match table.keyspace.starts_with(TRIAL_KEYSPACE_PREFIX) {
        true => Ok(()),
        false => Err(TrialError::NotForTrials(table.clone())),
    }
}

/// Stages what is tried; returns the scratch tables that get something.
async fn stage(
    agent: &Agent,
    restore: &str,
    trial: &str,
    tables: &[TrialTable],
) -> Result<Vec<TableTarget>, TrialError> {
    let (_, state) = RestoreState::open(&agent.folders, restore).await?;
    if state.staged.is_none() {
        return Err(TrialError::NotStaged(restore.to_owned()));
    }
    let mut wanted = Vec::new();
    for table in tables {
        wanted.push((table.clone(), scratch_id(agent, &table.trial).await?));
    }
    let (folders, restore, of) = (agent.folders.clone(), restore.to_owned(), trial.to_owned());
    let wanted = Arc::new(wanted);
    let picked = {
        let wanted = wanted.clone();
        blocking(move || copy_picked(&folders, &restore, &of, &wanted)).await?
    };
    let takes_all = state.begun.as_ref().is_none_or(|it| it.shares.is_empty());
    let mut targets = Vec::new();
    let (journal, _) = RestoreState::open(&agent.folders, trial).await?;
    let mut sstables = BTreeMap::new();
    for ((table, id), count) in wanted.iter().zip(picked).filter(|(_, count)| *count > 0) {
        sstables.insert(*id, count);
        targets.push(TableTarget {
            table: table.trial.clone(),
            source: None,
            source_id: table.target_id,
            target_id: *id,
        });
        // What is taken whole is not checked by its tokens, in the trial as in the restore.
        if takes_all || state.uncut.contains(&table.target_id) {
            journal.append(&RestoreRecord::Uncut { table: *id }).await?;
        }
    }
    journal.append(&RestoreRecord::Staged { sstables }).await?;
    Ok(targets)
}

async fn scratch_id(agent: &Agent, table: &TableRef) -> Result<TableId, TrialError> {
    let statement = format!(
        "SELECT id FROM system_schema.tables WHERE keyspace_name = {} AND table_name = {}",
        literal(&table.keyspace),
        literal(&table.table)
    );
    let rows = agent.node.cql.query(&statement).await?;
    let row = rows
        .first()
        .ok_or_else(|| TrialError::NoTable(table.clone()))?;
    let id = row
        .parsed("id", "a table id")
        .map_err(|source| CqlError::Row { statement, source })?;
    Ok(id)
}

/// Of each table the number of SSTables that were brought into the trial's staging.
fn copy_picked(
    folders: &Folders,
    restore: &str,
    trial: &str,
    wanted: &[(TrialTable, TableId)],
) -> Result<Vec<u64>, TrialError> {
    let mut tried = pick::Tried::default();
    let mut counts = Vec::new();
    for (table, id) in wanted {
        let mut count = 0;
        for data in &folders.data {
            let staging = folders.staged_table(data, restore, &table.table, &table.target_id)?;
            if !staging.is_dir() {
                continue;
            }
            let into = folders.staged_table(data, trial, &table.trial, id)?;
            let files = sstables::list(&staging)?;
            for sstable in tried.smallest_of_each_format(&files) {
                folders.ownership(data)?.make_folder(&into)?;
                for file in sstable {
                    bring(file, &into)?;
                    folders
                        .ownership(data)?
                        .apply_to_file(&into.join(file.name()))?;
                }
                count += 1;
            }
        }
        counts.push(count);
    }
    Ok(counts)
}

fn bring(file: &ComponentFile, into: &Path) -> Result<(), FileError> {
    let to = into.join(file.name());
    if Component::of(&file.component) == Component::Mutable {
        fs::copy(&file.path, &to).map_err(FileError::at("copy", &file.path))?;
    } else {
        fs::hard_link(&file.path, &to).map_err(FileError::at("link", &file.path))?;
    }
    Ok(())
}

/// Reads a row of the scratch table. What was loaded is proven by the load: a read fails also for reasons that are no
/// obstacle, such as rows that are all deleted or types that the driver does not know.
async fn read(agent: &Agent, table: &TableRef) {
    let name = format!("{}.{}", quote(&table.keyspace), quote(&table.table));
    let statement = format!("SELECT * FROM {name} LIMIT 1");
    if let Err(error) = agent.node.cql.query(&statement).await {
        warn!(%table, %error, "a scratch table was loaded, and could not be read");
    }
}

#[cfg(test)]
mod tests;
