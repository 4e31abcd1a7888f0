//! Three nodes on three racks: online and in place, whole and one table.

use anyhow::Result;
use e2e::{CLUSTER, World, assert_differ, assert_same, check_indexes};
use lab::{Cluster, Release};

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_come_back_online_and_in_place() -> Result<()> {
    let cluster = Cluster::builder(Release::C41)
        .layout(&[("dc1", "r1"), ("dc1", "r2"), ("dc1", "r3")])
        .num_tokens(4);
    let world = World::builder(cluster).start().await?;
    let cli = world.cli();
    world.fill().await?;
    world.add_cluster().await?;
    let before = world.digest().await?;
    world.backup("ring", "full").await?;

    let shown = cli.ok(&["backup", "show", "ring"]).await?.json;
    assert_eq!(shown["nodes"].as_array().map(Vec::len), Some(3));
    assert!(shown["snapshot_spread_ms"].is_u64());

    world.change(1).await?;
    assert_differ(&before, &world.digest().await?);
    let restored = world.restore("ring", "in-place").await?;
    assert_same(&before, &world.digest().await?);
    check_indexes(&world).await?;
    assert_ne!(world.leftovers()?, Vec::<std::path::PathBuf>::new());
    let task = restored.json["task_id"].as_str().expect("a task");
    let accept = ["restore", "accept", task, "--yes", "--wait"];
    cli.ok(&accept).await?;
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());

    world.change(2).await?;
    world.drop_keyspace("shop").await?;
    world.restore("ring", "online").await?;
    assert_same(&before, &world.digest().await?);
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());

    // One agent away: a backup would be incomplete, and is refused before anything is touched.
    let partial = [
        "cluster",
        "add",
        "partial",
        "--agent",
        &world.deployment.agents[0],
    ];
    let refused = cli.run(&partial).await?;
    assert_ne!(
        refused.code, 0,
        "two ring members have no agent: {}",
        refused.stdout
    );
    let plan = cli
        .ok(&[
            "restore", "plan", "ring", "--into", CLUSTER, "--mode", "in-place",
        ])
        .await?;
    assert_eq!(plan.json["nodes"].as_array().map(Vec::len), Some(3));
    Ok(())
}
