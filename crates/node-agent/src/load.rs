//! Loads staged SSTables into the running node, and finds each of them among its live files afterwards.
//!
//! nodetool's exit code is no evidence: `import` answers 0 for a folder that it did not understand. So every SSTable is
//! remembered by what survives its renaming (inode, size, digest), and must be found live. Automatic compaction is off
//! meanwhile, because it would melt the evidence away.

mod error;
mod import;
mod refresh;
mod witness;

use model::TableRef;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::control::ControlError;
use crate::files::{self, blocking};
use crate::journal::Journal;
use crate::names;
use crate::restore::{RestoreRecord, RestoreState, TableTarget, Witness};
use crate::ring;
use crate::sstables;
use crate::work::Work;

pub use error::LoadError;

/// Loads the tables; answers the SSTables that Cassandra has taken over, now or in an earlier try.
pub async fn load(
    agent: &Agent,
    restore: &str,
    targets: &[TableTarget],
    work: &Work,
) -> Result<u64, LoadError> {
    names::check("restore", restore)?;
    let (journal, state) = RestoreState::open(&agent.folders, restore).await?;
    let counts = staged_counts(restore, targets, &state)?;
    work.update(|progress| progress.items_total = counts.iter().sum());
    let has_import = ring::identity(&*agent.cql).await?.release.has_import();
    for (target, count) in targets.iter().zip(&counts) {
        work.check()?;
        work.note(target.table.to_string());
        if !state.loaded.contains(&target.target_id) {
            let table = Loading {
                agent,
                restore,
                target,
                journal: &journal,
                has_import,
            };
            table.run(*count, &state).await?;
        }
        work.update(|progress| progress.items_done += count);
    }
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
            let staged = state.staged.as_ref().and_then(|staged| staged.get(&target.target_id));
            staged.copied().ok_or_else(|| LoadError::NotStaged {
                restore: restore.to_owned(),
                table: target.table.clone(),
            })
        })
        .collect()
}

/// One table that is being loaded.
struct Loading<'a> {
    agent: &'a Agent,
    restore: &'a str,
    target: &'a TableTarget,
    journal: &'a Journal<RestoreRecord>,
    has_import: bool,
}

impl Loading<'_> {
    fn table(&self) -> &TableRef {
        &self.target.table
    }

    async fn run(&self, count: u64, state: &RestoreState) -> Result<(), LoadError> {
        let staged = self.staged().await?;
        let earlier = state.loading.get(&self.target.target_id);
        let witnesses = self.witnesses(count, earlier, staged.clone()).await?;
        if witnesses.is_empty() {
            return self.loaded().await;
        }
        let switched = self.compaction_off(state).await?;
        let loaded = self.load_and_look(&staged, &witnesses).await;
        // Back on whatever happened; a failure to do so must not hide why the load failed.
        let restored = if switched { self.compaction_on().await } else { Ok(()) };
        loaded?;
        restored?;
        self.loaded().await
    }

    /// What is in staging now.
    async fn staged(&self) -> Result<Vec<Witness>, LoadError> {
        let (folders, restore, target) =
            (self.agent.folders.clone(), self.restore.to_owned(), self.target.clone());
        blocking(move || witness::staged(&folders, &restore, &target)).await
    }

    /// All SSTables of the table, those included that an earlier try has handed over.
    async fn witnesses(
        &self,
        count: u64,
        earlier: Option<&Vec<Witness>>,
        staged: Vec<Witness>,
    ) -> Result<Vec<Witness>, LoadError> {
        if let Some(earlier) = earlier {
            return Ok(earlier.clone());
        }
        if staged.len() as u64 != count {
            return Err(LoadError::StagingLost {
                restore: self.restore.to_owned(),
                table: self.table().clone(),
                expected: count,
                found: staged.len() as u64,
            });
        }
        self.journal
            .append(&RestoreRecord::Loading {
                table: self.target.target_id,
                witnesses: staged.clone(),
            })
            .await?;
        Ok(staged)
    }

    /// Answers whether it is for us to turn compaction on again.
    async fn compaction_off(&self, state: &RestoreState) -> Result<bool, LoadError> {
        let ours = state.compaction_off.contains(&self.target.target_id);
        if !ours && !self.agent.control.autocompaction(self.table()).await? {
            return Ok(false);
        }
        let table = self.target.target_id;
        self.journal.append(&RestoreRecord::CompactionOff { table }).await?;
        self.agent.control.set_autocompaction(self.table(), false).await?;
        Ok(true)
    }

    async fn compaction_on(&self) -> Result<(), LoadError> {
        let turned: Result<(), ControlError> =
            self.agent.control.set_autocompaction(self.table(), true).await;
        if let Err(error) = &turned {
            warn!(table = %self.table(), %error, "automatic compaction is still off");
        }
        turned?;
        let table = self.target.target_id;
        self.journal.append(&RestoreRecord::CompactionOn { table }).await?;
        Ok(())
    }

    async fn load_and_look(
        &self,
        staged: &[Witness],
        witnesses: &[Witness],
    ) -> Result<(), LoadError> {
        if self.has_import {
            import::load(self.agent, self.restore, self.target).await?;
        } else {
            refresh::load(self.agent, self.restore, self.target).await?;
        }
        let (folders, target, all) =
            (self.agent.folders.clone(), self.target.clone(), witnesses.to_vec());
        let gone = blocking(move || witness::not_live(&folders, &target, all)).await?;
        let (lost, compacted): (Vec<_>, Vec<_>) =
            gone.into_iter().partition(|witness| staged.contains(witness));
        if !lost.is_empty() {
            return Err(LoadError::NotTaken {
                table: self.table().clone(),
                files: lost.into_iter().map(|witness| witness.staged).collect(),
            });
        }
        if !compacted.is_empty() {
            // Only Cassandra takes files out of staging, and an earlier try told it to. It has been restarted since, which
            // turned compaction on again.
            warn!(
                table = %self.table(),
                sstables = compacted.len(),
                "SSTables of an earlier try have been compacted since"
            );
        }
        self.tidy().await
    }

    /// What import leaves in staging are components that it made itself; what refresh leaves are second links.
    async fn tidy(&self) -> Result<(), LoadError> {
        let (folders, restore, target) =
            (self.agent.folders.clone(), self.restore.to_owned(), self.target.clone());
        blocking(move || {
            for folder in witness::staging_folders(&folders, &restore, &target)? {
                files::remove_tree(&folder)?;
            }
            Ok(())
        })
        .await
    }

    async fn loaded(&self) -> Result<(), LoadError> {
        let table = self.target.target_id;
        self.journal.append(&RestoreRecord::Loaded { table }).await?;
        info!(table = %self.table(), "table loaded");
        Ok(())
    }
}

/// The hidden tables of secondary indexes are built by Cassandra from what it loads.
fn drop_indexes(folder: &std::path::Path) -> Result<(), crate::files::FileError> {
    for index in sstables::index_folders(folder)? {
        files::remove_tree(&index)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
