//! A Ringkeep process: started, waited for, killed hard, started again; ended when dropped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take until its port answers.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a process may take to drain.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

pub struct Process {
    name: String,
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Process {
    /// Starts a binary and waits until it listens on its port.
    pub async fn start(
        name: &str,
        binary: PathBuf,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        folder: &Path,
        port: u16,
    ) -> Result<Self> {
        let mut process = Self {
            name: name.to_owned(),
            binary,
            arguments,
            environment,
            log: folder.join(format!("{name}.log")),
            port,
            child: None,
        };
        process.run().await?;
        Ok(process)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child
                .kill()
                .with_context(|| format!("kill {}", self.name))?;
            child.wait()?;
        }
        Ok(())
    }

    /// Sends a signal, unless the process was killed.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        match &self.child {
            Some(child) => Ok(kill(Pid::from_raw(i32::try_from(child.id())?), signal)?),
            None => Ok(()),
        }
    }

    /// SIGTERM, and waits for the drain.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!(
                    "{} did not end within {STOP_TIMEOUT:?}\n{}",
                    self.name,
                    self.tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Starts it again with the same arguments and state.
    pub async fn run(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.binary)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.binary.display()))?;
        self.child = Some(child);
        let deadline = Instant::now() + START_TIMEOUT;
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port))
            .await
            .is_err()
        {
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?,
                None => None,
            };
            if let Some(code) = ended {
                bail!(
                    "{} ended with {code} instead of listening\n{}",
                    self.name,
                    self.tail()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "{} does not listen on port {}\n{}",
                    self.name,
                    self.port,
                    self.tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("could not end {}: {error:#}", self.name);
        }
    }
}
