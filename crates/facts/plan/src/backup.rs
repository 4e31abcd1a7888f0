//! What a backup takes, or why it cannot be taken.

use model::plan::{BackupPlan, BackupRequest};
use model::{Selection, Severity, TableDescription, TableRef, selection};

use crate::cluster::{self, Cluster};
use crate::codes;
use crate::findings::Findings;

/// Plans a backup. Never fails: what stands against it is in the findings, all at once.
pub fn plan_backup(request: &BackupRequest) -> BackupPlan {
    let mut findings = Findings::default();
    let name = request.backup.cluster.as_str();
    let cluster = cluster::examine(name, &request.nodes, &request.unreachable, &mut findings);
    cluster::check_releases(name, &cluster, Severity::Warning, &mut findings);
    let tables = select(name, &cluster, &request.selection, &mut findings);
    BackupPlan {
        supported: !findings.refuse(),
        findings: findings.into_sorted(),
        tables,
    }
}

fn select(
    name: &str,
    cluster: &Cluster,
    wanted: &Selection,
    findings: &mut Findings,
) -> Vec<TableRef> {
    let mut live: Vec<&TableDescription> = cluster
        .nodes
        .iter()
        .flat_map(|node| &node.tables)
        .filter(|table| selection::is_user_keyspace(&table.table.keyspace))
        .collect();
    live.sort_by_key(|table| &table.table);
    live.dedup_by_key(|table| &table.table);

    for keyspace in &wanted.keyspaces {
        if !live.iter().any(|table| table.table.keyspace == *keyspace) {
            let hint = match selection::is_user_keyspace(keyspace) {
                true => "",
                false => "it belongs to the product, and is never part of a backup",
            };
            findings.say(
                codes::KEYSPACE_NOT_FOUND,
                keyspace,
                format!("the cluster has no keyspace {keyspace} with tables of its own"),
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
    let tables: Vec<TableRef> = live
        .iter()
        .map(|table| &table.table)
        .filter(|table| wanted.contains(&table.keyspace, &table.table))
        .cloned()
        .collect();
    // Without a single node nothing is known of tables, and that is said already.
    if tables.is_empty() && wanted.is_everything() && !cluster.nodes.is_empty() {
        findings.say(
            codes::NOTHING_TO_BACK_UP,
            name,
            "the cluster has no tables of its own",
            "",
        );
    }
    tables
}
