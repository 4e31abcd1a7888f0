//! Backups go into rings of another shape: other numbers of nodes, tokens, racks and datacenters, on every release.

use anyhow::Result;
use e2e::{CLUSTER, World, assert_same};
use lab::digest::Digest;
use lab::{Cluster, ClusterBuilder, Release};
use serde_json::Value;

/// A backup of a full cluster in a store that outlives it, and what the cluster held as `read_as` shows it.
async fn backed_up(
    cluster: ClusterBuilder,
    store: &std::path::Path,
    read_as: Release,
) -> Result<Digest> {
    let world = World::builder(cluster).store(store).start().await?;
    world.fill().await?;
    world.add_cluster().await?;
    let digest = world.digest_as(read_as).await?;
    world.backup("moving", "full").await?;
    Ok(digest)
}

fn sum(plan: &Value, figure: &str) -> u64 {
    let nodes = plan["nodes"].as_array().into_iter().flatten();
    nodes.filter_map(|node| node[figure].as_u64()).sum()
}

/// What is to come of a restore.
struct Expected<'a> {
    before: &'a Digest,
    read_as: Release,
    /// Whether a node takes parts of SSTables.
    sliced: bool,
}

/// Plans, starts the very plan by its number, and compares what the target holds then.
async fn restored(world: &World, arguments: &[&str], expected: Expected<'_>) -> Result<Value> {
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
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());
    Ok(plan.json)
}

fn codes(plan: &Value) -> Vec<&str> {
    let findings = plan["findings"].as_array().into_iter().flatten();
    findings.filter_map(|f| f["code"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_3_11_grows() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C311).nodes(1).num_tokens(4);
    let before = backed_up(source, store.path(), Release::C311).await?;
    let target = Cluster::builder(Release::C311)
        .name("larger")
        .nodes(2)
        .num_tokens(8);
    let world = World::builder(target).store(store.path()).start().await?;
    let expected = Expected {
        before: &before,
        read_as: Release::C311,
        sliced: true,
    };
    restored(&world, &[], expected).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_4_0_shrinks_onto_4_1() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C40).nodes(2).num_tokens(4);
    let before = backed_up(source, store.path(), Release::C40).await?;
    let target = Cluster::builder(Release::C41)
        .name("smaller")
        .nodes(1)
        .num_tokens(8);
    let world = World::builder(target).store(store.path()).start().await?;
    // One node that holds everything takes everything as it is, from both.
    let expected = Expected {
        before: &before,
        read_as: Release::C40,
        sliced: false,
    };
    let plan = restored(&world, &[], expected).await?;
    assert!(codes(&plan).contains(&"REPLICATION_ADJUSTED"), "{plan}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_datacenters_of_5_0_goes_into_another() -> Result<()> {
    let store = tempfile::tempdir()?;
    let source = Cluster::builder(Release::C50)
        .layout(&[("dc1", "r1"), ("dc1", "r2"), ("dc2", "r1")])
        .num_tokens(4)
        .setting("storage_compatibility_mode", "CASSANDRA_4");
    let before = backed_up(source, store.path(), Release::C50).await?;
    let target = Cluster::builder(Release::C50)
        .name("elsewhere")
        .layout(&[("east", "a"), ("east", "b"), ("east", "c")])
        .num_tokens(4)
        // As 5.0 comes: it writes what 4.x writes.
        .setting("storage_compatibility_mode", "CASSANDRA_4");
    let world = World::builder(target).store(store.path()).start().await?;
    world.add_cluster().await?;
    // Nobody has said where its data is to go.
    let refused = world
        .cli()
        .run(&["restore", "plan", "moving", "--into", CLUSTER])
        .await?;
    assert_eq!(refused.code, 3, "{}", refused.stdout);
    assert!(
        refused
            .finding_codes()
            .contains(&"DATACENTER_UNMAPPED".to_owned()),
        "{}",
        refused.stdout
    );
    let expected = Expected {
        before: &before,
        read_as: Release::C50,
        sliced: true,
    };
    let plan = restored(&world, &["--datacenter", "dc1=east"], expected).await?;
    assert!(codes(&plan).contains(&"DATACENTER_LEFT_OUT"), "{plan}");
    Ok(())
}
