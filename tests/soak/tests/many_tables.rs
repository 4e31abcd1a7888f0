//! A backup and a restore of 500 small tables, whose cost is that of tables and not that of bytes.

use std::time::Instant;

use anyhow::Result;
use e2e::World;
use lab::session::{rows, run};
use lab::{Cluster, Release};

const TABLES: usize = 500;
/// Cassandra keeps about a megabyte for each table.
const HEAP_MB: u32 = 3000;

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_small_tables_come_back() -> Result<()> {
    let cluster = Cluster::builder(Release::C41).heap_mb(HEAP_MB);
    let world = World::builder(cluster).start().await?;
    let session = world.cluster.session().await?;
    let replication = "{'class': 'NetworkTopologyStrategy', 'dc1': 1}";
    let keyspace = format!("CREATE KEYSPACE many WITH replication = {replication}");
    run(&session, &keyspace).await?;
    for at in 0..TABLES {
        let table = format!("CREATE TABLE many.t{at} (id int PRIMARY KEY, v text)");
        run(&session, &table).await?;
        let row = format!("INSERT INTO many.t{at} (id, v) VALUES ({at}, 'v')");
        run(&session, &row).await?;
    }
    world.add_cluster().await?;
    let begun = Instant::now();
    world.backup("small", "full").await?;
    println!("{TABLES} tables are backed up after {:?}", begun.elapsed());
    for at in 0..TABLES {
        run(
            &session,
            &format!("INSERT INTO many.t{at} (id, v) VALUES (-1, 'later')"),
        )
        .await?;
    }
    let begun = Instant::now();
    world.restore("small", "online").await?;
    println!("{TABLES} tables are restored after {:?}", begun.elapsed());
    for at in 0..TABLES {
        let there = rows(&session, &format!("SELECT id, v FROM many.t{at}")).await?;
        let ids: Vec<Option<i32>> = there
            .into_iter()
            .map(|row| row.into_iter().next().flatten().and_then(|id| id.as_int()))
            .collect();
        assert_eq!(ids, [Some(i32::try_from(at)?)], "many.t{at}");
    }
    Ok(())
}
