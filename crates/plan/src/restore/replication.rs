//! Whether each keyspace is replicated on the target as it was in the backup.
//!
//! Each target node is given exactly what its source node owned. Under another replication it would own something else:
//! rows would be missing where they are read, or refused where they are loaded.

use std::collections::{BTreeMap, BTreeSet};

use model::cql::{literal, quote};
use model::manifest::BackupManifest;
use model::{SchemaEntry, SchemaKind};

use super::chosen::Chosen;
use super::live::Live;
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, cql, text};

pub(super) fn check(
    backup: &BackupManifest,
    chosen: &Chosen,
    live: &Live,
    cluster: &Cluster,
    findings: &mut Findings,
) {
    for keyspace in &chosen.keyspaces {
        let Some(source) = backup.schema.find(SchemaKind::Keyspace, keyspace, keyspace) else {
            findings.say(
                codes::BACKUP_INCOMPLETE,
                keyspace,
                format!("the backup has tables of {keyspace}, and not its definition"),
                "pick another backup, or leave the keyspace out",
            );
            continue;
        };
        let wanted = replication(source);
        match live.keyspace(keyspace).map(replication) {
            Some(now) if now != wanted => findings.say(
                codes::KEYSPACE_REPLICATION_MISMATCH,
                keyspace,
                format!(
                    "{keyspace} is replicated by {} on the target, and was by {} in the backup",
                    map(&now),
                    map(&wanted)
                ),
                format!(
                    "before the restore: ALTER KEYSPACE {} WITH replication = {}; then plan again",
                    quote(keyspace),
                    map(&wanted)
                ),
            ),
            Some(_) => {}
            None => check_datacenters(keyspace, &wanted, cluster, findings),
        }
    }
}

fn check_datacenters(
    keyspace: &str,
    replication: &BTreeMap<String, String>,
    cluster: &Cluster,
    findings: &mut Findings,
) {
    if replication
        .get("class")
        .is_none_or(|class| class != "NetworkTopologyStrategy")
    {
        return;
    }
    let there: BTreeSet<&str> = cluster.ring.iter().map(|m| m.datacenter.as_str()).collect();
    let lacking: Vec<&String> = replication
        .keys()
        .filter(|key| !matches!(key.as_str(), "class" | "replication_factor"))
        .filter(|datacenter| !there.contains(datacenter.as_str()))
        .collect();
    if !lacking.is_empty() {
        findings.say(
            codes::KEYSPACE_REPLICATION_MISMATCH,
            keyspace,
            format!(
                "{keyspace} is replicated to {}, which the target does not have; it has {}",
                text::list(lacking),
                text::list(there)
            ),
            "restore into a cluster with the backup's datacenters",
        );
    }
}

/// The replication map, its class without the package.
fn replication(keyspace: &SchemaEntry) -> BTreeMap<String, String> {
    let statement = keyspace.cql.first().map(String::as_str).unwrap_or_default();
    let mut map = cql::option_map(statement, "replication").unwrap_or_default();
    if let Some(class) = map.get_mut("class") {
        *class = class.rsplit('.').next().unwrap_or(class).to_owned();
    }
    map
}

fn map(replication: &BTreeMap<String, String>) -> String {
    let entries: Vec<String> = replication
        .iter()
        .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}
