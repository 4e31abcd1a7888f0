//! What tables hold as clients see it.

use anyhow::{Result, ensure};
use lab::digest::{self, Digest};
use lab::workload::KEYSPACES;
use lab::{Cluster, Release, session};
use scylla::client::session::Session;

/// What clients see.
pub struct Content {
    partitions: Digest,
    /// Answers that come out of secondary indexes.
    indexed: Vec<Vec<String>>,
}

impl Content {
    pub async fn read(cluster: &Cluster) -> Result<Self> {
        let session = cluster.session().await?;
        let mut indexed = vec![found(&session, "maker = 'amber'").await?];
        if cluster.release() >= Release::C50 {
            indexed.push(found(&session, "price > 500").await?);
        }
        Ok(Self {
            partitions: cluster.digest(&KEYSPACES).await?,
            indexed,
        })
    }

    pub fn check_same(&self, after: &Self) -> Result<()> {
        let differences = digest::diff(&self.partitions, &after.partitions);
        let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
        ensure!(
            lines.is_empty(),
            "{} differences, among them\n{}",
            lines.len(),
            lines[..lines.len().min(10)].join("\n")
        );
        ensure!(self.indexed == after.indexed, "an index answers otherwise");
        Ok(())
    }
}

async fn found(session: &Session, condition: &str) -> Result<Vec<String>> {
    let query = format!("SELECT sku FROM shop.products WHERE {condition}");
    let rows = session::rows(session, &query).await?;
    ensure!(!rows.is_empty(), "`{query}` finds nothing");
    let mut found: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    found.sort();
    Ok(found)
}
