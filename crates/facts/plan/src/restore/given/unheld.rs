//! Keyspaces that no node of the backup held, because they are replicated in datacenters that have no node.

use std::collections::BTreeMap;

use model::manifest::BackupManifest;
use model::{SchemaKind, Selection, Severity};

use super::selected::SelectedTable;
use super::target_schema::TargetSchema;
use crate::findings::Findings;
use crate::{codes, cql, wording};

/// Leaves out the tables of such keyspaces, unless the target has the keyspace. They have no rows, and since 4.0 Cassandra
/// refuses to make a keyspace for datacenters that it does not know.
pub(super) fn leave_out(
    tables: &mut Vec<SelectedTable>,
    bare: &mut Vec<&str>,
    backup: &BackupManifest,
    wanted: &Selection,
    live: &TargetSchema,
    findings: &mut Findings,
) {
    let mut found: BTreeMap<String, (Vec<String>, usize)> = BTreeMap::new();
    let of_tables = tables
        .iter()
        .map(|table| (table.table.keyspace.as_str(), 1));
    for (keyspace, count) in of_tables.chain(bare.iter().map(|keyspace| (*keyspace, 0))) {
        if let Some((_, counted)) = found.get_mut(keyspace) {
            *counted += count;
        } else if let Some(datacenters) = datacenters(backup, keyspace) {
            let is_held = backup.ring.iter().any(|member| {
                !member.tokens.is_empty() && datacenters.contains(&member.datacenter)
            });
            if !is_held && live.keyspace(keyspace).is_none() {
                found.insert(keyspace.to_owned(), (datacenters, count));
            }
        }
    }
    for (keyspace, (datacenters, count)) in &found {
        let is_named = wanted.keyspaces.contains(keyspace)
            || wanted
                .tables
                .iter()
                .any(|table| table.keyspace == *keyspace);
        let (severity, hint) = match is_named {
            true => (
                Severity::Refusal,
                "leave it out; or make it by hand, with a replication that the target has"
                    .to_owned(),
            ),
            false => (
                Severity::Warning,
                format!(
                    "if programs need it, make {keyspace} by hand, with a replication that the target has"
                ),
            ),
        };
        let places = match datacenters.as_slice() {
            [] => "in no datacenter".to_owned(),
            names => format!(
                "in {} only, where the ring has no node",
                wording::list(names)
            ),
        };
        findings.say_as(
            severity,
            codes::KEYSPACE_LEFT_OUT,
            keyspace,
            format!(
                "{keyspace} is replicated {places}: the backup has no rows of it, and {}",
                match count {
                    0 => "it is left out".to_owned(),
                    1 => "its 1 table is left out".to_owned(),
                    count => format!(
                        "its {} are left out",
                        wording::counted(*count as u64, "table")
                    ),
                },
            ),
            hint,
        );
    }
    tables.retain(|table| !found.contains_key(&table.table.keyspace));
    bare.retain(|keyspace| !found.contains_key(*keyspace));
}

/// The datacenters in which a keyspace is replicated by name; none if it is not, or not understood.
fn datacenters(backup: &BackupManifest, keyspace: &str) -> Option<Vec<String>> {
    let entry = backup
        .schema
        .find(SchemaKind::Keyspace, keyspace, keyspace)?;
    let options = cql::option_map(entry.cql.first()?, "replication")?;
    let class = options.get("class")?;
    if !class.ends_with("NetworkTopologyStrategy") || options.contains_key("replication_factor") {
        return None;
    }
    let held = options
        .iter()
        .filter(|(name, replicas)| *name != "class" && *replicas != "0");
    Some(held.map(|(name, _)| name.clone()).collect())
}
