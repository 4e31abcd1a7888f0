//! What decides when a task runs: its priority, what it waits for, and why it is paused.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TaskKind;
use crate::TaskId;

/// How soon a task gets its turn if several wait for one. The first is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Highest,
    High,
    Normal,
    Low,
    Lowest,
}

impl Priority {
    pub const ALL: [Self; 5] = [
        Self::Highest,
        Self::High,
        Self::Normal,
        Self::Low,
        Self::Lowest,
    ];

    /// The priority of a task for which none was asked: what brings data back, then what saves it, then what checks and
    /// maintains, then what deletes.
    pub fn of(kind: TaskKind) -> Self {
        match kind {
            TaskKind::Restore | TaskKind::Rollback => Self::High,
            TaskKind::Backup => Self::Normal,
            TaskKind::Verify | TaskKind::Maintenance | TaskKind::Accept => Self::Low,
            TaskKind::Delete | TaskKind::Retention | TaskKind::Collection => Self::Lowest,
        }
    }

    /// Its word in documents and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Highest => "highest",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Lowest => "lowest",
        }
    }

    /// 0 for the highest, and 1 more for each that is lower.
    pub fn rank(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a priority is one of highest, high, normal, low, lowest")]
pub struct NoPriority;

impl FromStr for Priority {
    type Err = NoPriority;

    fn from_str(text: &str) -> Result<Self, NoPriority> {
        let mut all = Self::ALL.into_iter();
        all.find(|priority| priority.as_str() == text)
            .ok_or(NoPriority)
    }
}

/// How a task that is started takes its place among the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueOptions {
    /// None: that of its kind.
    pub priority: Option<Priority>,
    /// Whether it waits if another task has its cluster. Otherwise it is refused.
    pub wait: bool,
}

/// What a task waits for that has not had its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub since: Timestamp,
    /// The task that has to end or to run first; none if it waits for one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TaskKind>,
    /// For people.
    pub why: String,
}

/// Why a task is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    pub since: Timestamp,
    /// For people.
    pub why: String,
    /// Whether the retries of a step ran out, and no user has asked for it.
    #[serde(default)]
    pub gave_up: bool,
    /// Whether its cluster stays closed to the tasks that it excludes.
    #[serde(default)]
    pub keeps_cluster: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_data_back_comes_before_what_saves_it_and_that_before_the_rest() {
        let kinds = [
            TaskKind::Restore,
            TaskKind::Backup,
            TaskKind::Verify,
            TaskKind::Collection,
        ];
        let ranks = kinds.map(|kind| Priority::of(kind).rank());
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    }

    #[test]
    fn a_priority_is_read_as_it_is_written() {
        for priority in Priority::ALL {
            assert_eq!(priority.as_str().parse(), Ok(priority));
        }
        assert_eq!("urgent".parse::<Priority>(), Err(NoPriority));
    }
}
