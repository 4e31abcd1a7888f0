//! Tables of the older API on Cassandra 4.1, which it describes in comments only: they come back as they were.

use anyhow::Result;
use e2e::World;
use lab::session::{rows, run};
use lab::{Cluster, Release};

const TABLES: [&str; 5] = [
    "CREATE TABLE old.dense (a int, b text, c int, v text, PRIMARY KEY (a, b, c)) WITH COMPACT STORAGE
        AND CLUSTERING ORDER BY (b DESC, c ASC)",
    "CREATE TABLE old.keys (a int, b text, PRIMARY KEY (a, b)) WITH COMPACT STORAGE",
    "CREATE TABLE old.fixed (a int PRIMARY KEY, \"V\" text, value int) WITH COMPACT STORAGE",
    "CREATE TABLE old.hits (a int, b int, n counter, PRIMARY KEY (a, b)) WITH COMPACT STORAGE",
    // Keeps a value of a type without a name in CQL.
    "CREATE TABLE old.dropped (a int, b text, PRIMARY KEY (a, b)) WITH COMPACT STORAGE",
];

const READS: [&str; 7] = [
    "SELECT table_name, id, flags, comment FROM system_schema.tables WHERE keyspace_name = 'old'",
    "SELECT table_name, column_name, kind, position, type, clustering_order FROM system_schema.columns \
     WHERE keyspace_name = 'old'",
    "SELECT a, b, c, v, writetime(v) FROM old.dense",
    "SELECT a, b FROM old.keys",
    "SELECT a, \"V\", value, writetime(value) FROM old.fixed",
    "SELECT a, b, n FROM old.hits",
    "SELECT a, b FROM old.dropped",
];

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_compact_storage_come_back_as_they_were() -> Result<()> {
    let cluster = Cluster::builder(Release::C41).setting("drop_compact_storage_enabled", "true");
    let world = World::builder(cluster).start().await?;
    let session = world.cluster.session().await?;
    let keyspace =
        "CREATE KEYSPACE old WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}";
    run(&session, keyspace).await?;
    for table in TABLES {
        run(&session, table).await?;
    }
    insert(&world, 0).await?;
    run(&session, "ALTER TABLE old.dropped DROP COMPACT STORAGE").await?;
    world.add_cluster().await?;
    let before = content(&world).await?;
    world.backup("old", "full").await?;

    world.drop_keyspace("old").await?;
    world.restore("old", "online").await?;
    assert_eq!(content(&world).await?, before);

    // Over live tables, after a trial in scratch tables.
    insert(&world, 100).await?;
    world.restore("old", "online").await?;
    assert_eq!(content(&world).await?, before);
    Ok(())
}

async fn insert(world: &World, first: i32) -> Result<()> {
    let session = world.cluster.session().await?;
    for a in first..first + 20 {
        for statement in [
            format!("INSERT INTO old.dense (a, b, c, v) VALUES ({a}, 'x', 1, 'v{a}')"),
            format!("INSERT INTO old.keys (a, b) VALUES ({a}, 'y')"),
            format!("INSERT INTO old.fixed (a, \"V\", value) VALUES ({a}, 'z', {a})"),
            format!("UPDATE old.hits SET n = n + {a} WHERE a = {a} AND b = 1"),
            format!("INSERT INTO old.dropped (a, b) VALUES ({a}, 'w')"),
        ] {
            run(&session, &statement).await?;
        }
    }
    Ok(())
}

async fn content(world: &World) -> Result<Vec<String>> {
    let session = world.cluster.session().await?;
    let mut content = Vec::new();
    for query in READS {
        for row in rows(&session, query).await? {
            content.push(format!("{row:?}"));
        }
    }
    Ok(content)
}
