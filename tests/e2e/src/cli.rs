//! The command line, as a script would call it.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub command: String,
    pub code: i32,
    /// Standard output as JSON; null where it is empty or not JSON.
    pub json: Value,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Fails unless the command exited with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "`{}` exited with {}\nstdout: {}\nstderr: {}",
            self.command, self.code, self.stdout, self.stderr
        );
        self
    }

    /// The codes of the findings in the answer, sorted.
    pub fn finding_codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.json["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|finding| finding["code"].as_str().map(str::to_owned))
            .collect();
        codes.sort();
        codes
    }
}

#[derive(Clone)]
pub struct Cli {
    pub binary: PathBuf,
    pub endpoint: String,
}

impl Cli {
    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.binary);
        command
            .args(["--endpoint", &self.endpoint, "--output", "json"])
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Result<Answer> {
        let output = self
            .command(arguments)
            .output()
            .await
            .with_context(|| format!("run {}", self.binary.display()))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Answer {
            command: arguments.join(" "),
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(&stdout).unwrap_or(Value::Null),
            stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed.
    pub async fn ok(&self, arguments: &[&str]) -> Result<Answer> {
        Ok(self.run(arguments).await?.expect(0))
    }
}
