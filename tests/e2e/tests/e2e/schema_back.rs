//! A schema that was changed since the backup goes back to the restore point, and forward again by the CQL of the plan.

use anyhow::{Context, Result};
use e2e::{CLUSTER, World};
use lab::session::{CqlValue, Session, rows, run};
use lab::{Cluster, Release};

const MADE: [&str; 5] = [
    "CREATE KEYSPACE back WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
    "CREATE TABLE back.a (k int PRIMARY KEY, v text, w int, gone text)",
    "CREATE TABLE back.b (k int PRIMARY KEY, v text) WITH comment = 'before'",
    "CREATE TABLE back.same (k int PRIMARY KEY, v text)",
    "CREATE INDEX a_w ON back.a (w)",
];

const CHANGED: [&str; 8] = [
    "ALTER TABLE back.a ADD later text",
    "ALTER TABLE back.a DROP gone",
    "ALTER TABLE back.a DROP v",
    "ALTER TABLE back.a ADD v text",
    "DROP INDEX back.a_w",
    "ALTER TABLE back.b WITH comment = 'after' AND gc_grace_seconds = 3600",
    "CREATE TABLE back.c (k int PRIMARY KEY, v text)",
    "CREATE MATERIALIZED VIEW back.by_w AS SELECT w, k FROM back.a WHERE w IS NOT NULL AND k IS NOT NULL PRIMARY KEY (w, k)",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schema_goes_back_and_forward_again() -> Result<()> {
    let world = World::builder(Cluster::builder(Release::C41))
        .start()
        .await?;
    let session = world.cluster.session().await?;
    for statement in MADE {
        run(&session, statement).await?;
    }
    for k in 0..50 {
        for statement in [
            format!(
                "INSERT INTO back.a (k, v, w, gone) VALUES ({k}, 'v{k}', {}, 'g')",
                k % 5
            ),
            format!("INSERT INTO back.b (k, v) VALUES ({k}, 'v{k}')"),
            format!("INSERT INTO back.same (k, v) VALUES ({k}, 'v{k}')"),
        ] {
            run(&session, &statement).await?;
        }
    }
    world.add_cluster().await?;
    let (schema, data) = (
        described(&session).await?,
        content(&session, &["a", "b", "same"]).await?,
    );
    world.backup("then", "full").await?;

    for statement in CHANGED {
        run(&session, statement).await?;
    }
    run(
        &session,
        "UPDATE back.a SET v = 'other', later = 'l' WHERE k = 1",
    )
    .await?;
    run(&session, "INSERT INTO back.c (k, v) VALUES (1, 'new')").await?;
    let (later, added) = (described(&session).await?, content(&session, &["c"]).await?);

    let plan = world
        .cli()
        .ok(&["restore", "plan", "then", "--into", CLUSTER])
        .await?;
    let changes = plan.json["schema_changes"].as_array().context("changes")?;
    let forward: Vec<&str> = changes
        .iter()
        .flat_map(|change| change["forward_cql"].as_array().into_iter().flatten())
        .filter_map(|statement| statement.as_str())
        .collect();
    world.restore("then", "online").await?;

    let mut back = described(&session).await?;
    back.retain(|statement| !statement.contains(" back.c "));
    assert_eq!(back, schema);
    assert_eq!(content(&session, &["a", "b", "same"]).await?, data);
    assert_eq!(
        content(&session, &["c"]).await?,
        added,
        "a table that the backup does not know"
    );
    let indexed = rows(&session, "SELECT k FROM back.a WHERE w = 3").await?;
    assert_eq!(indexed.len(), 10, "the index is built");

    for statement in &forward {
        run(&session, statement)
            .await
            .with_context(|| (*statement).to_owned())?;
    }
    assert_eq!(described(&session).await?, later, "{forward:#?}");
    Ok(())
}

/// What makes each object of the keyspace, in an order of its own.
async fn described(session: &Session) -> Result<Vec<String>> {
    let found = rows(session, "DESCRIBE KEYSPACE back").await?;
    let statement = |row: Vec<_>| row.into_iter().next_back().flatten();
    let mut statements = Vec::new();
    for row in found {
        let text = statement(row).and_then(CqlValue::into_string);
        statements.push(text.context("a statement")?);
    }
    statements.sort();
    Ok(statements)
}

/// The rows of tables, sorted.
async fn content(session: &Session, tables: &[&str]) -> Result<Vec<String>> {
    let mut content = Vec::new();
    for table in tables {
        let found = rows(session, &format!("SELECT * FROM back.{table}")).await?;
        content.extend(found.into_iter().map(|row| format!("{table}: {row:?}")));
    }
    content.sort();
    Ok(content)
}
