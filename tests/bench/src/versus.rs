//! Another tool, as a command of the shell.

use std::process::{Command, Stdio};
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

#[derive(Debug, Clone)]
pub struct Versus {
    pub name: String,
    command: String,
}

impl FromStr for Versus {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, command) = text
            .split_once('=')
            .ok_or("expected a name, `=` and a command")?;
        Ok(Self {
            name: name.to_owned(),
            command: command.to_owned(),
        })
    }
}

impl Versus {
    pub fn run(&self) -> Result<()> {
        let output = Command::new("sh")
            .args(["-c", &self.command])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} does not start", self.name))?;
        ensure!(
            output.status.success(),
            "{} fails: {}{}",
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
