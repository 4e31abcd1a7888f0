//! A target with a guardrail that would refuse a CREATE in the middle of a restore: nothing is begun.

use anyhow::{Context, Result};
use e2e::{CLUSTER, World};
use lab::session::{rows, run};
use lab::{Cluster, Release};

const ROLE: &str = "ringkeep";
const TABLES: [&str; 3] = ["apples", "berries", "cherries"];
const ROWS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_a_guardrail_refuses_is_refused_by_the_plan() -> Result<()> {
    // Guardrails hold for everybody but superusers, as whom the test makes the index.
    let cluster = Cluster::builder(Release::C41)
        .authenticator(true)
        .setting("secondary_indexes_enabled", "false");
    let world = World::builder(cluster)
        .agents_as(ROLE, ROLE)
        .start()
        .await?;
    fill(&world).await?;
    world.add_cluster().await?;
    world.backup("good", "full").await?;
    let session = world.cluster.session().await?;
    run(&session, "DROP INDEX fruit.by_colour").await?;
    run(&session, "DROP TABLE fruit.dates").await?;
    insert(&world, "apples", ROWS).await?;
    let before = counts(&world).await?;

    let restore = [
        "restore", "start", "good", "--into", CLUSTER, "--wait", "--yes",
    ];
    let refused = world.cli().run(&restore).await?.expect(3);
    for words in ["GUARDRAIL_REFUSES", "secondary_indexes_enabled"] {
        assert!(
            refused.stdout.contains(words),
            "{words}: {}",
            refused.stdout
        );
    }
    assert_eq!(counts(&world).await?, before);
    let tasks = world.cli().ok(&["task", "list"]).await?;
    let tasks = tasks.json.as_array().context("tasks")?;
    assert!(!tasks.iter().any(|task| task["kind"] == "restore"));
    assert!(world.leftovers()?.is_empty(), "{:?}", world.leftovers()?);
    // Nothing has pinned the backup.
    let pinned = ["backup", "delete", "good", "--yes"];
    world.cli().ok(&pinned).await?;
    Ok(())
}

async fn fill(world: &World) -> Result<()> {
    let session = world.cluster.session().await?;
    for statement in [
        &format!("CREATE ROLE {ROLE} WITH PASSWORD = '{ROLE}' AND LOGIN = true"),
        &format!("GRANT ALL ON ALL KEYSPACES TO {ROLE}"),
        &format!("GRANT SELECT ON KEYSPACE system_views TO {ROLE}"),
        "CREATE KEYSPACE fruit WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
        "CREATE TABLE fruit.dates (id int PRIMARY KEY, colour text)",
    ] {
        run(&session, statement).await?;
    }
    for table in TABLES {
        let columns = "(id int PRIMARY KEY, colour text)";
        run(&session, &format!("CREATE TABLE fruit.{table} {columns}")).await?;
        insert(world, table, 0).await?;
    }
    run(&session, "CREATE INDEX by_colour ON fruit.berries (colour)").await
}

/// Rows from this number on.
async fn insert(world: &World, table: &str, first: usize) -> Result<()> {
    let session = world.cluster.session().await?;
    for id in first..first + ROWS {
        let values = format!("(id, colour) VALUES ({id}, 'red')");
        run(&session, &format!("INSERT INTO fruit.{table} {values}")).await?;
    }
    Ok(())
}

/// How many rows each table has.
async fn counts(world: &World) -> Result<Vec<usize>> {
    let session = world.cluster.session().await?;
    let mut counts = Vec::new();
    for table in TABLES {
        let query = format!("SELECT id FROM fruit.{table}");
        counts.push(rows(&session, &query).await?.len());
    }
    Ok(counts)
}
