//! A backup of one cluster that is restored into another one.

use std::path::{Path, PathBuf};

use anyhow::Result;
use lab::digest::Digest;
use lab::{ClusterBuilder, Release};
use serde_json::Value;

use crate::{CLUSTER, World, assert_differ, assert_same};

/// A backup of a full cluster in a store that outlives it, and what the cluster held as `read_as` shows it.
pub async fn backed_up(cluster: ClusterBuilder, store: &Path, read_as: Release) -> Result<Digest> {
    let world = World::builder(cluster).store(store).start().await?;
    world.fill().await?;
    world.add_cluster().await?;
    let digest = world.digest_as(read_as).await?;
    world.backup("moving", "full").await?;
    Ok(digest)
}

/// The same, where the backup is a differential: the restore takes objects of its base and its own.
pub async fn backed_up_twice(
    cluster: ClusterBuilder,
    store: &Path,
    read_as: Release,
) -> Result<Digest> {
    let world = World::builder(cluster).store(store).start().await?;
    world.fill().await?;
    world.add_cluster().await?;
    let base = world.digest_as(read_as).await?;
    world.backup("base", "full").await?;
    world.change(1).await?;
    let digest = world.digest_as(read_as).await?;
    assert_differ(&base, &digest);
    world.backup("moving", "differential").await?;
    Ok(digest)
}

fn sum(plan: &Value, figure: &str) -> u64 {
    let nodes = plan["nodes"].as_array().into_iter().flatten();
    nodes.filter_map(|node| node[figure].as_u64()).sum()
}

/// What a restore is expected to do.
pub struct Expected<'a> {
    pub before: &'a Digest,
    pub read_as: Release,
    /// Whether a node takes parts of SSTables.
    pub sliced: bool,
}

/// Plans, starts the very plan by its number, and compares what the target holds then.
pub async fn restored(world: &World, arguments: &[&str], expected: Expected<'_>) -> Result<Value> {
    world.add_cluster().await?;
    let mut plan = vec!["restore", "plan", "moving", "--into", CLUSTER];
    plan.extend(arguments);
    let plan = world.cli().ok(&plan).await?;
    let number = plan.json["number"].to_string();
    let sliced = sum(&plan.json, "sliced_sstables");
    assert_eq!(sliced > 0, expected.sliced, "{}", plan.stdout);
    let mut start = vec!["restore", "start", "moving", "--into", CLUSTER];
    start.extend(["--plan", &number, "--wait", "--yes"]);
    start.extend(arguments);
    world.cli().ok(&start).await?;
    let after = world.digest_as(expected.read_as).await?;
    assert_same(expected.before, &after);
    assert_eq!(world.leftovers()?, Vec::<PathBuf>::new());
    Ok(plan.json)
}

/// The codes of a plan's findings.
pub fn codes(plan: &Value) -> Vec<&str> {
    let findings = plan["findings"].as_array().into_iter().flatten();
    findings.filter_map(|f| f["code"].as_str()).collect()
}
