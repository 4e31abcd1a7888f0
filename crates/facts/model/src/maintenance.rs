//! Maintenance of nodes: the commands, and which arguments each of them has.

mod job;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::nearest;

pub use job::MaintenanceJob;

/// What is done on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaintenanceCommand {
    /// Rewrites SSTables of older formats, until none is left.
    UpgradeSstables,
    /// Drops what the node does not own.
    Cleanup,
    /// Rewrites SSTables and leaves out what cannot be read.
    Scrub,
    /// Compacts all SSTables of a table.
    Compact,
    /// Writes memtables to disk.
    Flush,
    /// Drops deleted rows from SSTables.
    GarbageCollect,
    /// Streams what the node owns from another datacenter.
    Rebuild,
    /// Loads SSTables that were put into a table's folder.
    Refresh,
    /// Compares replicas in full and makes them equal.
    Repair,
    /// Drains, stops and starts Cassandra.
    Restart,
}

/// A word that names no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no command `{word}`{}; the commands are {}", did_you_mean(*meant), words())]
pub struct UnknownCommand {
    pub word: String,
    /// The command that was probably meant.
    pub meant: Option<&'static str>,
}

fn did_you_mean(meant: Option<&str>) -> String {
    let question = |meant| format!(" (did you mean `{meant}`?)");
    meant.map(question).unwrap_or_default()
}

fn words() -> String {
    let words = MaintenanceCommand::ALL.map(|(_, word)| word);
    words.join(", ")
}

/// The arguments of a command beside its tables. Which command has which is said by [`MaintenanceJob::problems`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaintenanceArgs {
    /// Threads on the node; 0: as many as Cassandra compacts with.
    pub jobs: Option<u32>,
    /// Of scrub: columns are not validated.
    pub no_validate: bool,
    /// Of scrub: no snapshot is taken before.
    pub no_snapshot: bool,
    /// Of scrub: corrupted partitions are left out also of counter tables.
    pub skip_corrupted: bool,
    /// Of compact: the result is not one large SSTable.
    pub split_output: bool,
    /// Of compact: only SSTables from this token on; together with `end_token`.
    pub start_token: Option<String>,
    pub end_token: Option<String>,
    /// Of rebuild: the datacenter that data is streamed from.
    pub source_datacenter: Option<String>,
    /// Of repair: only the ranges of which the node is the first replica. None: decided by which nodes are repaired.
    pub primary_range: Option<bool>,
}

impl MaintenanceCommand {
    /// All of them, with their words.
    pub const ALL: [(Self, &str); 10] = [
        (Self::UpgradeSstables, "upgradesstables"),
        (Self::Cleanup, "cleanup"),
        (Self::Scrub, "scrub"),
        (Self::Compact, "compact"),
        (Self::Flush, "flush"),
        (Self::GarbageCollect, "garbagecollect"),
        (Self::Rebuild, "rebuild"),
        (Self::Refresh, "refresh"),
        (Self::Repair, "repair"),
        (Self::Restart, "restart"),
    ];

    pub fn as_str(self) -> &'static str {
        let known = Self::ALL.iter().find(|(command, _)| *command == self);
        known
            .map(|(_, word)| *word)
            .expect("every command is in the list")
    }

    /// The arguments that it has, by their names in documents.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::UpgradeSstables | Self::Cleanup | Self::GarbageCollect => &["jobs"],
            Self::Scrub => &["jobs", "no_validate", "no_snapshot", "skip_corrupted"],
            Self::Compact => &["split_output", "start_token", "end_token"],
            Self::Rebuild => &["source_datacenter"],
            Self::Repair => &["jobs", "primary_range"],
            Self::Flush | Self::Refresh | Self::Restart => &[],
        }
    }

    fn takes_keyspaces(self) -> bool {
        !matches!(self, Self::Refresh | Self::Restart)
    }

    fn takes_tables(self) -> bool {
        !matches!(self, Self::Rebuild | Self::Restart)
    }
}

impl fmt::Display for MaintenanceCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MaintenanceCommand {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let known = Self::ALL.iter().find(|(_, word)| *word == text);
        known
            .map(|(command, _)| *command)
            .ok_or_else(|| UnknownCommand {
                word: text.to_owned(),
                meant: nearest(text, Self::ALL.map(|(_, word)| word)),
            })
    }
}

impl MaintenanceArgs {
    /// The arguments that are given, by their names in documents.
    fn given(&self) -> Vec<&'static str> {
        let given = [
            ("jobs", self.jobs.is_some()),
            ("no_validate", self.no_validate),
            ("no_snapshot", self.no_snapshot),
            ("skip_corrupted", self.skip_corrupted),
            ("split_output", self.split_output),
            ("start_token", self.start_token.is_some()),
            ("end_token", self.end_token.is_some()),
            ("source_datacenter", self.source_datacenter.is_some()),
            ("primary_range", self.primary_range.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests;
