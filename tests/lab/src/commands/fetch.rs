//! `lab fetch`

use anyhow::Result;
use clap::Args;
use lab::{Cache, Part};
use tokio::task;

/// Download and build into the cache what the lab runs
#[derive(Debug, Args)]
pub struct Fetch {
    /// What is wanted: 3.11, 4.0, 4.1, 5.0, minio, grpcurl, etcd, fake-gcs, azurite; everything by default
    parts: Vec<Part>,
}

impl Fetch {
    pub async fn run(self) -> Result<()> {
        let parts = if self.parts.is_empty() {
            lab::fetchable()
        } else {
            self.parts
        };
        task::spawn_blocking(move || {
            let cache = Cache::open()?;
            parts
                .into_iter()
                .try_for_each(|part| lab::fetch(&cache, part))
        })
        .await?
    }
}
