//! `lab digest`

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use lab::{Cluster, Release, digest, workload};

/// Hash what tables hold, partition by partition: values, write times and expiries
#[derive(Debug, Args)]
pub struct Digest {
    /// Folder of the cluster
    #[arg(long)]
    dir: PathBuf,
    /// Keyspace as the schema spells it, without quotes; may be repeated; those of `fill` by default
    #[arg(long)]
    keyspace: Vec<String>,
    /// Read as this older release would, to compare with a digest of it
    #[arg(long)]
    like: Option<Release>,
    /// File to write; stdout by default
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Digest {
    pub async fn run(self) -> Result<()> {
        let started = Instant::now();
        let cluster = Cluster::open(&self.dir)?;
        let session = cluster.session().await?;
        let mut keyspaces: Vec<&str> = self.keyspace.iter().map(String::as_str).collect();
        if keyspaces.is_empty() {
            keyspaces = workload::KEYSPACES.to_vec();
        }
        let release = self.like.unwrap_or(cluster.release());
        let digest =
            digest::digest(&session, release, &keyspaces, digest::Reading::default()).await?;
        let text = serde_json::to_string_pretty(&digest)?;
        match &self.out {
            Some(out) => fs::write(out, text + "\n")
                .with_context(|| format!("could not write {}", out.display()))?,
            None => println!("{text}"),
        }
        eprintln!(
            "{} tables, {} partitions, {} rows after {:.1} s",
            digest.tables.len(),
            digest.partitions(),
            digest.rows(),
            started.elapsed().as_secs_f64()
        );
        Ok(())
    }
}
