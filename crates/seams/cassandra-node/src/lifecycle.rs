//! Stops and starts Cassandra with the configured commands, and finds out whether it is up or down.

mod error;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::commit_log;
use crate::control::ControlError;
use crate::error::AgentError;
use crate::files::{FileError, blocking};

pub use error::RestartError;

/// How often the node is looked at while it starts or stops.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How often Cassandra is started before its start is given up, and the pause in between.
const START_TRIES_MAX: u32 = 4;
const START_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 3000 });
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The last lines of a failed command's output that are worth repeating.
const SAID_LINES: usize = 5;

/// How Cassandra is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Up,
    Down,
}

impl Wanted {
    fn verb(self) -> &'static str {
        match self {
            Self::Up => "start",
            Self::Down => "stop",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    fn command(self, agent: &Agent) -> &[String] {
        match self {
            Self::Up => &agent.cassandra.start_command,
            Self::Down => &agent.cassandra.stop_command,
        }
    }

    /// Why it is not so yet.
    async fn check(self, agent: &Agent) -> Result<(), String> {
        match self {
            Self::Up => check_up(agent).await,
            Self::Down => check_down(agent).await.map_err(|error| error.to_string()),
        }
    }
}

/// Drains and stops. Where Cassandra is down already, and was not drained by this agent, it is started to be drained:
/// what its commit log still holds would be replayed over the files of a restore.
pub async fn stop(agent: &Agent) -> Result<(), RestartError> {
    if agent.cassandra.stop_command.is_empty() {
        return Err(RestartError::NotConfigured { what: "stop" });
    }
    if check_down(agent).await.is_err() {
        match drain(agent).await {
            Ok(()) => return run_until(agent, Wanted::Down).await,
            // It went down by itself, or is half-way there.
            Err(RestartError::Agent(AgentError::Control(ControlError::Down { .. }))) => {
                warn!("Cassandra could not be drained before it stopped");
                run_until(agent, Wanted::Down).await?;
            }
            Err(error) => return Err(error),
        }
    }
    if commit_log::is_settled(agent).await? {
        info!("Cassandra is down already");
        return Ok(());
    }
    warn!("Cassandra is down and was not drained: it is started once more, to be drained");
    let not_drained = |error| RestartError::NotDrained {
        commit_log: agent.yaml.commitlog_directory.clone(),
        source: Box::new(error),
    };
    start(agent).await.map_err(not_drained)?;
    drain(agent).await.map_err(not_drained)?;
    run_until(agent, Wanted::Down).await
}

async fn drain(agent: &Agent) -> Result<(), RestartError> {
    agent.control.drain().await?;
    Ok(commit_log::note_drained(agent).await?)
}

/// Starts, and waits until Cassandra answers CQL and has joined. Succeeds where it is up.
pub async fn start(agent: &Agent) -> Result<(), RestartError> {
    if agent.cassandra.start_command.is_empty() {
        return Err(RestartError::NotConfigured { what: "start" });
    }
    if check_up(agent).await.is_ok() {
        return Ok(());
    }
    let mut tries = 1;
    // Where a whole cluster is started at once, a node may give up because no seed answers yet; a little later one does.
    while let Err(error) = run_until(agent, Wanted::Up).await {
        if tries == START_TRIES_MAX || !matches!(error, RestartError::Command { .. }) {
            return Err(error);
        }
        warn!(tries, %error, "Cassandra did not start; it is started once more");
        tries += 1;
        tokio::time::sleep(START_INTERVAL).await;
    }
    Ok(())
}

async fn check_up(agent: &Agent) -> Result<(), String> {
    let rows = agent
        .cql
        .query("SELECT bootstrapped FROM system.local")
        .await;
    let rows = rows.map_err(|error| error.to_string())?;
    let bootstrapped = rows
        .first()
        .and_then(|row| row.optional_text("bootstrapped"));
    if bootstrapped != Some("COMPLETED") {
        return Err(format!(
            "its bootstrap is {}",
            bootstrapped.unwrap_or("unknown")
        ));
    }
    match agent.control.mode().await {
        Ok(mode) if mode == "NORMAL" => Ok(()),
        Ok(mode) => Err(format!("it is {mode}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Refuses unless Cassandra is down for certain: nobody answers CQL, other nodes' port or nodetool. A drained node
/// answers only the last, and still holds its files.
pub async fn check_down(agent: &Agent) -> Result<(), RestartError> {
    let storage = agent.yaml.storage_address.as_deref();
    for address in [Some(agent.cql.address()), storage].into_iter().flatten() {
        if listens(address).await {
            return Err(RestartError::Running {
                how: format!("something listens at {address}"),
            });
        }
    }
    match agent.control.mode().await {
        Err(ControlError::Down { .. }) => Ok(()),
        Ok(mode) => Err(RestartError::Running {
            how: format!("nodetool says that it is {mode}"),
        }),
        Err(error) => Err(RestartError::Unknown(error)),
    }
}

async fn listens(address: &str) -> bool {
    let connecting = TcpStream::connect(address);
    matches!(
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await,
        Ok(Ok(_))
    )
}

fn output_file(agent: &Agent, what: &str) -> PathBuf {
    agent.folders.state.join(format!("{what}-command.log"))
}

/// Runs a configured command in a process group of its own, its output in a file: what it starts outlives it and the
/// agent, and would hold a pipe open.
async fn spawn(agent: &Agent, wanted: Wanted) -> Result<Child, RestartError> {
    let what = wanted.verb();
    let (program, arguments) = wanted
        .command(agent)
        .split_first()
        .ok_or(RestartError::NotConfigured { what })?;
    let path = output_file(agent, what);
    let output = blocking(move || {
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).map_err(FileError::at("make", folder))?;
        File::create(&path).map_err(FileError::at("create", &path))
    })
    .await?;
    let failed = |error: std::io::Error| RestartError::Command {
        what,
        why: format!("`{program}`: {error}"),
    };
    info!(program, "running the command to {what} Cassandra");
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(failed)?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .map_err(failed)
}

/// Runs the command and waits until the node is as wanted. A command that runs on in the foreground is fine, one that
/// fails is not.
async fn run_until(agent: &Agent, wanted: Wanted) -> Result<(), RestartError> {
    let what = wanted.verb();
    let mut child = spawn(agent, wanted).await?;
    let limit = agent.start_timeout();
    let deadline = Instant::now() + limit;
    loop {
        if let Ok(Some(status)) = child.try_wait()
            && !status.success()
        {
            let said = last_lines(agent, what).await;
            return Err(RestartError::Command {
                what,
                why: format!("{status}: {said}"),
            });
        }
        let why = match wanted.check(agent).await {
            Ok(()) => {
                info!("Cassandra is {}", wanted.word());
                return Ok(());
            }
            Err(why) => why,
        };
        if Instant::now() >= deadline {
            return Err(RestartError::Timeout {
                what,
                seconds: limit.as_secs(),
                why,
            });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn last_lines(agent: &Agent, what: &str) -> String {
    let path = output_file(agent, what);
    let text = blocking(move || fs::read_to_string(path))
        .await
        .unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(SAID_LINES)..].join("; ")
}

#[cfg(test)]
mod tests;
