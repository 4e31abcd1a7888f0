//! Through a real S3 server, with every service a process of its own.

use anyhow::Result;
use e2e::{CLUSTER, World, assert_differ, assert_same};
use lab::{Cluster, Release};

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_over_tcp_and_minio_do_what_standalone_does() -> Result<()> {
    let world = World::builder(Cluster::builder(Release::C50))
        .separate()
        .s3()
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    let status = world.cli().ok(&["status"]).await?;
    assert!(status.stdout.contains(CLUSTER), "{}", status.stdout);
    let before = world.digest().await?;
    world.backup("to-s3", "full").await?;
    world.change(1).await?;
    world.backup("to-s3-too", "differential").await?;
    assert_differ(&before, &world.digest().await?);
    world
        .cli()
        .ok(&["backup", "verify", "to-s3-too", "--level", "objects"])
        .await?;
    world.restore("to-s3", "online").await?;
    assert_same(&before, &world.digest().await?);
    Ok(())
}
