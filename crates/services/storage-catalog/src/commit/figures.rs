//! What a node contributed, in figures.

use std::collections::BTreeSet;

use cassandra_formats::parse_file_name;
use cassandra_versions::Release;
use model::BackupRef;
use model::manifest::{
    BackupNode, NodeManifest, StoredFile, TableFiles, TableSummary, damaged_sstables,
};

use crate::error::CatalogError;

/// How much of a node's kept damage the backup manifest lists.
const DAMAGE_TOLD_MAX: usize = 32;

pub fn node(manifest: &NodeManifest, key: String, blake3: String) -> BackupNode {
    let tables: Vec<TableSummary> = manifest.tables.iter().map(table).collect();
    BackupNode {
        host_id: manifest.member.host_id,
        release: manifest.release.clone(),
        snapshot_taken_at: manifest.snapshot_taken_at,
        manifest: key,
        blake3,
        bytes: manifest.files().map(|file| file.bytes).sum(),
        uploaded_bytes: manifest.uploaded_bytes(),
        copied_bytes: manifest.copied_bytes(),
        sstables: tables.iter().map(|table| table.sstables).sum(),
        tables,
        damaged_sstables: damaged_sstables(&manifest.damaged),
        damaged: manifest
            .damaged
            .iter()
            .take(DAMAGE_TOLD_MAX)
            .cloned()
            .collect(),
    }
}

fn table(table: &TableFiles) -> TableSummary {
    let own = |file: &&StoredFile| file.index.is_none();
    let descriptors: BTreeSet<_> = table
        .files
        .iter()
        .filter(own)
        .filter_map(|file| Some(parse_file_name(&file.name).ok()?.0))
        .collect();
    let formats: BTreeSet<String> = descriptors
        .iter()
        .map(|descriptor| descriptor.format.to_string())
        .collect();
    TableSummary {
        keyspace: table.keyspace.clone(),
        table: table.table.clone(),
        id: table.id,
        view_of: table.view_of.clone(),
        bytes: table.files.iter().map(|file| file.bytes).sum(),
        sstables: descriptors.len() as u64,
        formats: formats.into_iter().collect(),
    }
}

/// The lowest release among the nodes: what a target must at least be able to follow.
pub fn lowest_release(backup: &BackupRef, nodes: &[BackupNode]) -> Result<Release, CatalogError> {
    let disagree = |what: String| CatalogError::Disagree {
        backup: backup.clone(),
        what,
    };
    let releases = nodes.iter().map(|node| &node.release);
    match cassandra_versions::lowest(releases) {
        Ok(Some(lowest)) => Ok(lowest.clone()),
        Ok(None) => Err(disagree("there is no node".to_owned())),
        Err(mixed) => Err(disagree(mixed.to_string())),
    }
}
