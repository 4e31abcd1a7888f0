//! Drives Cassandra through nodetool.

mod stats;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use model::TableRef;
use tokio::process::Command;
use tracing::debug;

use crate::control::{CassandraControl, ControlError, SnapshotScope};

/// The last lines of a failed command that are worth repeating.
const SAID_LINES: usize = 5;
/// What nodetool says where nobody listens on JMX, in the words of all release lines.
const DOWN_WORDS: &[&str] = &[
    "Connection refused",
    "ConnectException",
    "Failed to connect to",
    "No route to host",
    "Connection reset",
];

/// What `nodetool snapshot` prints, on all release lines, for a tag that exists or that another command is just taking.
const EXISTS_WORDS: &[&str] = &["already exists", "duplicate hard link"];

/// nodetool with the arguments that it always needs.
pub struct Nodetool {
    program: Vec<String>,
    timeout: Duration,
}

impl Nodetool {
    pub fn new(program: Vec<String>, timeout: Duration) -> Self {
        Self { program, timeout }
    }

    async fn run(&self, arguments: &[&str]) -> Result<String, ControlError> {
        let seconds = self.timeout.as_secs();
        match tokio::time::timeout(self.timeout, self.run_without_limit(arguments)).await {
            Ok(result) => result,
            Err(_) => Err(ControlError::Timeout {
                command: shown(arguments),
                seconds,
            }),
        }
    }

    async fn run_without_limit(&self, arguments: &[&str]) -> Result<String, ControlError> {
        let (program, prefix) = self.program.split_first().ok_or(ControlError::Program {
            program: "nodetool".to_owned(),
            why: "the setting `nodetool` is empty".to_owned(),
        })?;
        debug!(command = shown(arguments), "running nodetool");
        let output = Command::new(program)
            .args(prefix)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| ControlError::Program {
                program: program.clone(),
                why: error.to_string(),
            })?;
        judge(arguments, &output)
    }
}

/// nodetool's arguments without its prefix, which may hold a password.
fn shown(arguments: &[&str]) -> String {
    format!("nodetool {}", arguments.join(" "))
}

fn judge(arguments: &[&str], output: &Output) -> Result<String, ControlError> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Some commands complain on stdout.
    let said = match last_lines(&stderr) {
        said if said.is_empty() => last_lines(&stdout),
        said => said,
    };
    let command = shown(arguments);
    if DOWN_WORDS.iter().any(|words| said.contains(words)) {
        return Err(ControlError::Down { command, said });
    }
    Err(ControlError::Failed {
        command,
        status: output.status.to_string(),
        said,
    })
}

/// The command with the tables of one keyspace at a time, as nodetool wants them.
fn by_keyspace<'a>(command: &[&'a str], tables: &'a [TableRef]) -> Vec<Vec<&'a str>> {
    tables_by_keyspace(tables)
        .into_iter()
        .map(|(keyspace, tables)| {
            let names: Vec<&str> = tables.iter().map(|table| table.table.as_str()).collect();
            [command, &["--", keyspace], &names].concat()
        })
        .collect()
}

fn tables_by_keyspace(tables: &[TableRef]) -> BTreeMap<&str, Vec<&TableRef>> {
    let mut keyspaces: BTreeMap<&str, Vec<&TableRef>> = BTreeMap::new();
    for table in tables {
        keyspaces.entry(&table.keyspace).or_default().push(table);
    }
    keyspaces
}

/// Reads `<keyspace> <table> not running`.
fn not_running(line: &str) -> Option<TableRef> {
    let mut words = line
        .trim_end()
        .strip_suffix("not running")?
        .split_whitespace();
    Some(TableRef::new(words.next()?, words.next()?))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        // A Java stack trace says where in Cassandra; its first line said what.
        .filter(|line| !line.is_empty() && !line.starts_with("at ") && *line != "-- StackTrace --")
        .collect();
    lines[lines.len().saturating_sub(SAID_LINES)..].join("; ")
}

#[async_trait]
impl CassandraControl for Nodetool {
    async fn mode(&self) -> Result<String, ControlError> {
        let said = self.run(&["netstats"]).await?;
        let mode = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("Mode:"));
        Ok(mode.unwrap_or("unknown").trim().to_owned())
    }

    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError> {
        let mut arguments = vec!["snapshot", "-t", tag];
        let list;
        match scope {
            SnapshotScope::Keyspaces(keyspaces) => {
                arguments.push("--");
                arguments.extend(keyspaces.iter().map(String::as_str));
            }
            SnapshotScope::Tables(tables) => {
                list = tables
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                arguments.extend(["-kt", &list]);
            }
        }
        match self.run(&arguments).await {
            Err(ControlError::Failed { said, .. })
                if EXISTS_WORDS.iter().any(|words| said.contains(words)) =>
            {
                Err(ControlError::SnapshotExists {
                    tag: tag.to_owned(),
                })
            }
            ended => ended.map(drop),
        }
    }

    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError> {
        self.run(&["clearsnapshot", "-t", tag]).await.map(drop)
    }

    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError> {
        let folders: Vec<_> = folders
            .iter()
            .map(|folder| folder.to_string_lossy())
            .collect();
        let mut arguments = vec!["import"];
        // Tokens are checked where they can be: a plan that sends foreign partitions is wrong, and the node is the last to
        // notice.
        if !check_tokens {
            arguments.push("--no-tokens");
        }
        arguments.extend(["--", &table.keyspace, &table.table]);
        arguments.extend(folders.iter().map(|folder| folder.as_ref()));
        self.run(&arguments).await.map(drop)
    }

    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError> {
        self.run(&["refresh", "--", &table.keyspace, &table.table])
            .await
            .map(drop)
    }

    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError> {
        let mut off = Vec::new();
        for arguments in by_keyspace(&["statusautocompaction", "-a"], tables) {
            match self.run(&arguments).await {
                Ok(said) => off.extend(said.lines().filter_map(not_running)),
                // 3.11 has no such command and says so with its usage.
                Err(ControlError::Failed { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(off)
    }

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError> {
        let order = if on {
            "enableautocompaction"
        } else {
            "disableautocompaction"
        };
        for arguments in by_keyspace(&[order], tables) {
            self.run(&arguments).await?;
        }
        Ok(())
    }

    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError> {
        let mut counts = BTreeMap::new();
        // One call for each keyspace: nodetool takes seconds to start.
        for tables in tables_by_keyspace(tables).into_values() {
            let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
            let arguments: Vec<&str> = ["tablestats", "--"]
                .into_iter()
                .chain(names.iter().map(String::as_str))
                .collect();
            let said = self.run(&arguments).await?;
            let found = stats::sstable_counts(&said);
            for table in tables {
                let count = found.get(table).ok_or_else(|| ControlError::Failed {
                    command: shown(&arguments),
                    status: format!("an output without `SSTable count` of `{table}`"),
                    said: last_lines(&said),
                })?;
                counts.insert(table.clone(), *count);
            }
        }
        Ok(counts)
    }

    async fn drain(&self) -> Result<(), ControlError> {
        self.run(&["drain"]).await.map(drop)
    }

    async fn upgrade_sstables(&self, table: &TableRef) -> Result<(), ControlError> {
        let arguments = ["upgradesstables", "--", &table.keyspace, &table.table];
        self.run_without_limit(&arguments).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
