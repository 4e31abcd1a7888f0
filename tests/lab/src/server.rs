//! A server in a folder of its own: run, awaited, ended by its process id, and removed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use crate::process::Process;
use crate::tools;

const READY_TIMEOUT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// A running server. It ends with the value, and its folder goes too.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    dir: PathBuf,
}

impl Server {
    /// Makes the folder that the server is to run in.
    pub fn new(name: &'static str, dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        fs::create_dir_all(dir).with_context(|| format!("could not create {}", dir.display()))?;
        let dir = fs::canonicalize(dir)?;
        Ok(Self { name, dir })
    }

    pub fn run(&self, command: &mut Command) -> Result<()> {
        let log = File::create(self.log_file())?;
        let child = command
            .current_dir(&self.dir)
            // An interrupt at the terminal is for the lab, not for its servers.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("could not run {}", self.name))?;
        let process = Process::of(child.id() as i32);
        let process = process.with_context(|| format!("{} ended at once", self.name))?;
        fs::write(self.dir.join("pid"), process.record())?;
        Ok(())
    }

    /// Waits until a probe succeeds.
    pub async fn wait_ready<Probe>(&self, probe: impl Fn() -> Probe) -> Result<()>
    where
        Probe: Future<Output = Result<bool>>,
    {
        let deadline = Instant::now() + READY_TIMEOUT;
        while !matches!(probe().await, Ok(true)) {
            if self.process().is_none() || Instant::now() > deadline {
                let log = fs::read_to_string(self.log_file()).unwrap_or_default();
                bail!(
                    "{} in {} is not ready; its last words:\n{}",
                    self.name,
                    self.dir.display(),
                    tools::last_lines(&log, 10)
                );
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    fn process(&self) -> Option<Process> {
        Process::recorded(&self.dir.join("pid")).filter(|process| process.is_alive())
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = self.process() {
            process.kill();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}
