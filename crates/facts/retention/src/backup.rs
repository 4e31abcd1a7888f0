//! A backup as far as retention depends on it.

use jiff::Timestamp;
use model::{BackupName, BackupPin, BackupState, BackupSummary};
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
    /// Its deletion has begun: that is finished by deleting it again, or is taken back.
    Deleting,
}

impl From<&BackupSummary> for Backup {
    /// A backup as the catalog lists it. One without a start cannot be dated, and so cannot be judged.
    fn from(summary: &BackupSummary) -> Self {
        let is_damaged = summary.damage_found > 0 || summary.damaged_sstables > 0;
        let standing = match (summary.state, summary.started_at) {
            (Some(BackupState::Deleting), _) => Standing::Deleting,
            (None, _) | (_, None) | (Some(BackupState::Unreadable), _) => Standing::Unreadable,
            (Some(BackupState::Complete), _) if is_damaged => Standing::Damaged,
            (Some(BackupState::Complete), _) => Standing::Good,
            (Some(BackupState::Running), _) => Standing::Running,
            (Some(BackupState::Failed), _) => Standing::Failed,
        };
        let by_people = summary.pins.iter().filter_map(Pin::by_people);
        Self {
            name: summary.backup.name.clone(),
            base: summary.base.clone(),
            started_at: summary.started_at.unwrap_or(Timestamp::MIN),
            standing,
            // Of several, the one that holds longest.
            pin: by_people.max_by_key(|pin| pin.until.unwrap_or(Timestamp::MAX)),
            in_use: summary.pins.iter().any(|pin| pin.reason.is_none()),
            in_scope: true,
        }
    }
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
    fn by_people(pin: &BackupPin) -> Option<Self> {
        Some(Self {
            reason: pin.reason.clone()?,
            until: pin.until,
        })
    }

    /// Whether it is in force.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
