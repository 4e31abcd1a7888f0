//! Nothing from after the restore point: three nodes with pending hints and a writer that never stops by itself, restored in
//! place, rolled back, restored again, and accepted; and online where a table is made again with its old id.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::World;
use lab::session::{rows, run};
use lab::{Cluster, Release};
use scylla::client::session::Session;
use scylla::statement::{Consistency, Statement};

const BACKED_UP: i32 = 50;
const HINTED: i32 = 150;
/// Hints are delivered within seconds of the start; this is long enough for all of them.
const HINTS_COME: Duration = Duration::from_secs(30);
const BETWEEN_WRITES: Duration = Duration::from_millis(20);

async fn world() -> Result<World> {
    let cluster = Cluster::builder(Release::C41)
        .layout(&[("dc1", "r1"), ("dc1", "r2"), ("dc1", "r3")])
        .num_tokens(4);
    let world = World::builder(cluster).start().await?;
    world.add_cluster().await?;
    let session = world.cluster.session().await?;
    let replication = "{'class': 'NetworkTopologyStrategy', 'dc1': 3}";
    let keyspace = format!("CREATE KEYSPACE point WITH replication = {replication}");
    run(&session, &keyspace).await?;
    run(
        &session,
        "CREATE TABLE point.t (id int PRIMARY KEY, v text)",
    )
    .await?;
    world.cluster.wait_ready().await?;
    insert(&session, 0..BACKED_UP, Consistency::All).await?;
    world.backup("point", "full").await?;
    Ok(world)
}

async fn insert(session: &Session, ids: std::ops::Range<i32>, at: Consistency) -> Result<()> {
    for id in ids {
        insert_one(session, id, at).await?;
    }
    Ok(())
}

async fn insert_one(session: &Session, id: i32, at: Consistency) -> Result<()> {
    let mut statement = Statement::new(format!("INSERT INTO point.t (id, v) VALUES ({id}, 'v')"));
    statement.set_consistency(at);
    session.query_unpaged(statement, ()).await?;
    Ok(())
}

/// The ids that each node has by itself, and all of them together.
async fn ids(world: &World) -> Result<BTreeSet<i32>> {
    world.cluster.wait_ready().await?;
    let session = world.cluster.session().await?;
    let mut statement = Statement::new("SELECT id FROM point.t");
    statement.set_consistency(Consistency::All);
    let result = session
        .query_unpaged(statement, ())
        .await?
        .into_rows_result()?;
    let found = result.rows::<(i32,)>()?.map(|row| Ok(row?.0));
    found.collect()
}

/// Has the first two nodes keep hints for the third.
async fn keep_hints(world: &World) -> Result<()> {
    let third = world.cluster.node(2);
    third.stop().await?;
    let session = world.cluster.session_to(world.cluster.node(0)).await?;
    insert(&session, BACKED_UP..HINTED, Consistency::Quorum).await?;
    for node in [0, 1] {
        let node = world.cluster.node(node);
        node.nodetool(&["pausehandoff"]).await?;
    }
    third.start().await?;
    world.cluster.wait_ready().await
}

/// Writes until it is refused; returns the first id that was not taken.
fn keep_writing(session: Session) -> (Arc<AtomicBool>, tokio::task::JoinHandle<i32>) {
    let begun = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicI32::new(HINTED));
    let has_begun = begun.clone();
    let writer = tokio::spawn(async move {
        loop {
            let id = next.fetch_add(1, Ordering::SeqCst);
            if insert_one(&session, id, Consistency::Quorum).await.is_err() {
                return id;
            }
            has_begun.store(true, Ordering::SeqCst);
            // Nodes need the processor, too.
            tokio::time::sleep(BETWEEN_WRITES).await;
        }
    });
    (begun, writer)
}

fn task_of(answer: &e2e::Answer) -> Result<&str> {
    answer.json["task_id"].as_str().context("a task")
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_nothing_from_after_the_restore_point_returns_and_there_is_a_way_back()
-> Result<()> {
    let world = world().await?;
    let cli = world.cli();
    keep_hints(&world).await?;
    let (begun, writer) = keep_writing(world.cluster.session().await?);
    while !begun.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let restored = world.restore("point", "in-place").await?;
    let refused = writer.await?;
    world.cluster.wait_ready().await?;
    tokio::time::sleep(HINTS_COME).await;
    let expected: BTreeSet<i32> = (0..BACKED_UP).collect();
    assert_eq!(ids(&world).await?, expected);

    // Everything that was acknowledged before is there again; the write that was refused may be.
    let first = task_of(&restored)?;
    cli.ok(&["restore", "rollback", first, "--yes", "--wait"])
        .await?;
    let mut back = ids(&world).await?;
    back.remove(&refused);
    assert_eq!(back, (0..refused).collect());
    assert!(world.leftovers()?.is_empty(), "{:?}", world.leftovers()?);
    let accept = ["restore", "accept", first, "--yes", "--wait"];
    assert_ne!(cli.run(&accept).await?.code, 0, "it is rolled back");

    let restored = world.restore("point", "in-place").await?;
    assert_eq!(ids(&world).await?, expected);
    let second = task_of(&restored)?;
    cli.ok(&["restore", "accept", second, "--yes", "--wait"])
        .await?;
    assert!(world.leftovers()?.is_empty(), "{:?}", world.leftovers()?);
    let rollback = ["restore", "rollback", second, "--yes", "--wait"];
    assert_ne!(cli.run(&rollback).await?.code, 0, "it is accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn online_hints_of_a_table_that_is_made_again_with_its_id_are_dropped() -> Result<()> {
    let world = world().await?;
    keep_hints(&world).await?;
    let session = world.cluster.session().await?;
    run(&session, "ALTER TABLE point.t ADD later int").await?;
    world.restore("point", "online").await?;
    for node in [0, 1] {
        let node = world.cluster.node(node);
        node.nodetool(&["resumehandoff"]).await?;
    }
    tokio::time::sleep(HINTS_COME).await;
    assert_eq!(ids(&world).await?, (0..BACKED_UP).collect());
    let there = rows(&session, "SELECT id FROM point.t").await?;
    assert_eq!(there.len(), BACKED_UP as usize);
    Ok(())
}
