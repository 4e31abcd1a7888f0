//! Where real clusters place replicas, and where the placement crate says that they do.

mod known;

use anyhow::{Context, Result, ensure};
use futures::stream::{self, TryStreamExt};
use known::Known;
use lab::session::run;
use lab::{Cluster, ClusterBuilder, Release};
use placement::Placement;
use tokio::sync::Mutex;

/// One cluster after the other: each keeps the machine busy.
static TURN: Mutex<()> = Mutex::const_new(());
/// Keys for whose replicas nodetool is started, on each cluster.
const LOCATED_KEYS: usize = 16;
const TOOLS_AT_ONCE: usize = 2;

const TWO_DATACENTERS: [(&str, &str); 5] = [
    ("dc1", "r1"),
    ("dc1", "r1"),
    ("dc1", "r2"),
    ("dc2", "r1"),
    ("dc2", "r2"),
];
const ONE_DATACENTER: [(&str, &str); 3] = [("dc1", "r1"), ("dc1", "r2"), ("dc1", "r1")];

#[tokio::test(flavor = "multi_thread")]
async fn two_datacenters_of_5_0_hold_what_is_computed() -> Result<()> {
    let builder = Cluster::builder(Release::C50).layout(&TWO_DATACENTERS);
    let replications = [
        "'NetworkTopologyStrategy', 'dc1': 2, 'dc2': 1",
        "'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 2",
        "'NetworkTopologyStrategy', 'dc1': 1",
        // As many as there are, though more are wanted.
        "'NetworkTopologyStrategy', 'dc1': 5, 'dc2': 1",
        // Cassandra names the datacenters itself.
        "'NetworkTopologyStrategy', 'replication_factor': 2",
        "'NetworkTopologyStrategy', 'replication_factor': 1, 'dc1': 2",
        "'SimpleStrategy', 'replication_factor': 2",
        "'SimpleStrategy', 'replication_factor': 3",
    ];
    prove(builder, &replications).await
}

#[tokio::test(flavor = "multi_thread")]
async fn racks_of_3_11_hold_what_is_computed() -> Result<()> {
    let builder = Cluster::builder(Release::C311).layout(&ONE_DATACENTER);
    prove(builder, &ONE_DATACENTER_REPLICATIONS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_random_partitioner_of_3_11_places_as_computed() -> Result<()> {
    let partitioner = "org.apache.cassandra.dht.RandomPartitioner";
    let builder = Cluster::builder(Release::C311)
        .layout(&ONE_DATACENTER)
        .setting("partitioner", partitioner);
    prove(builder, &ONE_DATACENTER_REPLICATIONS).await
}

const ONE_DATACENTER_REPLICATIONS: [&str; 3] = [
    "'NetworkTopologyStrategy', 'dc1': 2",
    "'SimpleStrategy', 'replication_factor': 2",
    "'SimpleStrategy', 'replication_factor': 4",
];

async fn prove(builder: ClusterBuilder, replications: &[&str]) -> Result<()> {
    let _turn = TURN.lock().await;
    let builder = builder.name("placement").num_tokens(4).heap_mb(320);
    let cluster = builder.start().await?;
    let node = cluster.node(0);
    let session = cluster.session_to(node).await?;
    let known = Known::read(&session, cluster.release()).await?;
    ensure!(
        known.members.len() == cluster.nodes().len(),
        "{} members are known",
        known.members.len()
    );
    let mut placed = Vec::new();
    for (at, replication) in replications.iter().enumerate() {
        let name = format!("k{at}");
        let make = format!("CREATE KEYSPACE {name} WITH replication = {{'class': {replication}}}");
        run(&session, &make).await?;
        placed.push((name.clone(), known.replication(&session, &name).await?));
        known
            .check_expanded(replication, &placed[at].1)
            .with_context(|| replication.to_string())?;
        for (table, key) in [("simple", "a"), ("composite", "(a, b)")] {
            let make = format!(
                "CREATE TABLE {name}.{table} (a text, b int, v int, PRIMARY KEY ({key}, v))"
            );
            run(&session, &make).await?;
        }
    }
    let keys = known.keys(&session, "k0").await?;
    for (name, replication) in &placed {
        let placement = Placement::of(&known.ring, replication);
        known
            .check_ranges(node, name, &placement)
            .await
            .with_context(|| format!("{name}: {replication:?} in {:?}", known.members))?;
    }
    // The keyspaces take turns, as each look-up starts a nodetool.
    let located = keys.iter().take(LOCATED_KEYS).zip(placed.iter().cycle());
    stream::iter(located.map(anyhow::Ok))
        .try_for_each_concurrent(TOOLS_AT_ONCE, |(key, (name, replication))| {
            let placement = Placement::of(&known.ring, replication);
            let known = &known;
            async move {
                let told = known.check_key(node, name, key, &placement).await;
                told.with_context(|| {
                    format!("{name}, {key:?}: {replication:?} in {:?}", known.members)
                })
            }
        })
        .await
}
