//! The node's own check of tokens: it takes what is its own, and nothing else.

use std::fs;

use anyhow::{Context, Result, ensure};
use cassandra_tokens::{Token, TokenRange, TokenRanges};
use lab::digest::diff;
use lab::workload::{self, KEYSPACES, Scale};
use lab::{Cluster, Release, session};

use crate::cut::{self, Cutting};
use crate::load;
use crate::log::Log;

const SNAPSHOT: &str = "whole";
/// What a node says of a key that is not its own.
const FOREIGN_KEY: &str = "is not contained in the given ranges";

/// Two nodes that had everything own half each. SSTables of before are refused; slices of them are taken, and both
/// nodes together hold what was there.
pub async fn prove() -> Result<()> {
    let cluster = Cluster::builder(Release::C50)
        .name("owned")
        .nodes(2)
        .start()
        .await?;
    workload::fill(&cluster, Scale::Small).await?;
    cluster.nodetool_all(&["flush"]).await?;
    let before = cluster.digest(&KEYSPACES).await?;
    cluster
        .nodetool_all(&["snapshot", "-t", SNAPSHOT, "--", "shop"])
        .await?;
    let session = cluster.session().await?;
    for statement in [
        "TRUNCATE shop.orders",
        "ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
    ] {
        session::run(&session, statement).await?;
    }
    let staging = cluster.dir().join("staging");
    // Replicas are equal, so the first node's SSTables serve both.
    let tables = cut::snapshot(cluster.node(0), SNAPSHOT)?;
    let (table, sstables) = tables
        .iter()
        .find(|((_, folder), _)| folder.starts_with("orders-"))
        .context("SSTables of orders")?;
    for (index, node) in cluster.nodes().iter().enumerate() {
        let whole = staging.join(format!("whole{index}/shop")).join(&table.1);
        fs::create_dir_all(&whole)?;
        for name in sstables[0].components().keys() {
            let from = sstables[0].path(name);
            fs::copy(&from, whole.join(from.file_name().context("a name")?))?;
        }
        let log = Log::from_here(node)?;
        let refused = load::import(node, &whole, &staging).await;
        ensure!(refused.is_err(), "a whole SSTable was taken");
        let because = log.text()?;
        ensure!(because.contains(FOREIGN_KEY), "refused for {because}");

        let owned = owned(&cluster.tokens(), index);
        let mut cutting = Cutting::new(&staging.join(format!("slices{index}")), table)?;
        let mut partitions = 0;
        for sstable in sstables {
            partitions += cutting.cut(sstable, &owned)?;
        }
        ensure!(partitions > 0, "nothing is owned by {}", node.name);
        load::import(node, cutting.folder(), &staging).await?;
    }
    let differences = diff(&before, &cluster.digest(&KEYSPACES).await?);
    let of_orders: Vec<String> = differences
        .iter()
        .filter(|difference| difference.table.table == "orders")
        .map(ToString::to_string)
        .collect();
    ensure!(of_orders.is_empty(), "{}", of_orders.join("\n"));
    Ok(())
}

/// What a node of a ring without replication owns: from the token before each of its own up to it.
fn owned(ring: &[Vec<i64>], node: usize) -> TokenRanges {
    let mut all: Vec<i64> = ring.iter().flatten().copied().collect();
    all.sort_unstable();
    let ranges = all
        .iter()
        .enumerate()
        .filter(|(_, token)| ring[node].contains(token));
    TokenRanges::new(ranges.map(|(at, token)| {
        let before = all[(at + all.len() - 1) % all.len()];
        TokenRange::new(Token::Murmur3(before), Token::Murmur3(*token))
    }))
}
