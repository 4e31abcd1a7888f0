//! How a backup is taken, or why it cannot be taken.

mod coverage;
mod steps;
mod tiers;

use model::manifest::MissingNode;
use model::plan::{BackupPlan, BackupRequest, Completeness, PlannedNode};
use model::{NodeDescription, RingMember, SchemaKind, Severity, TableDescription, selection};

use crate::cluster::{self, Absence, Cluster};
use crate::codes;
use crate::findings::Findings;

pub use steps::{backup_steps, collection_steps, delete_steps, retention_steps, verify_steps};

/// Plans a backup. Never fails: what stands against it is in the findings, all at once.
pub fn plan_backup(request: &BackupRequest) -> BackupPlan {
    let mut findings = Findings::default();
    let name = request.backup.cluster.as_str();
    let absence = match request.completeness {
        Completeness::All => Absence::Refused,
        Completeness::Quorum | Completeness::One | Completeness::Any => Absence::Weighed,
    };
    let cluster = cluster::examine(
        name,
        &request.nodes,
        &request.unreachable,
        absence,
        &mut findings,
    );
    cluster::check_releases(name, &cluster, Severity::Warning, &mut findings);
    // What the node shows is what the backup notes.
    cluster::check_products(&cluster, Severity::Warning, &mut findings);
    check_selection(name, &cluster, request, &mut findings);
    tiers::check(&cluster, &request.selection, &mut findings);
    let coverage = match absence {
        Absence::Refused => Vec::new(),
        Absence::Weighed => coverage::weigh(request, &cluster, &mut findings),
    };
    let missing = match absence {
        Absence::Refused => Vec::new(),
        Absence::Weighed => cluster.absent.iter().map(missing).collect(),
    };
    let nodes: Vec<PlannedNode> = cluster.nodes.iter().copied().map(planned).collect();
    let supported = !findings.refuse();
    BackupPlan {
        supported,
        findings: findings.into_sorted(),
        steps: if supported {
            backup_steps(&nodes)
        } else {
            Vec::new()
        },
        nodes,
        missing,
        coverage,
    }
}

fn missing((member, reason): &(&RingMember, String)) -> MissingNode {
    MissingNode {
        host_id: member.host_id,
        address: member.address.clone(),
        reason: reason.clone(),
    }
}

fn planned(node: &NodeDescription) -> PlannedNode {
    PlannedNode {
        host_id: node.member.host_id,
        address: node.member.address.clone(),
        agent: node.agent.clone(),
    }
}

/// Whether all that is selected is there, and whether that is anything.
///
/// A keyspace without tables is in the schema only: its types and functions are what is backed up.
fn check_selection(
    name: &str,
    cluster: &Cluster,
    request: &BackupRequest,
    findings: &mut Findings,
) {
    let (wanted, schema) = (&request.selection, &request.schema);
    // A node that is down reports no tables, and another finding refuses that.
    if cluster.nodes.iter().all(|node| !node.unhealthy.is_empty()) {
        return;
    }
    let mut live: Vec<&TableDescription> = cluster
        .nodes
        .iter()
        .flat_map(|node| &node.tables)
        .filter(|table| selection::is_user_keyspace(&table.table.keyspace))
        .collect();
    live.sort_by_key(|table| &table.table);
    live.dedup_by_key(|table| &table.table);

    for keyspace in &wanted.keyspaces {
        let is_user = selection::is_user_keyspace(keyspace);
        let in_schema = schema.find(SchemaKind::Keyspace, keyspace, keyspace);
        let has_tables = live.iter().any(|table| table.table.keyspace == *keyspace);
        let is_there = has_tables || (is_user && in_schema.is_some());
        if !is_there {
            let hint = if is_user {
                ""
            } else {
                "it belongs to the product, and is never part of a backup"
            };
            findings.say(
                codes::KEYSPACE_NOT_FOUND,
                keyspace,
                format!("the cluster has no keyspace {keyspace} of its own"),
                hint,
            );
        }
    }
    for table in &wanted.tables {
        match live.iter().find(|live| live.table == *table) {
            None => findings.say(
                codes::TABLE_NOT_FOUND,
                table,
                format!("the cluster has no table {table}"),
                "names are as Cassandra stores them: case counts, and there are no quotes",
            ),
            Some(TableDescription {
                view_of: Some(base),
                ..
            }) if !wanted.contains(&table.keyspace, base) => {
                findings.say(
                    codes::VIEW_NEEDS_BASE,
                    table,
                    format!(
                        "{table} is a view of {}.{base}, which is not selected",
                        table.keyspace
                    ),
                    format!("select {}.{base} too", table.keyspace),
                );
            }
            Some(_) => {}
        }
    }
    let is_selected = |live: &&TableDescription| {
        let table = &live.table;
        wanted.contains(&table.keyspace, &table.table)
    };
    let has_keyspace = schema
        .entries
        .iter()
        .any(|entry| selection::is_user_keyspace(&entry.keyspace));
    let nothing = !live.iter().any(is_selected) && !has_keyspace;
    if nothing && wanted.is_everything() {
        findings.say(
            codes::NOTHING_TO_BACK_UP,
            name,
            "the cluster has no keyspaces of its own",
            "",
        );
    }
}
