//! Targets that would refuse something in the middle of a restore, for a guardrail or for a missing grant: nothing is begun.

use std::fs;
use std::os::unix::fs::PermissionsExt;

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

/// The login that JMX asks for, and that nodetool is given in a file.
const JMX_USER: &str = "operator";
const JMX_PASSWORD: &str = "jmx-secret";

/// Has Cassandra refuse callers that do not log in to JMX.
async fn ask_for_a_login_of_jmx(world: &World) -> Result<()> {
    let node = world.cluster.node(0);
    let passwords = node.dir.join("conf/jmx.passwords");
    fs::write(&passwords, format!("{JMX_USER} {JMX_PASSWORD}\n"))?;
    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o600))?;
    let script = node.script("run");
    let port = "'-Dcassandra.jmx.local.port=";
    let text = fs::read_to_string(&script)?;
    anyhow::ensure!(text.contains(port), "{text}");
    let option = "-Dcom.sun.management.jmxremote";
    let passwords = passwords.display();
    let with_login =
        format!("'{option}.authenticate=true' '{option}.password.file={passwords}' {port}");
    fs::write(&script, text.replace(port, &with_login))?;
    node.stop().await?;
    node.start().await?;
    let refused = node.nodetool(&["info"]).await;
    anyhow::ensure!(refused.is_err(), "JMX asks for no login");
    Ok(())
}

/// Gives the agent the login of JMX.
async fn log_in_to_jmx(world: &mut World) -> Result<()> {
    let after = "cql_username = ";
    let login = format!("jmx_username = {JMX_USER:?}\njmx_password = {JMX_PASSWORD:?}\n{after}");
    world.reconfigure(|text| text.replace(after, &login)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_in_place_needs_a_superuser_and_brings_back_a_keyspace_without_tables()
-> Result<()> {
    let cluster = Cluster::builder(Release::C41).authenticator(true);
    let mut world = World::builder(cluster)
        .agents_as(ROLE, ROLE)
        .start()
        .await?;
    fill(&world).await?;
    ask_for_a_login_of_jmx(&world).await?;
    log_in_to_jmx(&mut world).await?;
    world.control_by_nodetool().await?;
    let session = world.cluster.session().await?;
    for statement in [
        "CREATE KEYSPACE words WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
        "CREATE TYPE words.price (amount decimal, currency text)",
    ] {
        run(&session, statement).await?;
    }
    world.add_cluster().await?;
    world.backup("all", "full").await?;
    let before = counts(&world).await?;
    insert(&world, "apples", ROWS).await?;
    run(&session, "DROP KEYSPACE words").await?;

    let start = [
        "restore", "start", "all", "--into", CLUSTER, "--mode", "in-place", "--wait", "--yes",
    ];
    let refused = world.cli().run(&start).await?.expect(3);
    let alter = format!("ALTER ROLE {ROLE} WITH SUPERUSER = true");
    assert!(refused.stdout.contains(&alter), "{}", refused.stdout);
    run(&session, &alter).await?;
    let restored = world.cli().ok(&start).await?;
    assert_eq!(counts(&world).await?, before);
    let session = world.cluster.session().await?;
    let types = "SELECT type_name FROM system_schema.types WHERE keyspace_name = 'words'";
    assert_eq!(rows(&session, types).await?.len(), 1);
    let task = restored.json["task_id"].as_str().context("a task")?;
    world
        .cli()
        .ok(&["restore", "accept", task, "--yes", "--wait"])
        .await?;
    assert!(world.leftovers()?.is_empty(), "{:?}", world.leftovers()?);
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
