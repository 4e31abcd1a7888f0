//! What a task that applies retention or collects garbage has done.

use serde::{Deserialize, Serialize};

use crate::BackupName;

/// What a task that applies retention or collects garbage has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReport {
    /// In the order in which the backups go.
    pub entries: Vec<RetentionEntry>,
    /// Backups that stay by the last decision.
    pub kept: u64,
}

/// A backup that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionEntry {
    pub backup: BackupName,
    /// The schedule whose policy lets it go; empty: that of the cluster.
    #[serde(default)]
    pub schedule: String,
    /// Why it goes, for people.
    pub why: String,
    pub outcome: RetentionOutcome,
    /// Why it was refused, for people.
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub objects: u64,
    /// Freed in the store: 0 if it keeps versions.
    #[serde(default)]
    pub bytes: u64,
}

/// What became of a backup that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetentionOutcome {
    /// Its turn has not come, or it is deleted now.
    Pending,
    Deleted,
    /// Its deletion was refused: it stays.
    Refused,
    /// Another deletion was faster.
    Gone,
    /// A later decision has kept it.
    Kept,
}

impl RetentionOutcome {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deleted => "deleted",
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::Kept => "kept",
        }
    }
}

impl RetentionReport {
    /// How many came to this.
    pub fn count(&self, outcome: RetentionOutcome) -> u64 {
        let of = self.entries.iter().filter(|entry| entry.outcome == outcome);
        of.count() as u64
    }

    /// What the deletions have freed.
    pub fn freed_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }
}
