//! Controls Cassandra through nodetool.

mod login;
mod maintenance;
mod outcome;
mod stats;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use model::TableRef;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tracing::debug;

use super::gossip_text::gossip_addresses;
use super::hints::{FAILED_HINT, already_exists};
use super::{
    CassandraControl, ClientProtocol, ControlError, Maintenance, Operation, SnapshotScope,
    Unsettled, tables_by_keyspace,
};
use crate::config::masked;

pub use login::JmxLogin;

use outcome::{EXISTS_HINT, judge, last_lines, shown, timeout, unusable};
use words::{by_keyspace, not_running, word};

/// How many Java machines may run at a time only to ask for the mode: any caller of the agent can have one started.
const MODES_MAX: usize = 4;

/// nodetool with the arguments that it always needs.
pub struct Nodetool {
    program: Vec<String>,
    login: Option<JmxLogin>,
    timeout: Duration,
    modes: Semaphore,
}

impl Nodetool {
    /// `timeout` limits every command but those that rewrite SSTables.
    pub fn new(program: Vec<String>, timeout: Duration) -> Self {
        Self {
            program,
            login: None,
            timeout,
            modes: Semaphore::new(MODES_MAX),
        }
    }

    /// Logs in to JMX.
    pub fn with_login(mut self, login: Option<JmxLogin>) -> Self {
        self.login = login;
        self
    }

    async fn run(&self, arguments: &[&str]) -> Result<String, ControlError> {
        match tokio::time::timeout(self.timeout, self.run_without_limit(arguments)).await {
            Ok(result) => result,
            Err(_) => Err(timeout(arguments, self.timeout)),
        }
    }

    async fn run_without_limit(&self, arguments: &[&str]) -> Result<String, ControlError> {
        let (program, prefix) = self
            .program
            .split_first()
            .ok_or_else(|| unusable("the setting `nodetool` is empty".to_owned()))?;
        debug!(command = shown(arguments), "running nodetool");
        let output = Command::new(program)
            .args(prefix)
            .args(self.login.iter().flat_map(JmxLogin::options))
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| {
                let program = masked::masked(std::slice::from_ref(program)).join(" ");
                unusable(format!("could not run `{program}`: {error}"))
            })?;
        if output.status.success() {
            judge(arguments, &output)
        } else {
            judge(arguments, &self.without_passwords(output))
        }
    }

    /// What a failed command has printed, which may repeat its arguments.
    fn without_passwords(&self, output: Output) -> Output {
        let mut passwords = masked::passwords(&self.program);
        let jmx = self.login.iter().map(|login| login.password().expose());
        passwords.extend(jmx.map(str::to_owned));
        passwords.retain(|password| !password.is_empty());
        let hide = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let hidden = passwords
                .iter()
                .fold(text, |text, password| text.replace(password, "***"));
            hidden.into_bytes()
        };
        Output {
            status: output.status,
            stdout: hide(output.stdout),
            stderr: hide(output.stderr),
        }
    }
}

#[async_trait]
impl CassandraControl for Nodetool {
    async fn mode(&self) -> Result<String, ControlError> {
        let _permit = self.modes.acquire().await.expect("it is never closed");
        let output = self.run(&["netstats"]).await?;
        let mode = output
            .lines()
            .find_map(|line| line.trim().strip_prefix("Mode:"));
        Ok(mode.unwrap_or("unknown").trim().to_owned())
    }

    async fn host_id(&self) -> Result<String, ControlError> {
        let output = self.run(&["info"]).await?;
        let id = output.lines().find_map(|line| {
            let (label, id) = line.split_once(':')?;
            (label.trim() == "ID").then(|| id.trim().to_owned())
        });
        id.ok_or_else(|| ControlError::Failed {
            operation: shown(&["info"]),
            why: format!("an output without an ID: {}", last_lines(&output)),
            hint: FAILED_HINT,
        })
    }

    async fn gossip_addresses(&self) -> Result<BTreeSet<IpAddr>, ControlError> {
        let output = self.run(&["gossipinfo"]).await?;
        Ok(gossip_addresses(&output))
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
            Err(ControlError::Failed { why, .. }) if already_exists(&why) => {
                Err(ControlError::SnapshotExists {
                    tag: tag.to_owned(),
                    hint: EXISTS_HINT,
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
                // 5.0 also lists the tables of indexes.
                Ok(output) => off.extend(
                    (output.lines().filter_map(not_running)).filter(|off| tables.contains(off)),
                ),
                // 3.11 has no such command and prints its usage.
                Err(ControlError::Failed { .. } | ControlError::Unsupported { .. }) => {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(off)
    }

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError> {
        let command = if on {
            "enableautocompaction"
        } else {
            "disableautocompaction"
        };
        for arguments in by_keyspace(&[command], tables) {
            self.run(&arguments).await?;
        }
        Ok(())
    }

    async fn operations(&self) -> Result<Vec<Operation>, ControlError> {
        let output = self.run(&["compactionstats"]).await?;
        Ok(output.lines().filter_map(stats::operation).collect())
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
            let output = self.run(&arguments).await?;
            let found = stats::sstable_counts(&output);
            for table in tables {
                let count = found.get(table).ok_or_else(|| ControlError::Failed {
                    operation: shown(&arguments),
                    why: format!(
                        "an output without `SSTable count` of `{table}`: {}",
                        last_lines(&output)
                    ),
                    hint: FAILED_HINT,
                })?;
                counts.insert(table.clone(), *count);
            }
        }
        Ok(counts)
    }

    async fn drain(&self) -> Result<(), ControlError> {
        self.run(&["drain"]).await.map(drop)
    }

    async fn serves_clients(&self, protocol: ClientProtocol) -> Result<bool, ControlError> {
        let command = format!("status{}", word(protocol));
        match self.run(&[&command]).await {
            Ok(output) => Ok(output.trim() == "running"),
            // From 4.0 on there is no such command, and nodetool prints its usage.
            Err(ControlError::Failed { .. } | ControlError::Unsupported { .. })
                if protocol == ClientProtocol::Thrift =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn set_clients(
        &self,
        protocol: ClientProtocol,
        served: bool,
    ) -> Result<(), ControlError> {
        let verb = if served { "enable" } else { "disable" };
        let command = format!("{verb}{}", word(protocol));
        self.run(&[&command]).await.map(drop)
    }

    async fn upgrade_sstables(&self, table: &TableRef, all: bool) -> Result<(), ControlError> {
        let mut arguments = vec!["upgradesstables"];
        if all {
            arguments.push("-a");
        }
        arguments.extend(["--", &table.keyspace, &table.table]);
        self.run_without_limit(&arguments).await.map(drop)
    }

    async fn maintain(&self, operation: &Maintenance) -> Result<(), ControlError> {
        if matches!(operation, Maintenance::Repair { .. }) {
            let pools = self.run(&["tpstats"]).await?;
            maintenance::check_no_repair(operation, &pools)?;
        }
        let arguments = maintenance::arguments(operation);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = self.run_without_limit(&arguments).await;
        maintenance::judge(operation, &arguments, ended)
    }

    async fn unsettled(&self) -> Result<Unsettled, ControlError> {
        let output = self.run(&["status"]).await?;
        maintenance::unsettled(&output).ok_or_else(|| ControlError::Failed {
            operation: shown(&["status"]),
            why: format!("an output without any node: {}", last_lines(&output)),
            hint: FAILED_HINT,
        })
    }
}

#[cfg(test)]
mod tests;
