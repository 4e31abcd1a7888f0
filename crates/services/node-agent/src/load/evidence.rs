//! Distinguishes SSTables that Cassandra has compacted since they went live from those that it has lost.
//!
//! Both are neither in staging nor live. Only an SSTable that was once found live may be called compacted, so each is
//! written down when it is found. All others are an error, on every try.

use std::collections::BTreeSet;

use cassandra_node::files::blocking;
use tracing::warn;

use super::{LoadError, Loading, recognise};
use crate::restore::{LoadEvidence, RestoreRecord, RestoreState};

/// What is known of one table's SSTables while they are loaded. They are named by the path that they had in staging.
pub(super) struct TableEvidence<'a> {
    loading: &'a Loading<'a>,
    /// All SSTables of the table.
    all: Vec<LoadEvidence>,
    /// Whole in staging when this try began.
    staged: BTreeSet<String>,
    /// Found live, by this try or an earlier one.
    seen: BTreeSet<String>,
}

impl<'a> TableEvidence<'a> {
    pub fn new(
        loading: &'a Loading<'a>,
        state: &RestoreState,
        staged: Vec<LoadEvidence>,
        all: Vec<LoadEvidence>,
    ) -> Self {
        let seen = state.seen.get(&loading.target.target_id);
        Self {
            loading,
            all,
            staged: staged.into_iter().map(|sstable| sstable.staged).collect(),
            seen: seen.cloned().unwrap_or_default(),
        }
    }

    /// Refuses what earlier tries have lost, before anything is asked of Cassandra.
    pub async fn check_earlier(&self) -> Result<(), LoadError> {
        let gone = self.not_live().await?;
        self.refuse(gone, |sstable| !self.staged.contains(sstable))
    }

    /// Refuses what Cassandra has taken in part, when it was killed: the rest of it in staging will never load.
    pub async fn check_taken_in_part(&mut self) -> Result<(), LoadError> {
        let staged = self.loading.staged().await?;
        self.staged = staged.into_iter().map(|sstable| sstable.staged).collect();
        self.check_earlier().await
    }

    /// Refuses what is not live now, unless it was found live before.
    pub async fn check_all(&self) -> Result<(), LoadError> {
        let gone = self.not_live().await?;
        let compacted = gone.iter().filter(|w| self.seen.contains(&w.staged));
        let compacted = compacted.count();
        self.refuse(gone, |_| true)?;
        if compacted > 0 {
            // Cassandra has been restarted since an earlier try, or that try has ended: both turn compaction on again.
            warn!(
                table = %self.loading.table(),
                sstables = compacted,
                "SSTables of an earlier try have been compacted since"
            );
        }
        Ok(())
    }

    /// Writes down which SSTables are live now, before anything depends on it.
    pub async fn note_live(&mut self) -> Result<(), LoadError> {
        let gone = self.not_live().await?;
        let gone: BTreeSet<String> = gone.into_iter().map(|sstable| sstable.staged).collect();
        let all = self.all.iter().map(|witness| &witness.staged);
        let news: Vec<String> = all
            .filter(|sstable| !gone.contains(*sstable) && !self.seen.contains(*sstable))
            .cloned()
            .collect();
        if news.is_empty() {
            return Ok(());
        }
        let record = RestoreRecord::Seen {
            table: self.loading.target.target_id,
            sstables: news.clone(),
        };
        self.loading.journal.append(&record).await?;
        self.seen.extend(news);
        Ok(())
    }

    async fn not_live(&self) -> Result<Vec<LoadEvidence>, LoadError> {
        let folders = self.loading.agent.folders.clone();
        let (target, all) = (self.loading.target.clone(), self.all.clone());
        Ok(blocking(move || recognise::not_live(&folders, &target, all)).await?)
    }

    fn refuse(
        &self,
        gone: Vec<LoadEvidence>,
        is_lost: impl Fn(&String) -> bool,
    ) -> Result<(), LoadError> {
        let files: Vec<String> = gone
            .into_iter()
            .map(|sstable| sstable.staged)
            .filter(|sstable| !self.seen.contains(sstable) && is_lost(sstable))
            .collect();
        if files.is_empty() {
            return Ok(());
        }
        Err(LoadError::NotTaken {
            table: self.loading.table().clone(),
            files,
        })
    }
}
