//! What lies in a table's live folders at one moment, and how many SSTables Cassandra must count for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cassandra_node::files::{self, FileError};

use crate::folders::Folders;
use crate::restore::TableTarget;
use crate::transactions::Transactions;

/// A table's own SSTables, and the transactions of Cassandra's that are at work there.
pub(super) struct Look {
    /// The Data components, those of indexes not included.
    files: BTreeSet<PathBuf>,
    /// Whether a transaction has its log there: then there are files that Cassandra rightly does not count.
    is_changing: bool,
    /// `<version>-<id>-<format>` of what a transaction adds or removes.
    named: BTreeSet<String>,
}

impl Look {
    pub fn take(folders: &Folders, target: &TableTarget) -> Result<Self, FileError> {
        // Logs first: they are written before the first file that they name, and deleted after the last.
        let live = folders.data.live_folders(&target.table, &target.target_id);
        let transactions = Transactions::read(&live)?;
        let files = folders.data.live_files(&target.table, &target.target_id)?;
        let own = files.into_iter().filter(|file| file.is_own_data());
        Ok(Self {
            files: own.map(|file| file.path).collect(),
            is_changing: transactions.are_at_work,
            named: transactions.named,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.is_changing
    }

    fn names(&self, data: &Path) -> bool {
        let sstable = files::name_of(data).strip_suffix("-Data.db");
        sstable.is_some_and(|sstable| self.named.contains(sstable))
    }
}

/// The SSTables that Cassandra must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// Nothing has changed around the count.
    Exactly(u64),
    /// Those that were there before and after the count, and that no transaction touches.
    AtLeast(u64),
}

impl OnDisk {
    pub fn between(before: &Look, after: &Look) -> Self {
        let is_quiet = !before.is_changing && !after.is_changing;
        if is_quiet && before.files == after.files {
            return Self::Exactly(after.files.len() as u64);
        }
        let settled = before.files.intersection(&after.files);
        let settled = settled.filter(|file| !before.names(file) && !after.names(file));
        Self::AtLeast(settled.count() as u64)
    }
}
