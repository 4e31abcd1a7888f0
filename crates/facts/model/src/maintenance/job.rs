//! A maintenance job: a command with what it is about, and everything that can be wrong with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MaintenanceArgs, MaintenanceCommand};
use crate::Selection;

/// Threads that one command may use on a node; more is a mistake.
const JOBS_MAX: u32 = 1_000;
/// Cassandra allows a repair no more.
const REPAIR_JOBS_MAX: u32 = 4;
/// Longer than any token or name.
const WORD_BYTES_MAX: usize = 200;

/// A command with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceJob {
    pub command: MaintenanceCommand,
    /// Everything: every table of every keyspace that the command makes sense for.
    pub selection: Selection,
    pub args: MaintenanceArgs,
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
