//! A target that refuses a CREATE in the middle of a restore: nothing is lost, and nothing is left.

use anyhow::{Context, Result};
use e2e::{CLUSTER, World};
use lab::session::{rows, run};
use lab::{Cluster, Release};

const ROLE: &str = "ringkeep";
const TABLES: [&str; 3] = ["apples", "berries", "cherries"];
const ROWS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_index_costs_no_rows_and_the_restore_can_be_given_up() -> Result<()> {
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
    let failed = world.cli().run(&restore).await?.expect(1);
    for words in ["secondary index", "nothing was replaced yet"] {
        let said = failed.stderr.to_lowercase();
        assert!(said.contains(words), "{words}: {}", failed.stderr);
    }
    assert_eq!(counts(&world).await?, before);
    let pinned = ["backup", "delete", "good", "--yes"];
    let refused = world.cli().run(&pinned).await?;
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("task cancel"), "{}", refused.stderr);

    let tasks = world.cli().ok(&["task", "list"]).await?;
    // The refused deletion is a task, too.
    let tasks = tasks.json.as_array().context("tasks")?;
    let restore = tasks.iter().find(|task| task["kind"] == "restore");
    let task = restore.and_then(|task| task["id"].as_str());
    let task = task.context("the restore")?.to_owned();
    world.cli().ok(&["task", "cancel", &task]).await?;
    let ended = e2e::until_final(world.cli(), &task).await?;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let finding = &ended["findings"][0];
    assert_eq!(finding["code"], "MADE_AND_KEPT", "{ended}");
    let hint = finding["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("DROP TABLE IF EXISTS fruit.dates"), "{hint}");
    assert!(world.leftovers()?.is_empty(), "{:?}", world.leftovers()?);
    assert_eq!(counts(&world).await?, before);
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
