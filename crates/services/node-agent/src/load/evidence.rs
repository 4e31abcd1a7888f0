//! Tells SSTables that Cassandra has compacted since they went live from those that it has lost.
//!
//! Both are neither in staging nor live. Only an SSTable that was once found live may be called compacted, so each is
//! written down when it is found. All others are an error, on every try.

use std::collections::BTreeSet;

use tracing::warn;

use super::{LoadError, Loading, witness};
use crate::files::blocking;
use crate::restore::{RestoreRecord, RestoreState, Witness};

/// What is known of one table's SSTables while they are loaded. They are named by the path that they had in staging.
pub(super) struct Evidence<'a> {
    loading: &'a Loading<'a>,
    /// All SSTables of the table.
    witnesses: Vec<Witness>,
    /// In staging when this try began.
    staged: BTreeSet<String>,
    /// Found live, by this try or an earlier one.
    seen: BTreeSet<String>,
}

impl<'a> Evidence<'a> {
    pub fn new(
        loading: &'a Loading<'a>,
        state: &RestoreState,
        staged: Vec<Witness>,
        witnesses: Vec<Witness>,
    ) -> Self {
        let seen = state.seen.get(&loading.target.target_id);
        Self {
            loading,
            witnesses,
            staged: staged.into_iter().map(|witness| witness.staged).collect(),
            seen: seen.cloned().unwrap_or_default(),
        }
    }

    /// Refuses what earlier tries have lost, before Cassandra is told anything.
    pub async fn check_earlier(&self) -> Result<(), LoadError> {
        let gone = self.not_live().await?;
        self.refuse(gone, |sstable| !self.staged.contains(sstable))
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
        let gone: BTreeSet<String> = gone.into_iter().map(|witness| witness.staged).collect();
        let all = self.witnesses.iter().map(|witness| &witness.staged);
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

    async fn not_live(&self) -> Result<Vec<Witness>, LoadError> {
        let folders = self.loading.agent.folders.clone();
        let (target, all) = (self.loading.target.clone(), self.witnesses.clone());
        blocking(move || witness::not_live(&folders, &target, all)).await
    }

    fn refuse(
        &self,
        gone: Vec<Witness>,
        is_lost: impl Fn(&String) -> bool,
    ) -> Result<(), LoadError> {
        let files: Vec<String> = gone
            .into_iter()
            .map(|witness| witness.staged)
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
