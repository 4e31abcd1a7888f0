//! Maintenance of a real node: by the document that Mission Control's users have, and by commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{CLUSTER, World};
use lab::session::{rows, run};
use lab::{Cluster, Release};

/// Word for word; without a namespace, and with the cluster to be found by its datacenter.
const UPGRADE: &str = "\
apiVersion: control.k8ssandra.io/v1alpha1
kind: CassandraTask
metadata: {name: upgrade-sstables}
spec:
  datacenter: {name: dc1}
  jobs:
    - {name: upgradesstables, command: upgradesstables}
";

/// SSTables of a table that Cassandra 3.11 has written.
const OLD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/facts/cassandra-formats/tests/fixtures/big-me/layouts/simple"
);

#[tokio::test(flavor = "multi_thread")]
async fn sstables_of_an_older_release_are_upgraded_by_a_document_and_tended_by_commands()
-> Result<()> {
    let world = World::builder(Cluster::builder(Release::C41))
        .start()
        .await?;
    let session = world.cluster.session().await?;
    let keyspace = "CREATE KEYSPACE layouts WITH replication = \
        {'class': 'NetworkTopologyStrategy', 'dc1': 1}";
    run(&session, keyspace).await?;
    // Cassandra compacts nothing by itself.
    let table = "CREATE TABLE layouts.simple \
        (id int PRIMARY KEY, name text, amount bigint, note blob) \
        WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '32'}";
    run(&session, table).await?;
    world.add_cluster().await?;
    let live = live_folder(&world)?;
    put_old(&live)?;
    let cli = world.cli();
    let maintain = async |arguments: &[&str]| {
        let command = [&["maintenance", "run"], arguments, &["--wait"]].concat();
        cli.ok(&command).await
    };
    let named = ["--table", "layouts.simple"];
    maintain(&[&["refresh", CLUSTER][..], &named].concat()).await?;
    let before = rows(&session, "SELECT id, name, amount FROM layouts.simple").await?;
    assert!(before.len() > 50, "{} rows", before.len());
    assert!(
        formats(&live)?.contains(&"me".to_owned()),
        "{:?}",
        formats(&live)?
    );

    let document = world.folder().join("upgrade.yaml");
    fs::write(&document, UPGRADE)?;
    let document = document.to_string_lossy().into_owned();
    let applied = cli.ok(&["apply", "-f", &document, "--wait"]).await?.json;
    assert_eq!(applied[0]["cluster"], CLUSTER, "found by its datacenter");
    assert_eq!(applied[0]["task"]["state"], "succeeded", "{applied:#}");
    assert_eq!(formats(&live)?, ["nb"], "counted from files");
    assert_eq!(
        rows(&session, "SELECT id, name, amount FROM layouts.simple").await?,
        before
    );

    let again = cli.ok(&["apply", "-f", &document]).await?.json;
    assert_eq!(again[0]["existed"], true);
    assert_eq!(again[0]["task_id"], applied[0]["task_id"]);
    let shown = cli
        .ok(&["get", "cassandratask", "upgrade-sstables"])
        .await?
        .json;
    let status = &shown["status"];
    assert_eq!(shown["spec"]["datacenter"]["name"], "dc1");
    assert_eq!(
        (&status["active"], &status["succeeded"], &status["failed"]),
        (&0.into(), &1.into(), &0.into())
    );
    assert_eq!(status["conditions"][1]["type"], "Complete");
    assert_eq!(status["conditions"][1]["status"], "True");
    assert!(status["completionTime"].is_string(), "{status:#}");

    // Two more SSTables, and then one.
    for amount in [1, 2] {
        let write = format!("INSERT INTO layouts.simple (id, amount) VALUES (1000, {amount})");
        run(&session, &write).await?;
        maintain(&[&["flush", CLUSTER][..], &named].concat()).await?;
    }
    assert!(sstables(&live)?.len() > 2, "{:?}", sstables(&live)?);
    maintain(&[&["compact", CLUSTER][..], &named].concat()).await?;
    until_one_is_left(&live).await?;
    maintain(&["cleanup", CLUSTER, "--jobs", "1"]).await?;
    maintain(&["garbagecollect", CLUSTER, "--keyspace", "layouts"]).await?;
    maintain(&[
        "scrub",
        CLUSTER,
        "--table",
        "layouts.simple",
        "--no-snapshot",
    ])
    .await?;
    maintain(&["repair", CLUSTER, "--keyspace", "layouts"]).await?;
    let after = rows(&session, "SELECT id FROM layouts.simple").await?;
    assert_eq!(after.len(), before.len() + 1);

    fs::write(
        &document,
        UPGRADE.replace("command: upgradesstables", "command: upgradetables"),
    )?;
    let refused = cli.run(&["apply", "-f", &document]).await?.expect(2);
    let meant = "there is no command `upgradetables` (did you mean `upgradesstables`?)";
    assert!(refused.stderr.contains(meant), "{}", refused.stderr);
    let tasks = cli.ok(&["maintenance", "list", CLUSTER]).await?.json;
    assert_eq!(tasks.as_array().map(Vec::len), Some(9), "{tasks:#}");
    Ok(())
}

/// The table's folder, which has no SSTables yet.
fn live_folder(world: &World) -> Result<PathBuf> {
    let data = &world.cluster.node(0).data_dirs[0];
    for entry in fs::read_dir(data.join("layouts"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("simple-") {
            return Ok(path);
        }
    }
    anyhow::bail!("the table has no folder")
}

fn put_old(live: &Path) -> Result<()> {
    for entry in fs::read_dir(OLD)? {
        let from = entry?.path();
        let name = from.file_name().unwrap_or_default().to_string_lossy();
        let is_component =
            name.ends_with(".db") || name.ends_with(".crc32") || name.ends_with("TOC.txt");
        if is_component {
            fs::copy(&from, live.join(&*name)).context("copy")?;
        }
    }
    Ok(())
}

/// Cassandra deletes what it has compacted a moment later.
async fn until_one_is_left(live: &Path) -> Result<()> {
    for _ in 0..600 {
        if sstables(live)?.len() == 1 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("left: {:?}", sstables(live)?)
}

/// Names of the table's live Data components.
fn sstables(live: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(live)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with("-Data.db") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The versions of their formats, each once.
fn formats(live: &Path) -> Result<Vec<String>> {
    let mut formats: Vec<String> = sstables(live)?
        .iter()
        .map(|name| name[..2].to_owned())
        .collect();
    formats.dedup();
    Ok(formats)
}
