//! `lab fixtures`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lab::fixtures;

/// Write small SSTables of every format version, by the Cassandra releases that made each
#[derive(Debug, Args)]
pub struct Fixtures {
    /// Folder that gets a folder for each format version
    folder: PathBuf,
    /// Only these format versions, such as `big-me,bti-da`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Fixtures {
    pub async fn run(self) -> Result<()> {
        fixtures::write(&self.folder, &self.only).await
    }
}
