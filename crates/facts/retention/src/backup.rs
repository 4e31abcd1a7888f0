//! A backup as far as retention depends on it.

use jiff::Timestamp;
use model::BackupName;
use serde::{Deserialize, Serialize};

/// A backup, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Unique within its cluster.
    pub name: BackupName,
    /// The full backup that a differential builds on.
    pub base: Option<BackupName>,
    /// It holds what was written before.
    pub started_at: Timestamp,
    /// What it is worth.
    pub standing: Standing,
    /// Absent unless someone pinned it.
    pub pin: Option<Pin>,
    /// Whether a task reads it or builds on it now.
    pub in_use: bool,
    /// Whether the policy is about it. One of another schedule is not, but what it builds on is kept all the same.
    pub in_scope: bool,
}

/// What a backup is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Complete, and no verification found damage.
    Good,
    /// Complete, but a verification found damage.
    Damaged,
    /// It has not ended.
    Running,
    /// It ended without being complete.
    Failed,
    /// Its documents cannot be read, so it is not known what it is worth.
    Unreadable,
}

/// A wish of someone to keep a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// For people.
    pub reason: String,
    /// When it ends by itself; absent if it does not.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Pin {
    /// Whether it is in force.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
