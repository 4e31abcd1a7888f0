//! Nodes hold partitions that they do not own any more, and nobody has cleaned up.

use anyhow::{Result, ensure};
use e2e::{CLUSTER, World, assert_same};
use lab::session::{rows, run};
use lab::{Cluster, Release};

const ROWS: i64 = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_does_not_own_is_left_out_and_nothing_is_missing() -> Result<()> {
    let cluster = Cluster::builder(Release::C41).nodes(2).num_tokens(4);
    let world = World::builder(cluster).start().await?;
    let session = world.cluster.session().await?;
    let replicate = |verb, replicas| {
        format!(
            "{verb} KEYSPACE grown WITH replication = {{'class': 'NetworkTopologyStrategy', 'dc1': {replicas}}}"
        )
    };
    run(&session, &replicate("CREATE", 2)).await?;
    run(&session, "CREATE TABLE grown.t (k int PRIMARY KEY, v text)").await?;
    for key in 0..ROWS {
        let insert = format!("INSERT INTO grown.t (k, v) VALUES ({key}, 'value {key}')");
        run(&session, &insert).await?;
    }
    world.cluster.nodetool_all(&["flush"]).await?;
    run(&session, &replicate("ALTER", 1)).await?;
    world.add_cluster().await?;
    let before = world.cluster.digest(&["grown"]).await?;
    world.backup("grown", "full").await?;

    run(&session, "DELETE FROM grown.t WHERE k = 7").await?;
    let plan = world
        .cli()
        .ok(&["restore", "plan", "grown", "--into", CLUSTER])
        .await?;
    ensure!(
        plan.finding_codes()
            .contains(&"FOREIGN_PARTITIONS".to_owned()),
        "{}",
        plan.stdout
    );
    world.restore("grown", "online").await?;
    let counted = rows(&session, "SELECT count(*) FROM grown.t").await?;
    let counted = counted.into_iter().flatten().next().flatten();
    assert_eq!(counted.and_then(|value| value.as_bigint()), Some(ROWS));
    assert_same(&before, &world.cluster.digest(&["grown"]).await?);
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());
    Ok(())
}
