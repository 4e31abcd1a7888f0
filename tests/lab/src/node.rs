//! One Cassandra node: where it listens, where its files are, and how to drive it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::process::Process;
use crate::tools;

/// A node, as `cluster.json` records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// `n1` and on.
    pub name: String,
    pub address: IpAddr,
    pub native_port: u16,
    /// On 127.0.0.1, not on the node's own address.
    pub jmx_port: u16,
    pub datacenter: String,
    pub rack: String,
    pub tokens: Vec<i64>,
    /// Holds all that belongs to the node: `bin`, `conf`, `data…`, `commitlog`, `logs`, `run`.
    pub dir: PathBuf,
    pub data_dirs: Vec<PathBuf>,
    /// Its `cassandra.yaml`.
    pub config: PathBuf,
    /// Its `system.log`.
    pub log_file: PathBuf,
}

impl Node {
    /// Where CQL is spoken.
    pub fn cql(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.native_port)
    }

    /// One of the node's scripts: `nodetool`, `start`, `stop` or `sstable-tool`.
    pub fn script(&self, name: &str) -> PathBuf {
        self.dir.join("bin").join(name)
    }

    /// Runs nodetool and returns what it printed.
    pub async fn nodetool(&self, arguments: &[&str]) -> Result<String> {
        self.run_script("nodetool", arguments).await
    }

    /// Runs a class of `org.apache.cassandra.tools` and returns what it printed.
    pub async fn sstable_tool(&self, class: &str, arguments: &[&str]) -> Result<String> {
        let arguments: Vec<&str> = [class]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.run_script("sstable-tool", &arguments).await
    }

    /// Starts the node unless it runs, and waits until it listens for CQL.
    pub async fn start(&self) -> Result<()> {
        self.run_script("start", &[]).await.map(drop)
    }

    /// Starts a node that was killed in the middle of a change of its schema, and refuses to start for that. What is left of
    /// a table that was being dropped is ignored until it is dropped again.
    pub async fn start_ignoring_broken_tables(&self) -> Result<()> {
        let mut start = self.command("start");
        start.env(
            "JAVA_TOOL_OPTIONS",
            "-Dcassandra.ignore_corrupted_schema_tables=true",
        );
        self.run(start, "start").await.map(drop)
    }

    /// Ends the node and waits until it is gone.
    pub async fn stop(&self) -> Result<()> {
        self.run_script("stop", &[]).await.map(drop)
    }

    /// Kills the node at once, as a power cut would.
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// The running server.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.dir.join("run/pid")).filter(|process| process.is_alive())
    }

    pub fn is_running(&self) -> bool {
        self.process().is_some()
    }

    /// The last lines of the node's log.
    pub fn log_tail(&self, lines: usize) -> String {
        tail(&self.log_file, lines)
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.script(script));
        command.stdin(Stdio::null());
        command
    }

    async fn run_script(&self, script: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(script);
        command.args(arguments);
        let shown = format!("{script} {}", arguments.join(" "));
        self.run(command, shown.trim_end()).await
    }

    async fn run(&self, mut command: Command, shown: &str) -> Result<String> {
        let output = command
            .output()
            .await
            .with_context(|| format!("could not run {command:?}"))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let printed = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
            bail!(
                "`{shown}` of node {} failed: {}\n{}",
                self.name,
                output.status,
                tools::last_lines(&printed, 60)
            );
        }
        Ok(stdout)
    }
}

fn tail(file: &Path, lines: usize) -> String {
    let bytes = std::fs::read(file).unwrap_or_default();
    tools::last_lines(&String::from_utf8_lossy(&bytes), lines)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A node that exists on paper only.
    pub fn node() -> Node {
        Node {
            name: "n1".to_owned(),
            address: "127.64.1.1".parse().unwrap(),
            native_port: 9042,
            jmx_port: 10_000,
            datacenter: "dc1".to_owned(),
            rack: "r1".to_owned(),
            tokens: vec![-5, 7],
            dir: "/lab/n1".into(),
            data_dirs: vec!["/lab/n1/data".into()],
            config: "/lab/n1/conf/cassandra.yaml".into(),
            log_file: "/lab/n1/logs/system.log".into(),
        }
    }
}
