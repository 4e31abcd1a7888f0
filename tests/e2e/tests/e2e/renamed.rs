//! A backup comes beside the live tables under other names, while a client writes to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use e2e::{Answer, CLUSTER, World, until_final, until_step};
use lab::session::{CqlValue, Session, rows, run};
use lab::{Cluster, Release};

const MADE: [&str; 8] = [
    "CREATE KEYSPACE day WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}",
    "CREATE TYPE day.money (amount int, currency text)",
    "CREATE TABLE day.orders (k int PRIMARY KEY, v text, w int, price frozen<money>, live money, all map<text, frozen<list<frozen<money>>>>)",
    "CREATE TABLE day.\"Lines\" (k int, n int, v text, gone text, PRIMARY KEY (k, n))",
    "ALTER TABLE day.\"Lines\" DROP gone",
    "CREATE INDEX orders_w_idx ON day.orders (w)",
    "CREATE CUSTOM INDEX by_v ON day.orders (v) USING 'StorageAttachedIndex'",
    "CREATE MATERIALIZED VIEW day.by_n AS SELECT n, k, v FROM day.\"Lines\" WHERE n IS NOT NULL AND k IS NOT NULL PRIMARY KEY (n, k)",
];
const ROWS: i32 = 60;

async fn fill(session: &Session) -> Result<()> {
    for k in 0..ROWS {
        let money = format!("{{amount: {k}, currency: 'c{k}'}}");
        run(
            session,
            &format!(
                "INSERT INTO day.orders (k, v, w, price, live, all) VALUES ({k}, 'v{k}', {}, {money}, {money}, {{'x': [{money}]}})",
                k % 5
            ),
        )
        .await?;
        let line = format!(
            "INSERT INTO day.\"Lines\" (k, n, v) VALUES ({}, {k}, 'l')",
            k % 7
        );
        run(session, &line).await?;
    }
    Ok(())
}

/// The rows of a table, sorted, without what the driver shows of its keyspace.
async fn content(session: &Session, table: &str) -> Result<Vec<String>> {
    let keyspace = table.split('.').next().unwrap_or_default().replace('"', "");
    let found = rows(session, &format!("SELECT * FROM {table}")).await?;
    let shown = |row: Vec<Option<CqlValue>>| {
        format!("{row:?}").replace(&format!("keyspace: \"{keyspace}\""), "keyspace: _")
    };
    let mut content: Vec<String> = found.into_iter().map(shown).collect();
    content.sort();
    Ok(content)
}

/// The ids of the tables of a keyspace.
async fn ids(session: &Session, keyspace: &str) -> Result<Vec<String>> {
    let query = format!(
        "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = '{keyspace}'"
    );
    let found = rows(session, &query).await?;
    Ok(found.into_iter().map(|row| format!("{row:?}")).collect())
}

async fn restore(world: &World, renames: &[&str]) -> Result<Answer> {
    let mut arguments = vec!["restore", "start", "then", "--into", CLUSTER];
    for rename in renames {
        arguments.extend(["--rename", rename]);
    }
    arguments.extend(["--wait", "--yes"]);
    world.cli().ok(&arguments).await
}

/// What a plan would do, each once.
async fn planned(world: &World, rename: &str) -> Result<Vec<String>> {
    let plan = [
        "restore", "plan", "then", "--into", CLUSTER, "--rename", rename,
    ];
    let plan = world.cli().ok(&plan).await?.json;
    let tables = plan["tables"].as_array().context("tables")?.iter();
    let actions = tables.filter_map(|table| table["action"].as_str());
    let mut actions: Vec<String> = actions.map(str::to_owned).collect();
    actions.sort();
    actions.dedup();
    // The view comes behind what is done to the tables.
    actions.sort_by_key(|action| action == "rebuild-view");
    Ok(actions)
}

async fn found(session: &Session, query: &str) -> Result<usize> {
    Ok(rows(session, query).await?.len())
}

/// Kills everything once a restore has begun a step, and waits until the restore has succeeded after a restart.
async fn killed_in_restore(world: &mut World, rename: &str, step: &str) -> Result<()> {
    let start = ["restore", "start", "then", "--into", CLUSTER, "--yes"];
    let start = [&start[..], &["--rename", rename]].concat();
    let started = world.cli().ok(&start).await?.json;
    let task = started["task_id"].as_str().context("a task")?.to_owned();
    until_step(world.cli(), &task, step).await?;
    let process = world.deployment.process("standalone")?;
    process.kill()?;
    process.run().await?;
    let ended = until_final(world.cli(), &task).await?;
    ensure!(ended["state"] == "succeeded", "{ended:#}");
    Ok(())
}

/// Writes rows of its own to the live table until it is told to stop; returns how many.
async fn write_on(session: Session, stop: Arc<AtomicBool>) -> Result<i32> {
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let k = 1000 + written;
        let insert = format!("INSERT INTO day.orders (k, v, w) VALUES ({k}, 'new', 9)");
        run(&session, &insert).await?;
        written += 1;
    }
    Ok(written)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_beside_what_is_live() -> Result<()> {
    let mut world = World::builder(Cluster::builder(Release::C50))
        .start()
        .await?;
    let session = world.cluster.session().await?;
    for statement in MADE {
        run(&session, statement).await?;
    }
    fill(&session).await?;
    world.add_cluster().await?;
    let orders = content(&session, "day.orders").await?;
    let lines = content(&session, "day.\"Lines\"").await?;
    world.backup("then", "full").await?;

    // From here on the live tables are others.
    run(&session, "UPDATE day.orders SET v = 'changed' WHERE k = 1").await?;
    run(&session, "DELETE FROM day.orders WHERE k = 2").await?;
    let live_ids = ids(&session, "day").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_on(world.cluster.session().await?, stop.clone()));

    // A table, into a keyspace that is made, and beside itself.
    let plan = ["restore", "plan", "then", "--into", CLUSTER];
    let plan = [&plan[..], &["--rename", "day.orders=day_copy.orders"]].concat();
    let plan = world.cli().ok(&plan).await?.json;
    assert_eq!(plan["tables"][0]["source"], "day.orders");
    assert_eq!(plan["tables"][0]["action"], "create");
    restore(&world, &["day.orders=day_copy.orders"]).await?;
    assert_eq!(content(&session, "day_copy.orders").await?, orders);
    restore(&world, &["day.orders=day.Orders_then"]).await?;
    assert_eq!(content(&session, "day.\"Orders_then\"").await?, orders);
    let by_index = "SELECT k FROM day.\"Orders_then\" WHERE w = 3";
    assert_eq!(found(&session, by_index).await?, ROWS as usize / 5);

    // The whole keyspace, twice: the second time the copy is there, and makes way after a trial.
    for action in ["create", "truncate"] {
        assert_eq!(
            planned(&world, "day=Day_2").await?,
            [action, "rebuild-view"]
        );
        restore(&world, &["day=Day_2"]).await?;
        assert_eq!(content(&session, "\"Day_2\".orders").await?, orders);
        assert_eq!(content(&session, "\"Day_2\".\"Lines\"").await?, lines);
        for (query, expected) in [
            ("SELECT k FROM \"Day_2\".orders WHERE w = 3", ROWS / 5),
            ("SELECT k FROM \"Day_2\".orders WHERE v = 'v7'", 1),
            ("SELECT k FROM \"Day_2\".by_n", ROWS),
        ] {
            assert_eq!(found(&session, query).await?, expected as usize, "{query}");
        }
        run(&session, "DELETE FROM \"Day_2\".orders WHERE k = 3").await?;
        run(
            &session,
            "INSERT INTO \"Day_2\".orders (k, v) VALUES (777, 'stray')",
        )
        .await?;
    }

    // All of Ringkeep dies in the middle; the task goes on with the same names.
    killed_in_restore(&mut world, "day.Lines=day_copy.lines", "stage").await?;
    assert_eq!(content(&session, "day_copy.lines").await?, lines);
    killed_in_restore(&mut world, "day.Lines=day_copy.lines_2", "load").await?;
    assert_eq!(content(&session, "day_copy.lines_2").await?, lines);

    stop.store(true, Ordering::Relaxed);
    let written = writer.await??;
    ensure!(written > 0, "the client has not written");
    let ids_now = ids(&session, "day").await?;
    for id in &live_ids {
        assert!(ids_now.contains(id), "{id} in {ids_now:?}");
    }
    let live = found(&session, "SELECT k FROM day.orders").await?;
    assert_eq!(live as i32, ROWS - 1 + written);
    let changed = rows(&session, "SELECT v FROM day.orders WHERE k = 1").await?;
    let changed = changed[0][0].as_ref().and_then(|value| value.as_text());
    assert_eq!(changed.context("a value")?, "changed");
    assert_eq!(world.leftovers()?, Vec::<std::path::PathBuf>::new());

    // In place there is no beside.
    let refused = [
        "restore", "plan", "then", "--into", CLUSTER, "--mode", "in-place",
    ];
    let refused = [&refused[..], &["--rename", "day=Day_3"]].concat();
    let refused = world.cli().run(&refused).await?.expect(3);
    assert!(
        refused
            .finding_codes()
            .contains(&"MODE_UNAVAILABLE".to_owned())
    );
    Ok(())
}
