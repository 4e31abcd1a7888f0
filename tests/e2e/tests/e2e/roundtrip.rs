//! Full backup, change, differential backup, dropped keyspace, plan, restore, the content as it was: on every release line.

use anyhow::{Context, Result};
use e2e::{CLUSTER, World, assert_differ, assert_same, check_indexes, folder_objects};
use lab::session::{CqlValue, rows, run};
use lab::{Cluster, ClusterBuilder, Release};
use serde_json::Value;

/// The path of the demo, with smaller data.
async fn check(cluster: ClusterBuilder) -> Result<()> {
    let world = World::builder(cluster).start().await?;
    let cli = world.cli();
    world.fill().await?;
    world.add_cluster().await?;

    let first = world.digest().await?;
    world.backup("monday", "full").await?;
    world.change(1).await?;
    let second = world.digest().await?;
    assert_differ(&first, &second);
    world.backup("tuesday", "differential").await?;

    let shown = cli.ok(&["backup", "show", "tuesday"]).await?.json;
    assert_eq!(shown["kind"], "differential");
    assert_eq!(shown["base"], "monday");
    assert_eq!(shown["coverage"]["complete"], true);
    let (bytes, uploaded) = figures(&shown);
    assert!(
        uploaded < bytes,
        "a differential uploads less than it names: {uploaded} of {bytes}"
    );
    assert!(uploaded > 0, "the change must be in it");
    for backup in ["monday", "tuesday"] {
        let report = cli.ok(&["backup", "verify", backup]).await?.json;
        assert_eq!(report["ok"], true);
        assert!(report["checked"]["objects"].as_u64() > Some(0));
    }

    if world.cluster.has_authenticator() {
        let session = world.cluster.session().await?;
        run(&session, "CREATE ROLE later WITH PASSWORD = 'later'").await?;
    }
    world.change(2).await?;
    world.drop_keyspace("shop").await?;
    assert_differ(&second, &world.digest().await?);

    let plan = cli
        .ok(&["restore", "plan", "tuesday", "--into", CLUSTER])
        .await?
        .json;
    assert_eq!(plan["supported"], true);
    assert_eq!(plan["mode"], "online");
    world.restore("tuesday", "auto").await?;
    assert_same(&second, &world.digest().await?);
    if world.cluster.release() == Release::C50 {
        in_place(&world).await?;
        assert_same(&second, &world.digest().await?);
    }

    world.restore("monday", "online").await?;
    assert_same(&first, &world.digest().await?);
    check_indexes(&world).await?;
    if world.cluster.has_authenticator() {
        let expected = ["cassandra", "later"];
        assert_eq!(roles(&world).await?, expected, "made after the backup");
    }
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());

    // The base survives its differential, and deleting in the right order leaves nothing behind but the used names.
    let refused = cli.run(&["backup", "delete", "monday", "--yes"]).await?;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("tuesday"), "{}", refused.stderr);
    cli.ok(&["backup", "delete", "tuesday", "--yes"]).await?;
    cli.ok(&["backup", "delete", "monday", "--yes"]).await?;
    let left = folder_objects(world.store_folder()?, "")?;
    let is_tombstone = |path: &std::path::PathBuf| {
        let mut parts = path.components();
        parts.any(|part| part.as_os_str() == "tombstones")
    };
    let left = left.iter().filter(|path| !is_tombstone(path));
    let left: Vec<_> = left.filter_map(|path| path.file_name()).collect();
    assert_eq!(left, ["README.txt"]);
    Ok(())
}

/// A differential, in place of what was written since: objects of the base and its own, with the tables of indexes.
async fn in_place(world: &World) -> Result<()> {
    world.change(3).await?;
    let restored = world.restore("tuesday", "in-place").await?;
    check_indexes(world).await?;
    let task = restored.json["task_id"].as_str().context("a task")?;
    let accept = ["restore", "accept", task, "--yes", "--wait"];
    world.cli().ok(&accept).await?;
    Ok(())
}

/// The roles of the cluster, sorted.
async fn roles(world: &World) -> Result<Vec<String>> {
    let session = world.cluster.session().await?;
    let found = rows(&session, "SELECT role FROM system_auth.roles").await?;
    let names = found.into_iter().flatten().flatten();
    let mut names: Vec<String> = names.filter_map(CqlValue::into_string).collect();
    names.sort();
    Ok(names)
}

fn figures(backup: &Value) -> (u64, u64) {
    let sum = |key: &str| {
        let nodes = backup["nodes"].as_array().into_iter().flatten();
        nodes.filter_map(|node| node[key].as_u64()).sum()
    };
    (sum("bytes"), sum("uploaded_bytes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_5_0_comes_back_as_it_was() -> Result<()> {
    check(Cluster::builder(Release::C50)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_4_1_with_passwords_comes_back_as_it_was() -> Result<()> {
    check(Cluster::builder(Release::C41).authenticator(true)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_4_0_with_two_data_directories_comes_back_as_it_was() -> Result<()> {
    check(Cluster::builder(Release::C40).data_dirs(2)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_3_11_comes_back_as_it_was() -> Result<()> {
    check(Cluster::builder(Release::C311)).await
}
