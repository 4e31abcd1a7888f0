//! `lab diff`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lab::digest::{self, Digest};

/// Compare two digests: every difference is a line on stdout, and the exit code is 1 if there is one
#[derive(Debug, Args)]
pub struct Diff {
    first: PathBuf,
    second: PathBuf,
}

impl Diff {
    pub fn run(self) -> Result<ExitCode> {
        let (first, second) = (read(&self.first)?, read(&self.second)?);
        let differences = digest::diff(&first, &second);
        for difference in &differences {
            println!("{difference}");
        }
        if differences.is_empty() {
            eprintln!(
                "equal: {} partitions in {} tables",
                first.partitions(),
                first.tables.len()
            );
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("lab: {} differences between the digests", differences.len());
        Ok(ExitCode::FAILURE)
    }
}

fn read(file: &Path) -> Result<Digest> {
    let text =
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a digest", file.display()))
}
