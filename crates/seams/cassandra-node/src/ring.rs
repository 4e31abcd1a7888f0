//! Which node this is and which ring it sees, from its system tables.

use std::collections::BTreeSet;
use std::time::Duration;

use cassandra_versions::{Recognition, Release, Signs, Stated, recognise};
use model::ring::sort_tokens;
use model::{MemberVersion, RingMember};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::cql::{Cql, CqlError, Row, RowError};
use crate::signs;

const LOCAL: &str = "SELECT * FROM system.local";
const PEERS: &str = "SELECT * FROM system.peers";
const PEERS_V2: &str = "SELECT * FROM system.peers_v2";
/// How often schema agreement is checked.
const AGREEMENT_INTERVAL: Duration = Duration::from_millis(200);

/// What system.local and system.peers show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// As the node has it.
    pub cluster_name: String,
    /// Of this node.
    pub release: Release,
    /// This node.
    pub member: RingMember,
    /// All members, this one included, by host id.
    pub ring: Vec<RingMember>,
    /// The class of the partitioner.
    pub partitioner: String,
    /// Of this node.
    pub schema_version: String,
    /// Of all members, each version once.
    pub schema_versions: Vec<String>,
    /// `COMPLETED` once the node has joined.
    pub bootstrapped: String,
    /// How its product was recognised.
    #[serde(default)]
    pub recognition: Recognition,
    /// Members whose schema version, as this node last heard of it, is not its own.
    #[serde(default)]
    pub dissenting: Vec<MemberVersion>,
}

/// By which the ring knows this node.
pub(crate) async fn host_id(cql: &dyn Cql) -> Result<String, CqlError> {
    let local = local(cql).await?;
    let host_id = local.text("host_id").map(str::to_owned);
    host_id.map_err(|source| CqlError::Row {
        statement: LOCAL.to_owned(),
        source,
    })
}

/// Reads both tables. `stated` is what the settings say that the node is, `written_formats` those of the SSTables that it
/// has written for itself.
pub(crate) async fn identity(
    cql: &dyn Cql,
    stated: Option<&Stated>,
    written_formats: BTreeSet<String>,
) -> Result<Identity, CqlError> {
    let local = local(cql).await?;
    let signs = signs::read(cql, &local, written_formats).await?;
    let odd = |source| CqlError::Row {
        statement: LOCAL.to_owned(),
        source,
    };
    let (release, recognition) = recognised(&signs, stated).map_err(odd)?;
    let member = local_member(&local).map_err(odd)?;
    let peers_statement = if release.has_peers_v2() {
        PEERS_V2
    } else {
        PEERS
    };
    let peers = cql.query(peers_statement).await?;
    let schema_version = local.text("schema_version").map_err(odd)?.to_owned();
    let mut ring = vec![member.clone()];
    let mut dissenting = Vec::new();
    for peer in peers.iter().filter(|peer| is_member(peer)) {
        let member = read_member(peer, "peer").map_err(|source| CqlError::Row {
            statement: peers_statement.to_owned(),
            source,
        })?;
        let version = peer.optional_text("schema_version").unwrap_or_default();
        if version != schema_version {
            dissenting.push(MemberVersion {
                host_id: member.host_id,
                version: version.to_owned(),
            });
        }
        ring.push(member);
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
        recognition,
        member,
        ring,
        dissenting,
    })
}

async fn local(cql: &dyn Cql) -> Result<Row, CqlError> {
    let rows = cql.query(LOCAL).await?;
    rows.into_iter().next().ok_or_else(|| CqlError::Statement {
        statement: LOCAL.to_owned(),
        why: "the result is empty".to_owned(),
    })
}

fn recognised(signs: &Signs, stated: Option<&Stated>) -> Result<(Release, Recognition), RowError> {
    recognise(signs, stated).map_err(|_| RowError {
        column: "release_version".to_owned(),
        expected: "a release",
        found: signs.release_version.clone(),
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
mod tests;
