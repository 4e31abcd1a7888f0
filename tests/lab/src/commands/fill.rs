//! `lab fill`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use lab::Cluster;
use lab::workload::{self, Scale};

/// Make keyspaces with tables that look like real life, and fill them
#[derive(Debug, Args)]
pub struct Fill {
    /// Folder of the cluster
    #[arg(long)]
    dir: PathBuf,
    /// How much: small (about 2,000 rows) or demo (about 60,000)
    #[arg(long, default_value_t = Scale::Small)]
    scale: Scale,
}

impl Fill {
    pub async fn run(self) -> Result<()> {
        let started = Instant::now();
        workload::fill(&Cluster::open(&self.dir)?, self.scale).await?;
        eprintln!("filled after {:.1} s", started.elapsed().as_secs_f64());
        Ok(())
    }
}
