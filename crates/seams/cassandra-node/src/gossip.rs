//! Members of the ring that only the system tables know: rows that a removed node left behind.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cassandra_versions::Release;
use model::{HostId, RingMember};

use crate::node::CassandraNode;

const GOSSIP: &str = "SELECT address FROM system_views.gossip_info";

/// The members of the ring that gossip knows nothing of. A node that is only down is still known to gossip. None if gossip
/// cannot be read.
pub async fn ghosts(node: &CassandraNode, release: &Release, ring: &[RingMember]) -> Vec<HostId> {
    if ring.len() < 2 {
        return Vec::new();
    }
    let known = match release.has_gossip_table() {
        true => by_cql(node).await,
        false => node.control.gossip_addresses().await.ok(),
    };
    known.map_or_else(Vec::new, |known| unknown(ring, &known))
}

async fn by_cql(node: &CassandraNode) -> Option<BTreeSet<IpAddr>> {
    let rows = node.cql.query(GOSSIP).await.ok()?;
    let addresses = rows.iter().filter_map(|row| row.optional_text("address"));
    Some(
        addresses
            .filter_map(|address| address.parse().ok())
            .collect(),
    )
}

/// A list without any of the members is not one of this ring: nothing is concluded from it.
fn unknown(ring: &[RingMember], known: &BTreeSet<IpAddr>) -> Vec<HostId> {
    let is_unknown = |member: &&RingMember| {
        let address = member.address.parse::<IpAddr>();
        address.is_ok_and(|address| !known.contains(&address))
    };
    let unknown: Vec<HostId> = ring
        .iter()
        .filter(is_unknown)
        .map(|member| member.host_id)
        .collect();
    match unknown.len() < ring.len() {
        true => unknown,
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FakeCassandra;

    fn ring(addresses: &[&str]) -> Vec<RingMember> {
        let member = |(number, address): (u128, &&str)| RingMember {
            host_id: format!("00000000-0000-0000-0000-{number:012}")
                .parse()
                .unwrap(),
            address: (*address).to_owned(),
            datacenter: "dc1".into(),
            rack: "r1".into(),
            tokens: Vec::new(),
        };
        (1..).zip(addresses).map(member).collect()
    }

    #[tokio::test]
    async fn a_member_that_gossip_does_not_know_is_a_ghost() {
        let root = tempfile::tempdir().unwrap();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        let ring = ring(&["127.0.0.2", "127.0.0.3", "127.0.0.99"]);
        let ghost = vec![ring[2].host_id];
        for (release, rows, said, expected) in [
            (
                "cassandra 4.1.9",
                &["127.0.0.2", "127.0.0.3"][..],
                None,
                ghost.clone(),
            ),
            ("cassandra 4.1.9", &[], None, Vec::new()),
            (
                "cassandra 4.0.17",
                &[],
                Some(&["127.0.0.2", "127.0.0.3"][..]),
                ghost,
            ),
            ("cassandra 4.0.17", &[], None, Vec::new()),
            // Another ring's, or none of these.
            ("cassandra 4.0.17", &[], Some(&["10.0.0.1"]), Vec::new()),
        ] {
            let rows: Vec<_> = rows.iter().map(|a| json!({ "address": a })).collect();
            fake.cql.set(GOSSIP, json!(rows));
            *fake.control.gossip.lock().unwrap() =
                said.map(|said| said.iter().map(|a| a.parse().unwrap()).collect());
            let found = ghosts(&fake.node, &release.parse().unwrap(), &ring).await;
            assert_eq!(found, expected, "{release} {rows:?} {said:?}");
        }
    }
}
