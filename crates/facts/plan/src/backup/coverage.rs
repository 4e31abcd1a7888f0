//! What a backup would lack that is made without some nodes, and whether that is enough for who asks.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::Partitioner;
use model::plan::{BackupRequest, Completeness, KeyspaceCoverage};
use model::{HostId, RingMember, SchemaKind, Severity, selection};
use placement::{GroupCoverage, Replication, Ring, coverage};

use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::replicas::{in_words, row, satisfies};
use crate::{codes, cql, wording};

/// Reports what would be missing; returns what the backup will have of each selected keyspace.
pub(super) fn weigh(
    request: &BackupRequest,
    cluster: &Cluster,
    findings: &mut Findings,
) -> Vec<KeyspaceCoverage> {
    if cluster.absent.is_empty() || cluster.nodes.is_empty() {
        return Vec::new();
    }
    let wanted = request.completeness;
    let mut rows = Vec::new();
    let mut groups: Vec<GroupCoverage> = Vec::new();
    let mut lacking = Vec::new();
    let mut unknown = Vec::new();
    let available: BTreeSet<HostId> = cluster.nodes.iter().map(|it| it.member.host_id).collect();
    let ring = ring(cluster);
    for keyspace in keyspaces(request, cluster) {
        let known = ring.as_ref().map_err(Clone::clone).and_then(|ring| {
            replication(request, keyspace, ring).map(|replication| (ring, replication))
        });
        let (ring, replication) = match known {
            Ok(known) => known,
            Err(why) => {
                unknown.push(format!(
                    "how much of {keyspace} it would lack is not known: {why}"
                ));
                continue;
            }
        };
        for group in coverage(ring, &replication, &available).groups {
            if !group.is_complete() {
                lacking.push(in_words(keyspace, &group));
            }
            rows.push(row(keyspace, &group));
            groups.push(group);
        }
    }
    let enough = |policy| groups.iter().all(|group| satisfies(group, policy));
    let is_known = unknown.is_empty() || wanted == Completeness::Any;
    let parts: Vec<String> = unknown.into_iter().chain(lacking).collect();
    let (severity, code, hint) = if enough(wanted) && is_known {
        (Severity::Warning, codes::COVERAGE_REDUCED, "make a complete backup once the nodes are back; a restore of this one says again what it lacks".to_owned())
    } else {
        (
            Severity::Refusal,
            codes::BACKUP_INCOMPLETE,
            way_without(enough, is_known),
        )
    };
    findings.say_as(
        severity,
        code,
        &request.backup.cluster,
        said(cluster, &parts),
        hint,
    );
    rows
}

fn said(cluster: &Cluster, parts: &[String]) -> String {
    let missing = cluster
        .absent
        .iter()
        .map(|(member, why)| format!("{} ({why})", member.address));
    let mut message = format!("the backup is made without {}", wording::list(missing));
    if !parts.is_empty() {
        message.push_str("; ");
        message.push_str(&wording::list(parts));
    }
    message
}

fn way_without(enough: impl Fn(Completeness) -> bool, is_known: bool) -> String {
    let least = if enough(Completeness::One) && is_known {
        "--completeness one: every range has a replica left, and what was written at QUORUM may be missing"
    } else {
        "--completeness any: rows of which no replica is left are missing then"
    };
    format!("bring the nodes back; or {least}")
}

/// The keyspaces of what is selected.
fn keyspaces<'a>(request: &BackupRequest, cluster: &Cluster<'a>) -> BTreeSet<&'a str> {
    let tables = cluster.nodes.iter().flat_map(|node| &node.tables);
    let wanted = &request.selection;
    tables
        .map(|table| &table.table)
        .filter(|table| {
            selection::is_user_keyspace(&table.keyspace)
                && wanted.contains(&table.keyspace, &table.table)
        })
        .map(|table| table.keyspace.as_str())
        .collect()
}

fn ring(cluster: &Cluster) -> Result<Ring, String> {
    let members: Vec<RingMember> = cluster.ring.iter().map(|&member| member.clone()).collect();
    let name = &cluster.nodes[0].partitioner;
    let partitioner =
        Partitioner::of(name).ok_or_else(|| format!("its partitioner {name} is not known here"))?;
    Ring::new(&partitioner, &members).map_err(|error| error.to_string())
}

fn replication(
    request: &BackupRequest,
    keyspace: &str,
    ring: &Ring,
) -> Result<Replication, String> {
    let entry = request
        .schema
        .find(SchemaKind::Keyspace, keyspace, keyspace);
    let statement = entry.and_then(|entry| entry.cql.first());
    let options: Option<BTreeMap<String, String>> =
        statement.and_then(|statement| cql::option_map(statement, "replication"));
    let options = options.ok_or_else(|| "its replication is not known".to_owned())?;
    Replication::expanded(&options, ring).map_err(|error| error.to_string())
}
