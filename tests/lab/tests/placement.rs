//! Where real clusters place replicas, and where the placement crate says that they do.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use cassandra_formats::token::Partitioner;
use futures::stream::{self, TryStreamExt};
use lab::session::{rows, run};
use lab::{Cluster, ClusterBuilder, Node, Release};
use model::{HostId, RingMember};
use placement::{Placement, Replication, Ring};
use scylla::client::session::Session;
use scylla::value::CqlValue;
use tokio::sync::Mutex;

/// One cluster after the other: each keeps the machine busy.
static TURN: Mutex<()> = Mutex::const_new(());
/// Keys whose token is asked for, and those of them for whose replicas nodetool is started.
const KEYS: usize = 200;
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

/// A cluster as one of its nodes tells of it.
struct Known {
    partitioner: Partitioner,
    members: Vec<RingMember>,
    ring: Ring,
}

/// A partition key: how nodetool wants it, and its bytes.
#[derive(Debug)]
struct Key {
    table: &'static str,
    text: String,
    bytes: Vec<u8>,
}

impl Key {
    fn simple(a: &str) -> Self {
        Self {
            table: "simple",
            text: a.to_owned(),
            bytes: a.as_bytes().to_vec(),
        }
    }

    fn composite(a: &str, b: i32) -> Self {
        let mut bytes = Vec::new();
        for part in [a.as_bytes(), &b.to_be_bytes()] {
            bytes.extend((part.len() as u16).to_be_bytes());
            bytes.extend(part);
            bytes.push(0);
        }
        Self {
            table: "composite",
            text: format!("{a}:{b}"),
            bytes,
        }
    }
}

impl Known {
    async fn read(session: &Session, release: Release) -> Result<Self> {
        let peers = match release {
            Release::C311 => "peers",
            _ => "peers_v2",
        };
        let mut members = Vec::new();
        for (address, table) in [("broadcast_address", "local"), ("peer", peers)] {
            let query =
                format!("SELECT {address}, host_id, data_center, rack, tokens FROM system.{table}");
            for row in rows(session, &query).await? {
                members.push(member(&row).with_context(|| format!("{row:?}"))?);
            }
        }
        let class = rows(session, "SELECT partitioner FROM system.local").await?;
        let class = class[0][0].as_ref().and_then(CqlValue::as_text);
        let partitioner = class.and_then(|class| Partitioner::of(class));
        let partitioner = partitioner.context("a partitioner")?;
        Ok(Self {
            ring: Ring::new(&partitioner, &members)?,
            partitioner,
            members,
        })
    }

    /// As Cassandra tells it.
    async fn replication(&self, session: &Session, keyspace: &str) -> Result<Replication> {
        let query = format!(
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '{keyspace}'"
        );
        let rows = rows(session, &query).await?;
        let Some(Some(CqlValue::Map(options))) = rows.first().and_then(|row| row.first()) else {
            anyhow::bail!("no replication");
        };
        let text = |value: &CqlValue| value.as_text().cloned().context("a text");
        let options = options
            .iter()
            .map(|(key, value)| Ok((text(key)?, text(value)?)));
        Ok(Replication::parse(&options.collect::<Result<_>>()?)?)
    }

    /// What a user gives means what Cassandra makes of it.
    fn check_expanded(&self, given: &str, told: &Replication) -> Result<()> {
        let mut options = BTreeMap::new();
        for (at, option) in given.split(", ").enumerate() {
            let bare = option.replace('\'', "");
            let (name, value) = match at {
                0 => ("class", bare.as_str()),
                _ => bare.split_once(": ").context("an option")?,
            };
            options.insert(name.to_owned(), value.to_owned());
        }
        let expanded = Replication::expanded(&options, &self.ring)?;
        ensure!(&expanded == told, "{expanded:?} is {told:?} to Cassandra");
        Ok(())
    }

    /// Keys whose token is computed as the node computes it.
    async fn keys(&self, session: &Session, keyspace: &str) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for number in 0..KEYS {
            let (a, b) = (format!("key {number}"), number as i32);
            let (key, columns, condition) = match number % 2 {
                0 => (Key::simple(&a), "a", format!("a = '{a}'")),
                _ => (
                    Key::composite(&a, b),
                    "a, b",
                    format!("a = '{a}' AND b = {b}"),
                ),
            };
            let table = key.table;
            let insert = format!("INSERT INTO {keyspace}.{table} (a, b, v) VALUES ('{a}', {b}, 0)");
            run(session, &insert).await?;
            let query =
                format!("SELECT token({columns}) FROM {keyspace}.{table} WHERE {condition}");
            let answer = rows(session, &query).await?;
            let told = match answer.first().and_then(|row| row[0].as_ref()) {
                Some(CqlValue::BigInt(token)) => token.to_string(),
                Some(CqlValue::Varint(token)) => decimal(token.as_signed_bytes_be_slice()),
                other => anyhow::bail!("{other:?} is no token"),
            };
            let token = self.partitioner.token(&key.bytes).to_string();
            ensure!(token == told, "{key:?} has token {told}, not {token}");
            keys.push(key);
        }
        Ok(keys)
    }

    async fn check_ranges(
        &self,
        node: &Node,
        keyspace: &str,
        placement: &Placement<'_>,
    ) -> Result<()> {
        let text = node.nodetool(&["describering", keyspace]).await?;
        let told = text
            .lines()
            .filter_map(described)
            .collect::<BTreeMap<_, _>>();
        let computed: BTreeMap<(String, String), Vec<String>> = placement
            .iter()
            .map(|(range, replicas)| {
                let ends = (range.left.to_string(), range.right.to_string());
                (ends, self.addresses(replicas))
            })
            .collect();
        ensure!(!told.is_empty(), "no ranges in\n{text}");
        ensure!(
            told == computed,
            "Cassandra: {told:#?}\ncomputed: {computed:#?}"
        );
        Ok(())
    }

    async fn check_key(
        &self,
        node: &Node,
        keyspace: &str,
        key: &Key,
        placement: &Placement<'_>,
    ) -> Result<()> {
        let text = node
            .nodetool(&["getendpoints", keyspace, key.table, &key.text])
            .await?;
        let told: Vec<&str> = text.split_whitespace().collect();
        let token = self.partitioner.token(&key.bytes);
        let computed = self.addresses(placement.replicas_of(&token));
        ensure!(
            told == computed,
            "{told:?} have it, {computed:?} were computed"
        );
        Ok(())
    }

    fn addresses(&self, members: impl Iterator<Item = usize>) -> Vec<String> {
        members.map(|at| self.members[at].address.clone()).collect()
    }
}

fn member(row: &[Option<CqlValue>]) -> Result<RingMember> {
    let [
        Some(CqlValue::Inet(address)),
        Some(CqlValue::Uuid(host_id)),
        Some(CqlValue::Text(datacenter)),
        Some(CqlValue::Text(rack)),
        Some(CqlValue::Set(tokens)),
    ] = row
    else {
        anyhow::bail!("this is no member");
    };
    let tokens: Option<BTreeSet<String>> = tokens
        .iter()
        .map(|token| token.as_text().cloned())
        .collect();
    Ok(RingMember {
        host_id: HostId(*host_id),
        address: address.to_string(),
        datacenter: datacenter.clone(),
        rack: rack.clone(),
        tokens: tokens.context("tokens")?.into_iter().collect(),
    })
}

/// The ends of a range and its replicas, out of a line such as
/// `TokenRange(start_token:1, end_token:2, endpoints:[127.0.0.1], rpc_endpoints:[…], endpoint_details:[…])`.
fn described(line: &str) -> Option<((String, String), Vec<String>)> {
    let line = line.trim().strip_prefix("TokenRange(start_token:")?;
    let (left, line) = line.split_once(", end_token:")?;
    let (right, line) = line.split_once(", endpoints:[")?;
    let (endpoints, _) = line.split_once(']')?;
    let endpoints = endpoints.split(", ").map(str::to_owned).collect();
    Some(((left.to_owned(), right.to_owned()), endpoints))
}

/// A big-endian number that is not negative.
fn decimal(bytes: &[u8]) -> String {
    let number = bytes
        .iter()
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    number.to_string()
}
