//! A backup as far as retention depends on it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{BackupName, BackupPin, BackupState, BackupSummary, Covers, VerifyLevel};
use serde::{Deserialize, Serialize};

/// A backup, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Unique within its cluster.
    pub name: BackupName,
    /// The full backup that a differential builds on.
    pub base: Option<BackupName>,
    /// The backups that its files descend from by copies inside the store; they need not be in the list.
    pub copied_from: BTreeSet<BackupName>,
    /// It holds what was written before.
    pub started_at: Timestamp,
    /// When the task that made it was created, by another clock; none if that is not known.
    pub task_created_at: Option<Timestamp>,
    /// What it is worth by itself, without regard to what it shares files with.
    pub standing: Standing,
    /// What is in it. None if it is not known: then it is kept, and stands in for no other.
    pub covers: Option<Covers>,
    /// When verifying it has found damage, in its own files or in those of its base.
    pub damage_found_at: Option<Timestamp>,
    /// The deepest level at which it was found; none: not known.
    pub damage_level: Option<VerifyLevel>,
    /// When it was last read as a whole, files of its base included, at whichever level, if nothing was found.
    pub read_clean_at: Option<Timestamp>,
    /// The same at the level that decodes rows.
    pub sstables_clean_at: Option<Timestamp>,
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
    /// Complete, but damage was found in files that it may share, or by one verification and not by a later one.
    Suspect,
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
        // An older catalog does not say when.
        let found_at = summary.damage_found_at.unwrap_or(Timestamp::MAX);
        let found_at = (summary.damage_found > 0).then_some(found_at);
        let is_disputed = found_at.is_some() && summary.read_clean_at > found_at;
        let standing = match (summary.state, summary.started_at) {
            (Some(BackupState::Deleting), _) => Standing::Deleting,
            (None, _) | (_, None) | (Some(BackupState::Unreadable), _) => Standing::Unreadable,
            (Some(BackupState::Complete), _) if is_disputed => Standing::Suspect,
            (Some(BackupState::Complete), _)
                if found_at.is_some() || summary.damaged_sstables > 0 =>
            {
                Standing::Damaged
            }
            (Some(BackupState::Complete), _) => Standing::Good,
            (Some(BackupState::Running), _) => Standing::Running,
            (Some(BackupState::Failed), _) => Standing::Failed,
        };
        let by_people = summary.pins.iter().filter_map(Pin::by_people);
        Self {
            name: summary.backup.name.clone(),
            base: summary.base.clone(),
            copied_from: summary.copied_from.clone(),
            started_at: summary.started_at.unwrap_or(Timestamp::MIN),
            task_created_at: summary.task.and_then(|task| task.created_at()),
            standing,
            covers: summary.covers.clone(),
            damage_found_at: found_at,
            damage_level: summary.damage_level,
            read_clean_at: summary.read_clean_at,
            sstables_clean_at: summary.sstables_clean_at,
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

    /// Whether it is in force at a time that is certain to have come.
    pub fn is_in_force(&self, certain: Timestamp) -> bool {
        self.until.is_none_or(|until| certain < until)
    }
}
