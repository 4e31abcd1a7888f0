//! The journal of a restore on one node.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::manifest::StoredFile;
use model::{BackupRef, HostId, SourceShare, TableId};
use serde::{Deserialize, Serialize};

use super::TableTarget;
use crate::folders::Folders;
use crate::journal::{Journal, JournalError};

/// Where an SSTable of the backup goes on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    pub source: HostId,
    /// The table on this node.
    pub table: TableId,
    pub index: Option<String>,
    /// `<version>-<id>-<format>` in the backup.
    pub from: String,
    /// The same on this node: ids of several sources must not collide.
    pub to: String,
    /// The label of the data directory.
    pub directory: String,
}

/// What identifies an SSTable after Cassandra has taken it over and given it another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoadEvidence {
    /// Path of the Data component inside the staging folder of its data directory.
    pub staged: String,
    /// Kept by a rename and by a hard link.
    pub inode: u64,
    pub bytes: u64,
    /// What its Digest.crc32 holds; kept by a copy too.
    pub digest: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreRecord {
    /// What this restore is; a restore of the same name that is another is refused.
    Begun {
        backup: BackupRef,
        sources: Vec<HostId>,
        tables: Vec<TableTarget>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shares: Vec<SourceShare>,
    },
    Placed(Placement),
    /// A file is on disk, whole and checked.
    Fetched {
        /// Path inside the staging folder of its data directory, after the data directory's label.
        path: String,
        file: StoredFile,
    },
    /// What was wanted of an SSTable is on disk.
    Sliced {
        /// Of the SSTable's name, inside the staging folder of its data directory, after the data directory's label.
        path: String,
        /// Bytes by component; none where no partition was wanted.
        components: BTreeMap<String, u64>,
    },
    /// An SSTable of this table is taken whole, and may hold partitions that this node does not own.
    Uncut {
        table: TableId,
    },
    /// Everything is on disk.
    Staged {
        /// SSTables of each table, indexes not counted.
        sstables: BTreeMap<TableId, u64>,
    },
    /// Cassandra compacted this table by itself, and its compaction was switched off.
    CompactionOff {
        table: TableId,
    },
    CompactionOn {
        table: TableId,
    },
    /// Cassandra is about to load these.
    Loading {
        table: TableId,
        #[serde(rename = "witnesses")]
        evidence: Vec<LoadEvidence>,
    },
    /// These have been found live: Cassandra has them, whatever it makes of them later.
    Seen {
        table: TableId,
        /// By the path that they had in staging.
        sstables: Vec<String>,
    },
    /// All SSTables of the table have been seen live.
    Loaded {
        table: TableId,
    },
    /// A truncation record with this time is about to be written for the table.
    Marked {
        table: TableId,
        /// The record that was there before the first of them, as a blob of CQL.
        before: Option<String>,
        cutoff_ms: i64,
    },
    /// The table has the truncation record of before again, or keeps this one for good.
    Unmarked {
        table: TableId,
    },
    /// The table's old files are aside; what is live now is from staging.
    Aside {
        table: TableId,
        /// Old files that wait now; older releases have not counted them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<u64>,
    },
    /// The table's staged files are live.
    Swapped {
        table: TableId,
    },
    /// The restored files are aside, and the old ones are on their way back.
    RestoredAside {
        table: TableId,
    },
    /// The old files are live again.
    SwappedBack {
        table: TableId,
    },
}

/// What a restore is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    pub backup: BackupRef,
    pub sources: Vec<HostId>,
    pub tables: Vec<TableTarget>,
    pub shares: Vec<SourceShare>,
}

/// The truncation records of a table that this restore has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// What was there before the first of them.
    pub before: Option<String>,
    pub cutoffs_ms: BTreeSet<i64>,
}

/// The journal read back.
#[derive(Debug, Clone, Default)]
pub struct RestoreState {
    pub begun: Option<Begun>,
    pub placed: Vec<Placement>,
    pub fetched: HashMap<String, StoredFile>,
    pub sliced: BTreeMap<String, BTreeMap<String, u64>>,
    pub uncut: BTreeSet<TableId>,
    pub staged: Option<BTreeMap<TableId, u64>>,
    pub compaction_off: BTreeSet<TableId>,
    pub loading: HashMap<TableId, Vec<LoadEvidence>>,
    pub seen: HashMap<TableId, BTreeSet<String>>,
    pub loaded: BTreeSet<TableId>,
    pub marked: BTreeMap<TableId, Mark>,
    pub aside: BTreeSet<TableId>,
    pub old_files: BTreeMap<TableId, u64>,
    pub swapped: BTreeSet<TableId>,
    pub restored_aside: BTreeSet<TableId>,
    pub swapped_back: BTreeSet<TableId>,
}

impl RestoreState {
    pub async fn open(
        folders: &Folders,
        restore: &str,
    ) -> Result<(Journal<RestoreRecord>, Self), JournalError> {
        let (journal, records) = Journal::open(folders.restore_journal(restore)).await?;
        Ok((journal, Self::replay(records)))
    }

    pub fn replay(records: Vec<RestoreRecord>) -> Self {
        let mut state = Self::default();
        for record in records {
            state.apply(record);
        }
        state
    }

    fn apply(&mut self, record: RestoreRecord) {
        match record {
            RestoreRecord::Begun {
                backup,
                sources,
                tables,
                shares,
            } => {
                self.begun = Some(Begun {
                    backup,
                    sources,
                    tables,
                    shares,
                });
            }
            RestoreRecord::Placed(placement) => self.placed.push(placement),
            RestoreRecord::Fetched { path, file } => {
                self.fetched.insert(path, file);
            }
            RestoreRecord::Sliced { path, components } => {
                self.sliced.insert(path, components);
            }
            RestoreRecord::Uncut { table } => {
                self.uncut.insert(table);
            }
            RestoreRecord::Staged { sstables } => self.staged = Some(sstables),
            RestoreRecord::CompactionOff { table } => {
                self.compaction_off.insert(table);
            }
            RestoreRecord::CompactionOn { table } => {
                self.compaction_off.remove(&table);
            }
            RestoreRecord::Loading { table, evidence } => {
                self.loading.insert(table, evidence);
            }
            RestoreRecord::Seen { table, sstables } => {
                self.seen.entry(table).or_default().extend(sstables);
            }
            RestoreRecord::Loaded { table } => {
                self.loaded.insert(table);
            }
            RestoreRecord::Marked {
                table,
                before,
                cutoff_ms,
            } => {
                let mark = self.marked.entry(table).or_insert_with(|| Mark {
                    before,
                    cutoffs_ms: BTreeSet::new(),
                });
                mark.cutoffs_ms.insert(cutoff_ms);
            }
            RestoreRecord::Unmarked { table } => {
                self.marked.remove(&table);
            }
            RestoreRecord::Aside { table, files } => {
                self.aside.insert(table);
                if let Some(files) = files {
                    self.old_files.insert(table, files);
                }
            }
            RestoreRecord::RestoredAside { table } => {
                self.restored_aside.insert(table);
            }
            RestoreRecord::SwappedBack { table } => {
                self.swapped_back.insert(table);
            }
            RestoreRecord::Swapped { table } => {
                self.swapped.insert(table);
            }
        }
    }

    /// The SSTables of a table that are being loaded and were not found live yet.
    pub fn unseen(&self, table: &TableId) -> Vec<LoadEvidence> {
        let seen = self.seen.get(table);
        let is_seen = |path: &String| seen.is_some_and(|seen| seen.contains(path));
        let all = self.loading.get(table).into_iter().flatten();
        all.filter(|sstable| !is_seen(&sstable.staged))
            .cloned()
            .collect()
    }

    /// Whether staging of this table is over, because its files are live, or on their way there by a swap.
    pub fn is_past_staging(&self, table: &TableId) -> bool {
        self.loaded.contains(table) || self.aside.contains(table) || self.swapped.contains(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_before_there_were_shares_is_read() {
        let old = r#"{"begun":{"backup":{"cluster":"c","name":"b"},"sources":[],"tables":[]}}"#;
        let record: RestoreRecord = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), old);
        let begun = RestoreState::replay(vec![record]).begun.unwrap();
        assert!(begun.shares.is_empty());
    }

    #[test]
    fn a_table_that_keeps_its_name_is_written_as_before() {
        let id = "00000000-0000-0000-0000-000000000001";
        let old = format!(
            r#"{{"begun":{{"backup":{{"cluster":"c","name":"b"}},"sources":[],"tables":[{{"table":{{"keyspace":"ks","table":"t"}},"source_id":"{id}","target_id":"{id}"}}]}}}}"#
        );
        let record: RestoreRecord = serde_json::from_str(&old).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), old);
        let begun = RestoreState::replay(vec![record]).begun.unwrap();
        assert_eq!(begun.tables[0].in_backup(), &begun.tables[0].table);
    }

    #[test]
    fn a_journal_of_an_earlier_release_keeps_its_evidence_of_loading() {
        let old = r#"{"loading":{"table":"00000000-0000-0000-0000-000000000001","witnesses":[{"staged":"/s/nb-1-big-Data.db","inode":7,"bytes":3,"digest":"12"}]}}"#;
        let record: RestoreRecord = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), old);
        let state = RestoreState::replay(vec![record]);
        assert_eq!(state.loading.values().flatten().count(), 1);
    }
}
