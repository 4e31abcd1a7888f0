//! A cluster as one of its nodes tells of it, and the comparisons with what is computed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use cassandra_tokens::Partitioner;
use lab::session::{rows, run};
use lab::{Node, Release};
use model::{HostId, RingMember};
use placement::{Placement, Replication, Ring};
use scylla::client::session::Session;
use scylla::value::CqlValue;

/// Keys whose token is asked for.
const KEYS: usize = 200;

/// A cluster as one of its nodes tells of it.
pub struct Known {
    partitioner: Partitioner,
    pub members: Vec<RingMember>,
    pub ring: Ring,
}

/// A partition key: how nodetool wants it, and its bytes.
#[derive(Debug)]
pub struct Key {
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
    pub async fn read(session: &Session, release: Release) -> Result<Self> {
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
    pub async fn replication(&self, session: &Session, keyspace: &str) -> Result<Replication> {
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
    pub fn check_expanded(&self, given: &str, told: &Replication) -> Result<()> {
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
    pub async fn keys(&self, session: &Session, keyspace: &str) -> Result<Vec<Key>> {
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

    pub async fn check_ranges(
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

    pub async fn check_key(
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
