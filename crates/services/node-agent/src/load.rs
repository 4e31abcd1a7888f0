//! Loads staged SSTables into the running node, and finds each of them among its live files afterwards.
//!
//! That Cassandra reports success is no evidence: `import` succeeds for a folder that it did not understand. So every
//! SSTable is remembered by what survives its renaming (inode, size, digest), and must be found live. Automatic
//! compaction is off meanwhile, because it would delete the SSTables that are looked for. One that is not proven live and
//! not whole in staging has to be staged again; that Cassandra then may have it twice changes no row.

mod compaction;
mod error;
mod evidence;
mod import;
mod recognise;
mod refresh;
mod whole;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cassandra_node::files::{self, FileError, blocking};
use cassandra_node::sstables;
use chassis::work::Work;
use futures::{StreamExt, stream};
use model::TableRef;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::journal::Journal;
use crate::path_name;
use crate::restore::{LoadEvidence, RestoreRecord, RestoreState, TableTarget};

use evidence::TableEvidence;

use whole::Components;

pub use error::LoadError;
pub use whole::{data_path, not_live};

/// How many tables Cassandra loads at a time. It takes a table's SSTables one after the other, and each load mostly waits
/// for flushes and the disk.
const TABLES_AT_ONCE: usize = 4;
/// 3.11 loads one table after the other itself, and the limit of a call would run while it waits for others.
const TABLES_AT_ONCE_BY_REFRESH: usize = 1;

/// Loads the tables; returns the SSTables that Cassandra has taken over, now or in an earlier try.
pub async fn load(
    agent: &Agent,
    restore: &str,
    targets: &[TableTarget],
    work: &Work,
) -> Result<u64, LoadError> {
    path_name::check("restore", restore)?;
    let (journal, state) = RestoreState::open(&agent.folders, restore).await?;
    let counts = staged_counts(restore, targets, &state)?;
    work.update(|progress| progress.items_total = counts.iter().sum());
    let components = Arc::new(Components::of(&state));
    let mut tables = Vec::new();
    for (target, count) in targets.iter().zip(&counts) {
        tables.push(Loading {
            agent,
            restore,
            target,
            count: *count,
            journal: &journal,
            components: components.clone(),
            loaded: state.loaded.contains(&target.target_id),
            // What could not be cut is not to be refused now, when the table has been emptied.
            check_tokens: !state.uncut.contains(&target.target_id),
        });
    }
    let switched = compaction::off(agent, restore, &journal, &state, &tables).await?;
    let loaded = load_each(agent, &tables, &state, work).await;
    // Back on whatever happened; a failure to do so must not hide why the load failed.
    let restored = compaction::on(agent, &journal, &switched).await;
    loaded?;
    restored?;
    Ok(counts.iter().sum())
}

fn staged_counts(
    restore: &str,
    targets: &[TableTarget],
    state: &RestoreState,
) -> Result<Vec<u64>, LoadError> {
    targets
        .iter()
        .map(|target| {
            let staged = state
                .staged
                .as_ref()
                .and_then(|staged| staged.get(&target.target_id));
            staged.copied().ok_or_else(|| LoadError::NotStaged {
                restore: restore.to_owned(),
                table: target.table.clone(),
            })
        })
        .collect()
}

async fn load_each(
    agent: &Agent,
    tables: &[Loading<'_>],
    state: &RestoreState,
    work: &Work,
) -> Result<(), LoadError> {
    let has_import = agent.node.identity().await?.release.has_import();
    let at_once = if has_import {
        TABLES_AT_ONCE
    } else {
        TABLES_AT_ONCE_BY_REFRESH
    };
    let stopped = AtomicBool::new(false);
    let mut loads = Vec::new();
    for table in tables {
        let stopped = &stopped;
        loads.push(async move {
            if stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            let ended = load_one(table, has_import, state, work).await;
            stopped.fetch_or(ended.is_err(), Ordering::Relaxed);
            ended
        });
    }
    // After a failure no other table is begun, but those that Cassandra is at are waited for: what it does to them must be
    // noted before compaction is turned on again.
    let ended: Vec<Result<(), LoadError>> = stream::iter(loads)
        .buffer_unordered(at_once)
        .collect()
        .await;
    ended.into_iter().collect()
}

async fn load_one(
    table: &Loading<'_>,
    has_import: bool,
    state: &RestoreState,
    work: &Work,
) -> Result<(), LoadError> {
    work.check()?;
    work.note(table.table().to_string());
    if !table.loaded {
        table.run(has_import, state).await?;
    }
    work.update(|progress| progress.items_done += table.count);
    Ok(())
}

/// One table of a load.
struct Loading<'a> {
    agent: &'a Agent,
    restore: &'a str,
    target: &'a TableTarget,
    /// SSTables that were staged.
    count: u64,
    journal: &'a Journal<RestoreRecord>,
    components: Arc<Components>,
    /// By an earlier try.
    loaded: bool,
    /// Whether import checks that the node owns every partition.
    check_tokens: bool,
}

impl Loading<'_> {
    fn table(&self) -> &TableRef {
        &self.target.table
    }

    async fn run(&self, has_import: bool, state: &RestoreState) -> Result<(), LoadError> {
        let staged = self.staged().await?;
        let sstables = self.handed_over(state, staged.clone()).await?;
        if !sstables.is_empty() {
            let evidence = TableEvidence::new(self, state, staged, sstables);
            self.take(has_import, evidence).await?;
            self.tidy().await?;
        }
        let table = self.target.target_id;
        self.journal
            .append(&RestoreRecord::Loaded { table })
            .await?;
        info!(table = %self.table(), sstables = self.count, "table loaded");
        Ok(())
    }

    /// What is whole in staging now.
    async fn staged(&self) -> Result<Vec<LoadEvidence>, LoadError> {
        let (folders, restore, target) = (
            self.agent.folders.clone(),
            self.restore.to_owned(),
            self.target.clone(),
        );
        let components = self.components.clone();
        blocking(move || whole::staged(&folders, &restore, &target, &components)).await
    }

    /// All SSTables of the table, those included that an earlier try has handed over.
    async fn handed_over(
        &self,
        state: &RestoreState,
        staged: Vec<LoadEvidence>,
    ) -> Result<Vec<LoadEvidence>, LoadError> {
        let table = self.target.target_id;
        let Some(earlier) = state.loading.get(&table) else {
            if staged.len() as u64 != self.count {
                return Err(LoadError::StagingLost {
                    restore: self.restore.to_owned(),
                    table: self.table().clone(),
                    expected: self.count,
                    found: staged.len() as u64,
                });
            }
            return self.note_loading(staged).await;
        };
        let none = BTreeSet::new();
        let seen = state.seen.get(&table).unwrap_or(&none);
        let all = renewed(earlier, seen, staged);
        match all == *earlier {
            true => Ok(all),
            false => self.note_loading(all).await,
        }
    }

    async fn note_loading(
        &self,
        evidence: Vec<LoadEvidence>,
    ) -> Result<Vec<LoadEvidence>, LoadError> {
        let record = RestoreRecord::Loading {
            table: self.target.target_id,
            evidence: evidence.clone(),
        };
        self.journal.append(&record).await?;
        Ok(evidence)
    }

    /// Has Cassandra take over what is in staging, and makes sure that nothing was lost, now or by an earlier try.
    async fn take(
        &self,
        has_import: bool,
        mut evidence: TableEvidence<'_>,
    ) -> Result<(), LoadError> {
        if !has_import {
            evidence.check_earlier().await?;
            refresh::load(self.agent, self.restore, self.target).await?;
            // Not before: a link in the live folder is Cassandra's only once it has counted it.
            evidence.note_live().await?;
            return evidence.check_all().await;
        }
        evidence.note_live().await?;
        evidence.check_earlier().await?;
        let imported = import::load(self.agent, self.restore, self.target, self.check_tokens).await;
        // Also after a failure: Cassandra may compact what went live before the next try looks for it.
        let noted = evidence.note_live().await;
        if let Err(error) = &imported {
            warn!(table = %self.table(), %error, "the import failed");
            evidence.check_taken_in_part().await?;
        }
        imported?;
        noted?;
        evidence.check_all().await
    }

    /// What import leaves in staging are components that it made itself; what refresh leaves are second links.
    async fn tidy(&self) -> Result<(), LoadError> {
        let (folders, restore, target) = (
            self.agent.folders.clone(),
            self.restore.to_owned(),
            self.target.clone(),
        );
        blocking(move || {
            for folder in recognise::staging_folders(&folders, &restore, &target)? {
                files::remove_tree(&folder)?;
            }
            Ok(())
        })
        .await
    }
}

/// The evidence with what was staged again since: those files have inodes of their own.
fn renewed(
    earlier: &[LoadEvidence],
    seen: &BTreeSet<String>,
    staged: Vec<LoadEvidence>,
) -> Vec<LoadEvidence> {
    let now = |before: &LoadEvidence| {
        let mut staged = staged.iter();
        staged.find(|now| now.staged == before.staged && !seen.contains(&now.staged))
    };
    earlier
        .iter()
        .map(|before| now(before).unwrap_or(before).clone())
        .collect()
}

/// The hidden tables of secondary indexes are built by Cassandra from what it loads.
fn drop_indexes(folder: &Path) -> Result<(), FileError> {
    for index in sstables::index_folders(folder)? {
        files::remove_tree(&index)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
