//! Starts and stops Cassandra with configured commands.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use async_trait::async_trait;
use tokio::process::{Child, Command};
use tracing::info;

use super::{Action, Attempt, CassandraProcess, ProcessError};
use crate::files::{FileError, blocking};

/// The last lines of a failed command's output that are worth repeating.
const OUTPUT_LINES: usize = 5;

/// A command for each action; an empty one is none.
pub struct Commands {
    start: Vec<String>,
    stop: Vec<String>,
    output_folder: PathBuf,
}

impl Commands {
    /// The output of a command goes to `<action>-command.log` in the folder, which is made if absent.
    pub fn new(start: Vec<String>, stop: Vec<String>, output_folder: PathBuf) -> Self {
        Self {
            start,
            stop,
            output_folder,
        }
    }

    fn command(&self, action: Action) -> &[String] {
        match action {
            Action::Start => &self.start,
            Action::Stop => &self.stop,
        }
    }
}

#[async_trait]
impl CassandraProcess for Commands {
    fn supports(&self, action: Action) -> bool {
        !self.command(action).is_empty()
    }

    /// Runs the command in a process group of its own, its output in a file: what it starts outlives it and this program,
    /// and would hold a pipe open.
    async fn begin(&self, action: Action) -> Result<Box<dyn Attempt>, ProcessError> {
        let (program, arguments) = self
            .command(action)
            .split_first()
            .ok_or(ProcessError::Unsupported { action })?;
        let path = self.output_folder.join(format!("{action}-command.log"));
        let output = create(path.clone()).await?;
        let failed = |error: io::Error| failed(action, format!("`{program}`: {error}"));
        info!(program, "running the command to {action} Cassandra");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        Ok(Box::new(Running {
            action,
            child,
            output: path,
        }))
    }
}

fn failed(action: Action, why: String) -> ProcessError {
    ProcessError::Failed {
        action,
        why,
        hint: "run the command by hand as the agent's user",
    }
}

async fn create(path: PathBuf) -> Result<File, FileError> {
    blocking(move || {
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).map_err(FileError::at("make", folder))?;
        File::create(&path).map_err(FileError::at("create", &path))
    })
    .await
}

/// A command that has been run.
struct Running {
    action: Action,
    child: Child,
    output: PathBuf,
}

impl Running {
    async fn failed(&self, status: ExitStatus) -> ProcessError {
        let output = last_lines(self.output.clone()).await;
        failed(
            self.action,
            format!("the command ended with {status}: {output}"),
        )
    }
}

#[async_trait]
impl Attempt for Running {
    async fn failure(&mut self) -> Option<ProcessError> {
        match self.child.try_wait() {
            Ok(Some(status)) if !status.success() => Some(self.failed(status).await),
            // It runs, it has succeeded, or its status is not known: the node itself shows whether it worked.
            Ok(_) | Err(_) => None,
        }
    }
}

async fn last_lines(path: PathBuf) -> String {
    let text = blocking(move || fs::read_to_string(path))
        .await
        .unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("; ")
}
