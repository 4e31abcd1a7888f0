//! Full backups that are copied inside a real S3 server: self-contained, so that they outlive what they were copied from.

use anyhow::{Context, Result, ensure};
use e2e::{CLUSTER, World, assert_differ, assert_same};
use lab::{Cluster, Release};

/// Compactions that the first backup's flush has caused come to rest within so many backups.
const BACKUPS_MAX: usize = 6;

async fn figure(world: &World, backup: &str, key: &str) -> Result<u64> {
    let shown = world.cli().ok(&["backup", "show", backup]).await?.json;
    let nodes = shown["nodes"].as_array().context("nodes")?;
    Ok(nodes.iter().filter_map(|node| node[key].as_u64()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_full_backup_outlives_its_source_and_is_restored() -> Result<()> {
    let world = World::builder(Cluster::builder(Release::C50))
        .separate()
        .s3()
        .start()
        .await?;
    let cli = world.cli();
    world.fill().await?;
    world.add_cluster().await?;
    let before = world.digest().await?;
    world.backup("full-0", "full").await?;
    ensure!(figure(&world, "full-0", "copied_bytes").await? == 0);

    let mut copied = String::new();
    for number in 1..=BACKUPS_MAX {
        copied = format!("full-{number}");
        world.backup(&copied, "full").await?;
        let bytes = figure(&world, &copied, "bytes").await?;
        let of_copies = figure(&world, &copied, "copied_bytes").await?;
        ensure!(of_copies > 0, "nothing of {copied} was copied");
        ensure!(figure(&world, &copied, "uploaded_bytes").await? == bytes);
        if of_copies == bytes {
            break;
        }
        ensure!(number < BACKUPS_MAX, "{of_copies} of {bytes} were copied");
    }
    let all = [
        "backup",
        "create",
        CLUSTER,
        "--name",
        "uploaded",
        "--reupload",
        "--wait",
    ];
    cli.ok(&all).await?;
    ensure!(figure(&world, "uploaded", "copied_bytes").await? == 0);

    let listed = cli.ok(&["backup", "list"]).await?.json;
    for backup in listed.as_array().context("a list")? {
        let name = backup["name"].as_str().context("a name")?;
        if name != copied {
            cli.ok(&["backup", "delete", name, "--yes"]).await?;
        }
    }
    cli.ok(&["gc", "run", CLUSTER, "--yes", "--wait"]).await?;
    let verify = ["backup", "verify", &copied, "--level", "sstables"];
    let report = cli.ok(&verify).await?.json;
    ensure!(report["ok"] == true, "{report}");

    world.change(1).await?;
    world.drop_keyspace("shop").await?;
    assert_differ(&before, &world.digest().await?);
    world.restore(&copied, "online").await?;
    assert_same(&before, &world.digest().await?);
    Ok(())
}
