//! Maintenance of nodes: the commands, and which arguments each of them has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Selection, nearest};

/// Threads that one command may use on a node; more is a mistake.
const JOBS_MAX: u32 = 1_000;
/// Cassandra allows a repair no more.
const REPAIR_JOBS_MAX: u32 = 4;
/// Longer than any token or name.
const WORD_BYTES_MAX: usize = 200;

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

/// A command with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceJob {
    pub command: MaintenanceCommand,
    /// Everything: every table of every keyspace that the command makes sense for.
    pub selection: Selection,
    pub args: MaintenanceArgs,
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

impl MaintenanceJob {
    /// A command without arguments on everything.
    pub fn new(command: MaintenanceCommand) -> Self {
        Self {
            command,
            selection: Selection::default(),
            args: MaintenanceArgs::default(),
        }
    }

    /// Everything that is wrong with it; nothing if it can be run.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.foreign_arguments();
        problems.extend(self.selection_problems());
        problems.extend(self.value_problems());
        problems
    }

    fn foreign_arguments(&self) -> Vec<String> {
        let command = self.command;
        let given = self.args.given().into_iter();
        let foreign = given.filter(|name| !command.arguments().contains(name));
        foreign
            .map(|name| {
                let mut others = MaintenanceCommand::ALL.iter();
                let of = others.find(|(other, _)| other.arguments().contains(&name));
                let of = of.map(|(_, word)| format!("; it is one of {word}"));
                format!(
                    "`{name}` is no argument of {command}{}",
                    of.unwrap_or_default()
                )
            })
            .collect()
    }

    fn selection_problems(&self) -> Vec<String> {
        let (command, selection) = (self.command, &self.selection);
        let mut problems = Vec::new();
        if !command.takes_keyspaces() && !selection.keyspaces.is_empty() {
            problems.push(format!("{command} takes no keyspaces"));
        }
        if !command.takes_tables() && !selection.tables.is_empty() {
            problems.push(format!("{command} takes no tables"));
        }
        if command == MaintenanceCommand::Refresh && selection.tables.is_empty() {
            problems.push("refresh needs the tables into whose folders SSTables were put".into());
        }
        let tables = selection.tables.iter();
        let names = tables.flat_map(|table| [&table.keyspace, &table.table]);
        for name in selection.keyspaces.iter().chain(names) {
            if !is_cassandra_name(name) {
                problems.push(format!("`{name}` is no name of a keyspace or table"));
            }
        }
        problems
    }

    fn value_problems(&self) -> Vec<String> {
        let (command, args) = (self.command, &self.args);
        let mut problems = Vec::new();
        let most = match command {
            MaintenanceCommand::Repair => REPAIR_JOBS_MAX,
            _ => JOBS_MAX,
        };
        if args.jobs.is_some_and(|jobs| jobs > most) {
            problems.push(format!("`jobs` of {command} is at most {most}"));
        }
        if command == MaintenanceCommand::Repair && args.jobs == Some(0) {
            problems.push("`jobs` of repair is at least 1".into());
        }
        if args.start_token.is_some() != args.end_token.is_some() {
            problems.push("`start_token` and `end_token` are given together".into());
        }
        if args.split_output && args.start_token.is_some() {
            problems.push("`split_output` is not given together with tokens".into());
        }
        for (name, token) in [
            ("start_token", &args.start_token),
            ("end_token", &args.end_token),
        ] {
            if token.as_ref().is_some_and(|token| !is_token(token)) {
                problems.push(format!("`{name}` is no token"));
            }
        }
        if command == MaintenanceCommand::Rebuild && args.source_datacenter.is_none() {
            problems.push("rebuild needs `source_datacenter`".into());
        }
        if args.source_datacenter.as_ref().is_some_and(|name| {
            name.is_empty() || name.starts_with('-') || name.len() > WORD_BYTES_MAX
        }) {
            problems.push("`source_datacenter` is no name of a datacenter".into());
        }
        problems
    }
}

/// As a user would ask for it on the command line.
impl fmt::Display for MaintenanceJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args = &self.args;
        write!(f, "{}", self.command)?;
        for keyspace in &self.selection.keyspaces {
            write!(f, " --keyspace {keyspace}")?;
        }
        for table in &self.selection.tables {
            write!(f, " --table {table}")?;
        }
        if let Some(jobs) = args.jobs {
            write!(f, " --jobs {jobs}")?;
        }
        for (flag, is_set) in [
            ("--no-validate", args.no_validate),
            ("--no-snapshot", args.no_snapshot),
            ("--skip-corrupted", args.skip_corrupted),
            ("--split-output", args.split_output),
        ] {
            if is_set {
                write!(f, " {flag}")?;
            }
        }
        for (flag, value) in [
            ("--start-token", &args.start_token),
            ("--end-token", &args.end_token),
            ("--source-datacenter", &args.source_datacenter),
        ] {
            if let Some(value) = value {
                write!(f, " {flag} {value}")?;
            }
        }
        match args.primary_range {
            None => Ok(()),
            Some(primary) => write!(f, " --primary-range {primary}"),
        }
    }
}

/// Cassandra's names are words, which also keeps them from being taken for options.
fn is_cassandra_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= WORD_BYTES_MAX && name.chars().all(is_word)
}

fn is_token(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_digit = |c: char| c.is_ascii_alphanumeric();
    !digits.is_empty() && token.len() <= WORD_BYTES_MAX && digits.chars().all(is_digit)
}

#[cfg(test)]
mod tests;
