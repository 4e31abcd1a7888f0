//! Whether what the nodes wrote makes one backup. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_formats::parse_file_name;
use model::manifest::{BackupNode, Intent, NodeManifest};
use model::{BackupRef, HostId, TableId};

use super::Request;
use crate::error::CatalogError;

/// Keyspace, table and id.
pub type TableSet = BTreeSet<(String, String, TableId)>;

/// Refuses a backup in which a member of the ring is missing that it was not asked to go without, or which has a node that is
/// no member, or is missing too.
pub fn ring(request: &Request) -> Result<(), CatalogError> {
    let asked: BTreeSet<HostId> = request.host_ids.iter().copied().collect();
    let members: BTreeSet<HostId> = request.ring.iter().map(|member| member.host_id).collect();
    let excused: BTreeSet<HostId> = request.missing.iter().map(|node| node.host_id).collect();
    let missing: Vec<String> = request
        .ring
        .iter()
        .filter(|member| !asked.contains(&member.host_id) && !excused.contains(&member.host_id))
        .map(|member| format!("node {} ({}) is not in it", member.host_id, member.address))
        .collect();
    if !missing.is_empty() || asked.is_empty() {
        return Err(CatalogError::Incomplete {
            backup: request.backup.clone(),
            missing: match asked.is_empty() {
                true => vec!["no node is in it".to_owned()],
                false => missing,
            },
        });
    }
    let what = if let Some(stranger) = asked.union(&excused).find(|host| !members.contains(host)) {
        format!("node {stranger} is not a member of the ring")
    } else if let Some(both) = asked.intersection(&excused).next() {
        format!("node {both} is said to be missing, and has a manifest")
    } else {
        return Ok(());
    };
    Err(CatalogError::Disagree {
        backup: request.backup.clone(),
        what,
    })
}

/// Refuses a schema that has another table of the name: it was dropped and made again between the snapshots and the reading of
/// the schema, so that its definition is not that of the files.
pub fn same_ids(request: &Request, nodes: &[(BackupNode, TableSet)]) -> Result<(), CatalogError> {
    let stored = nodes
        .iter()
        .flat_map(|(_, tables)| tables)
        .collect::<BTreeSet<_>>();
    let defined: BTreeMap<(&str, &str), TableId> = request
        .schema
        .entries
        .iter()
        .filter_map(|entry| {
            Some((
                (entry.keyspace.as_str(), entry.name.as_str()),
                entry.table_id()?,
            ))
        })
        .collect();
    for (keyspace, table, id) in stored {
        match defined.get(&(keyspace.as_str(), table.as_str())) {
            Some(now) if now != id => {
                return Err(CatalogError::Disagree {
                    backup: request.backup.clone(),
                    what: format!(
                        "table {keyspace}.{table} has the id {id} in the snapshots and {now} in the schema that was read after them: it was dropped and made again meanwhile"
                    ),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a node manifest that is not of this backup, this ring and this base.
pub fn node(
    request: &Request,
    intent: &Intent,
    manifest: &NodeManifest,
) -> Result<(), CatalogError> {
    match complaint(request, intent, manifest) {
        None => Ok(()),
        Some(what) => Err(CatalogError::Disagree {
            backup: request.backup.clone(),
            what: format!("node {}: {what}", manifest.member.host_id),
        }),
    }
}

fn complaint(request: &Request, intent: &Intent, manifest: &NodeManifest) -> Option<String> {
    if manifest.kind != intent.kind || manifest.base != intent.base {
        return Some("its manifest is of another kind or has another base".to_owned());
    }
    if manifest.partitioner != request.partitioner {
        return Some(format!("its partitioner is {}", manifest.partitioner));
    }
    let member = request
        .ring
        .iter()
        .find(|member| member.host_id == manifest.member.host_id);
    let tokens = |tokens: &[String]| tokens.iter().cloned().collect::<BTreeSet<String>>();
    if member.is_some_and(|member| tokens(&member.tokens) != tokens(&manifest.member.tokens)) {
        return Some("its tokens changed while the backup was made".to_owned());
    }
    manifest
        .tables
        .iter()
        .flat_map(|table| table.files.iter().map(move |file| (table, file)))
        .find_map(|(table, file)| {
            let error = parse_file_name(&file.name).err()?;
            Some(format!("{}.{}: {error}", table.keyspace, table.table))
        })
}

pub fn table_set(manifest: &NodeManifest) -> TableSet {
    let tables = manifest.tables.iter();
    tables
        .map(|table| (table.keyspace.clone(), table.table.clone(), table.id))
        .collect()
}

/// Refuses nodes that saw different tables: one of them was described before a schema change, one after.
pub fn same_tables(
    backup: &BackupRef,
    nodes: &[(BackupNode, TableSet)],
) -> Result<(), CatalogError> {
    let Some((first, expected)) = nodes.first() else {
        return Ok(());
    };
    for (node, tables) in nodes {
        if let Some((keyspace, table, id)) = expected.symmetric_difference(tables).next() {
            return Err(CatalogError::Disagree {
                backup: backup.clone(),
                what: format!(
                    "only one of node {} and node {} has table {keyspace}.{table} with id {id}",
                    first.host_id, node.host_id
                ),
            });
        }
    }
    Ok(())
}
