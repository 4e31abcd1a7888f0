//! `lab down`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lab::Cluster;

/// End a cluster and remove its folder
#[derive(Debug, Args)]
pub struct Down {
    /// Folder of the cluster
    #[arg(long)]
    dir: PathBuf,
    /// End the nodes in good order and keep their files; `lab up --dir` starts them again
    #[arg(long)]
    keep: bool,
}

impl Down {
    pub async fn run(self) -> Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        if self.keep {
            return cluster.stop().await;
        }
        cluster.remove();
        Ok(())
    }
}
