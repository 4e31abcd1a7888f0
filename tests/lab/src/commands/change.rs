//! `lab change`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lab::{Cluster, workload};

/// Insert, update and delete rows in every table that `fill` made
#[derive(Debug, Args)]
pub struct Change {
    /// Folder of the cluster
    #[arg(long)]
    dir: PathBuf,
    /// Which rows are changed, and to what
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Change {
    pub async fn run(self) -> Result<()> {
        workload::change(&Cluster::open(&self.dir)?, self.seed).await
    }
}
