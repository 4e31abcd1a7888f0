//! Who the node is and which ring it sees, from its system tables.

use std::collections::BTreeSet;
use std::time::Duration;

use cassandra_versions::{Product, Release};
use model::RingMember;
use model::ring::sort_tokens;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::cql::{Cql, CqlError, Row, RowError};

const LOCAL: &str = "SELECT * FROM system.local";
const PEERS: &str = "SELECT * FROM system.peers";
const PEERS_V2: &str = "SELECT * FROM system.peers_v2";
/// How often the ring is asked whether it agrees on a schema.
const AGREEMENT_INTERVAL: Duration = Duration::from_millis(200);

/// What system.local and system.peers tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub cluster_name: String,
    pub release: Release,
    pub member: RingMember,
    /// All members, this one included, by host id.
    pub ring: Vec<RingMember>,
    pub partitioner: String,
    pub schema_version: String,
    pub schema_versions: Vec<String>,
    /// `COMPLETED` once the node has joined.
    pub bootstrapped: String,
    /// What is wrong with the setting `product`; empty if nothing is.
    #[serde(default)]
    pub contradiction: String,
}

/// `product` is what the agent's settings say that the node is.
pub async fn identity(cql: &dyn Cql, product: Option<Product>) -> Result<Identity, CqlError> {
    let local = local(cql).await?;
    let odd = |source| CqlError::Row {
        statement: LOCAL.to_owned(),
        source,
    };
    let (release, contradiction) = release(&local, product).map_err(odd)?;
    let member = local_member(&local).map_err(odd)?;
    let peers_statement = if release.has_peers_v2() {
        PEERS_V2
    } else {
        PEERS
    };
    let peers = cql.query(peers_statement).await?;
    let schema_version = local.text("schema_version").map_err(odd)?.to_owned();
    let mut ring = vec![member.clone()];
    for peer in peers.iter().filter(|peer| is_member(peer)) {
        ring.push(read_member(peer, "peer").map_err(|source| CqlError::Row {
            statement: peers_statement.to_owned(),
            source,
        })?);
    }
    ring.sort_by_key(|member| member.host_id);
    Ok(Identity {
        cluster_name: local.text("cluster_name").map_err(odd)?.to_owned(),
        partitioner: local.text("partitioner").map_err(odd)?.to_owned(),
        bootstrapped: local
            .optional_text("bootstrapped")
            .unwrap_or_default()
            .to_owned(),
        schema_versions: versions(&schema_version, &peers),
        schema_version,
        release,
        contradiction,
        member,
        ring,
    })
}

async fn local(cql: &dyn Cql) -> Result<Row, CqlError> {
    let rows = cql.query(LOCAL).await?;
    rows.into_iter().next().ok_or_else(|| CqlError::Statement {
        statement: LOCAL.to_owned(),
        why: "the answer is empty".to_owned(),
    })
}

/// What the node is, and what stands against what it is said to be.
fn release(local: &Row, said: Option<Product>) -> Result<(Release, String), RowError> {
    let seen = seen_release(local)?;
    let Some(said) = said else {
        return Ok((seen, String::new()));
    };
    match (said, seen.product) {
        (Product::Cassandra, Product::Cassandra) => Ok((seen.without_commit(), String::new())),
        (said, product) if said == product => Ok((seen, String::new())),
        (Product::Hcd, Product::Cassandra) => match Release::hcd_built_on(&seen.version) {
            Some(hcd) => Ok((hcd, String::new())),
            None => {
                let why = format!(
                    "the setting `product` says hcd, which is built on Cassandra 4.0 or 5.0, and the node reports the version {}; correct the setting in [cassandra] of this agent",
                    seen.version
                );
                Ok((seen, why))
            }
        },
        (said, _) => {
            let why = format!(
                "the setting `product` says {said}, and the node is {seen}; correct the setting in [cassandra] of this agent"
            );
            Ok((seen, why))
        }
    }
}

/// As the node itself reports it.
fn seen_release(local: &Row) -> Result<Release, RowError> {
    let version = local.text("release_version")?;
    let (product, version) = match (
        local.optional_text("dse_version"),
        version.split_once("hcd-"),
    ) {
        (Some(dse), _) => (Product::Dse, dse),
        (None, Some((_, hcd))) => (Product::Hcd, hcd),
        (None, None) => (Product::Cassandra, version),
    };
    Release::new(product, version).map_err(|_| RowError {
        column: "release_version".to_owned(),
        expected: "a release",
        found: version.to_owned(),
    })
}

fn local_member(local: &Row) -> Result<RingMember, RowError> {
    // What other nodes know it by; very old nodes lack the column and have only where they listen.
    let address = ["broadcast_address", "listen_address", "rpc_address"]
        .into_iter()
        .find(|column| local.value(column).is_some())
        .unwrap_or("broadcast_address");
    read_member(local, address)
}

/// Rows of nodes that left half-way lack what makes a member.
fn is_member(peer: &Row) -> bool {
    ["host_id", "data_center", "rack", "tokens"]
        .iter()
        .all(|column| peer.value(column).is_some())
}

fn read_member(row: &Row, address: &str) -> Result<RingMember, RowError> {
    let mut tokens = row.texts("tokens")?;
    sort_tokens(&mut tokens);
    Ok(RingMember {
        host_id: row.parsed("host_id", "a host id")?,
        address: row.text(address)?.to_owned(),
        datacenter: row.text("data_center")?.to_owned(),
        rack: row.text("rack")?.to_owned(),
        tokens,
    })
}

fn versions(own: &str, peers: &[Row]) -> Vec<String> {
    let mut versions: BTreeSet<String> = peers
        .iter()
        .filter(|peer| is_member(peer))
        .filter_map(|peer| peer.optional_text("schema_version").map(str::to_owned))
        .collect();
    versions.insert(own.to_owned());
    versions.into_iter().collect()
}

/// Waits until all members that this node sees have its schema version; returns that version. A member whose version is
/// not known may not have the schema.
pub async fn await_agreement(cql: &dyn Cql, limit: Duration) -> Result<String, CqlError> {
    let deadline = Instant::now() + limit;
    loop {
        let local = local(cql).await?;
        let own = local
            .optional_text("schema_version")
            .unwrap_or_default()
            .to_owned();
        let peers = cql.query(PEERS).await?;
        let others = dissenters(&own, &peers);
        if others.is_empty() {
            return Ok(own);
        }
        if Instant::now() >= deadline {
            return Err(CqlError::Disagreement {
                seconds: limit.as_secs(),
                others,
                own,
            });
        }
        tokio::time::sleep(AGREEMENT_INTERVAL).await;
    }
}

fn dissenters(own: &str, peers: &[Row]) -> String {
    let others: Vec<String> = peers
        .iter()
        .filter(|peer| is_member(peer))
        .filter_map(|peer| {
            let version = peer.optional_text("schema_version").unwrap_or("none");
            let address = peer.optional_text("peer").unwrap_or("a node");
            (version != own).then(|| format!("{address} has {version}"))
        })
        .collect();
    others.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FakeCql;

    fn row(value: serde_json::Value) -> Row {
        Row(value.as_object().unwrap().clone())
    }

    fn local_row() -> serde_json::Value {
        json!({
            "cluster_name": "c", "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "release_version": "5.0.5", "schema_version": "v1", "bootstrapped": "COMPLETED",
            "host_id": "00000000-0000-0000-0000-000000000002", "broadcast_address": "127.0.0.2",
            "data_center": "dc1", "rack": "r1", "tokens": ["10", "-5", "9"],
        })
    }

    #[tokio::test]
    async fn the_ring_has_this_node_and_its_peers_but_no_ghosts() {
        let cql = FakeCql::new().answer(LOCAL, json!([local_row()])).answer(
            PEERS_V2,
            json!([
                { "peer": "127.0.0.3", "host_id": "00000000-0000-0000-0000-000000000001",
                  "data_center": "dc1", "rack": "r2", "tokens": ["7"], "schema_version": "v2" },
                { "peer": "127.0.0.9", "host_id": null, "tokens": null },
            ]),
        );
        let found = identity(&cql, None).await.unwrap();
        assert_eq!(found.member.tokens, ["-5", "9", "10"]);
        let addresses: Vec<_> = found.ring.iter().map(|m| m.address.as_str()).collect();
        assert_eq!(addresses, ["127.0.0.3", "127.0.0.2"]);
        assert_eq!(found.schema_versions, ["v1", "v2"]);
    }

    #[test]
    fn products_are_told_apart() {
        for (columns, expected) in [
            (json!({ "release_version": "4.1.9" }), "cassandra 4.1.9"),
            (
                json!({ "release_version": "4.0.0.6816", "dse_version": "6.8.50" }),
                "dse 6.8.50",
            ),
            (
                json!({ "release_version": "4.0.11-hcd-1.2.1" }),
                "hcd 1.2.1",
            ),
        ] {
            assert_eq!(seen_release(&row(columns)).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_node_is_what_the_setting_says_unless_it_shows_that_it_is_not() {
        let dse = json!({ "release_version": "4.0.0.6816", "dse_version": "6.8.50" });
        let of = |version: &str| json!({ "release_version": version });
        let (hcd_1, hcd_2) = ("4.0.11-2a99ee441fb7", "5.0.7.0-ea50e91ba01f");
        let (cassandra, hcd) = (Some(Product::Cassandra), Some(Product::Hcd));
        for (columns, said, expected, contradicts) in [
            (of(hcd_1), None, "cassandra 4.0.11-2a99ee441fb7", false),
            (of(hcd_1), hcd, "hcd 1.x-4.0.11-2a99ee441fb7", false),
            (of(hcd_2), hcd, "hcd 2.x-5.0.7.0-ea50e91ba01f", false),
            (of(hcd_1), cassandra, "cassandra 4.0.11", false),
            (of("4.0.11-hcd-1.2.1"), hcd, "hcd 1.2.1", false),
            (of("5.0-beta1"), cassandra, "cassandra 5.0-beta1", false),
            (dse.clone(), Some(Product::Dse), "dse 6.8.50", false),
            (dse.clone(), cassandra, "dse 6.8.50", true),
            (dse, hcd, "dse 6.8.50", true),
            (of("4.0.11-hcd-1.2.1"), cassandra, "hcd 1.2.1", true),
            (of("4.0.17"), Some(Product::Dse), "cassandra 4.0.17", true),
            (of("4.1.9"), hcd, "cassandra 4.1.9", true),
        ] {
            let (found, why) = release(&row(columns), said).unwrap();
            assert_eq!(found.to_string(), expected, "{said:?}");
            assert_eq!(!why.is_empty(), contradicts, "{expected}: {why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_that_does_not_agree_is_named_node_by_node() {
        for (version, named) in [
            (json!("v2"), "127.0.0.3 has v2"),
            (json!(null), "127.0.0.3 has none"),
        ] {
            let cql = FakeCql::new().answer(LOCAL, json!([local_row()])).answer(
                PEERS,
                json!([
                    { "peer": "127.0.0.3", "host_id": "00000000-0000-0000-0000-000000000001",
                      "data_center": "dc1", "rack": "r2", "tokens": ["7"], "schema_version": version },
                ]),
            );
            let error = await_agreement(&cql, Duration::from_secs(3))
                .await
                .unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
