//! A committed backup between wire and model.

use std::collections::BTreeSet;

use model::manifest::{BackupManifest, BackupNode, KeptDamage, ManifestSummary, TableSummary};
use model::{BackupName, RingMember, TableRef, TaskId};

use super::{ConversionError, all, all_into, parsed, parsed_optional, required, time};
use crate::pb::storage_catalog as pb;

impl From<ManifestSummary> for pb::BackupSummary {
    fn from(summary: ManifestSummary) -> Self {
        model::BackupSummary::from(summary).into()
    }
}

impl From<BackupManifest> for pb::Backup {
    fn from(backup: BackupManifest) -> Self {
        let summary = ManifestSummary::from(&backup).into();
        let coverage = pb::Coverage {
            ring_nodes: backup.ring.len() as u64,
            backed_up_nodes: backup.nodes.len() as u64,
            complete: backup.is_complete(),
        };
        let tables = all_into(backup.tables());
        let nodes = backup
            .nodes
            .iter()
            .map(|node| node_to_wire(node, backup.member(&node.host_id)))
            .collect();
        Self {
            summary: Some(summary),
            cluster_name: backup.cluster_name,
            partitioner: backup.partitioner,
            nodes,
            tables,
            schema: Some(backup.schema.into()),
            snapshot_spread_ms: backup.snapshot_spread_ms,
            coverage: Some(coverage),
            selection: Some(backup.selection.into()),
            ring: all_into(backup.ring),
            task_id: backup.task_id.to_string(),
            missing: all_into(backup.missing),
            held: all_into(backup.coverage),
        }
    }
}

pub(super) fn names_copied_from(names: &[String]) -> Result<BTreeSet<BackupName>, ConversionError> {
    let names = names.iter();
    names
        .map(|name| parsed("summary.copied_from", name))
        .collect()
}

impl TryFrom<pb::Backup> for BackupManifest {
    type Error = ConversionError;

    fn try_from(backup: pb::Backup) -> Result<Self, ConversionError> {
        let summary = required("backup.summary", backup.summary)?;
        let kind = summary.kind().try_into()?;
        Ok(Self {
            kind,
            backup: required("summary.backup", summary.backup)?.try_into()?,
            base: parsed_optional("summary.base", &summary.base)?,
            task_id: parsed::<TaskId>("backup.task_id", &backup.task_id)?,
            started_at: parsed("summary.started_at", &summary.started_at)?,
            finished_at: parsed("summary.finished_at", &summary.finished_at)?,
            cluster_name: backup.cluster_name,
            release: required("summary.release", summary.release)?.try_into()?,
            partitioner: backup.partitioner,
            selection: required("backup.selection", backup.selection)?.try_into()?,
            snapshot_spread_ms: backup.snapshot_spread_ms,
            ring: all(backup.ring)?,
            nodes: all(backup.nodes)?,
            schema: required("backup.schema", backup.schema)?.try_into()?,
            missing: all(backup.missing)?,
            coverage: all_into(backup.held),
            copied_from: names_copied_from(&summary.copied_from)?,
        })
    }
}

fn node_to_wire(node: &BackupNode, member: Option<&RingMember>) -> pb::BackupNode {
    // A node that has left the ring between snapshot and commit is still known by its id.
    let member = member.cloned().unwrap_or_else(|| RingMember {
        host_id: node.host_id,
        address: String::new(),
        datacenter: String::new(),
        rack: String::new(),
        tokens: Vec::new(),
    });
    pb::BackupNode {
        member: Some(member.into()),
        bytes: node.bytes,
        uploaded_bytes: node.uploaded_bytes,
        copied_bytes: node.copied_bytes,
        sstables: node.sstables,
        manifest: node.manifest.clone(),
        manifest_blake3: node.blake3.clone(),
        release: Some(node.release.clone().into()),
        tables: all_into(node.tables.iter().cloned()),
        snapshot_taken_at: time(node.snapshot_taken_at),
        damaged_sstables: node.damaged_sstables,
        damaged: all_into(node.damaged.iter().cloned()),
    }
}

impl TryFrom<pb::BackupNode> for BackupNode {
    type Error = ConversionError;

    fn try_from(node: pb::BackupNode) -> Result<Self, ConversionError> {
        let member: RingMember = required("node.member", node.member)?.try_into()?;
        Ok(Self {
            host_id: member.host_id,
            release: required("node.release", node.release)?.try_into()?,
            snapshot_taken_at: parsed("node.snapshot_taken_at", &node.snapshot_taken_at)?,
            manifest: node.manifest,
            blake3: node.manifest_blake3,
            bytes: node.bytes,
            uploaded_bytes: node.uploaded_bytes,
            copied_bytes: node.copied_bytes,
            sstables: node.sstables,
            tables: all(node.tables)?,
            damaged_sstables: node.damaged_sstables,
            damaged: all(node.damaged)?,
        })
    }
}

impl From<KeptDamage> for pb::KeptDamage {
    fn from(damage: KeptDamage) -> Self {
        Self {
            table: Some(TableRef::new(&damage.keyspace, &damage.table).into()),
            index: damage.index.unwrap_or_default(),
            sstable: damage.sstable,
            component: damage.component,
            offset: damage.offset,
            what: damage.what,
        }
    }
}

impl TryFrom<pb::KeptDamage> for KeptDamage {
    type Error = ConversionError;

    fn try_from(damage: pb::KeptDamage) -> Result<Self, ConversionError> {
        let table: TableRef = required("damaged.table", damage.table)?.try_into()?;
        Ok(Self {
            keyspace: table.keyspace,
            table: table.table,
            index: (!damage.index.is_empty()).then_some(damage.index),
            sstable: damage.sstable,
            component: damage.component,
            offset: damage.offset,
            what: damage.what,
        })
    }
}

impl From<TableSummary> for pb::BackupTable {
    fn from(table: TableSummary) -> Self {
        Self {
            table: Some(table.table_ref().into()),
            id: table.id.to_string(),
            view_of: table.view_of.unwrap_or_default(),
            bytes: table.bytes,
            sstables: table.sstables,
            formats: table.formats,
        }
    }
}

impl TryFrom<pb::BackupTable> for TableSummary {
    type Error = ConversionError;

    fn try_from(table: pb::BackupTable) -> Result<Self, ConversionError> {
        let name: model::TableRef = required("table.table", table.table)?.try_into()?;
        Ok(Self {
            keyspace: name.keyspace,
            table: name.table,
            id: parsed("table.id", &table.id)?,
            view_of: (!table.view_of.is_empty()).then_some(table.view_of),
            bytes: table.bytes,
            sstables: table.sstables,
            formats: table.formats,
        })
    }
}

#[cfg(test)]
mod tests {
    use cassandra_versions::{Product, Release};
    use model::manifest::{BackupKind, MissingNode};
    use model::plan::KeyspaceCoverage;
    use model::{BackupRef, HostId, Schema, Selection, TableId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_backup_survives_the_wire() {
        let host_id = HostId(Uuid::from_u128(1));
        let at = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        let release = Release::new(Product::Cassandra, "5.0.5").expect("a release");
        let backup = BackupManifest {
            backup: BackupRef {
                cluster: "c".parse().expect("a name"),
                name: "b".parse().expect("a name"),
            },
            kind: BackupKind::Differential,
            base: Some("a".parse().expect("a name")),
            task_id: TaskId(Uuid::from_u128(2)),
            started_at: at,
            finished_at: at,
            cluster_name: "Test Cluster".into(),
            release: release.clone(),
            partitioner: "Murmur3Partitioner".into(),
            selection: Selection::default(),
            snapshot_spread_ms: 12,
            ring: vec![RingMember {
                host_id,
                address: "127.0.0.2".into(),
                datacenter: "dc1".into(),
                rack: "r1".into(),
                tokens: vec!["-1".into(), "5".into()],
            }],
            nodes: vec![BackupNode {
                host_id,
                release,
                snapshot_taken_at: at,
                manifest: "key".into(),
                blake3: "00".into(),
                bytes: 10,
                uploaded_bytes: 4,
                copied_bytes: 3,
                sstables: 2,
                tables: vec![TableSummary {
                    keyspace: "k".into(),
                    table: "v".into(),
                    id: TableId(Uuid::from_u128(3)),
                    view_of: Some("t".into()),
                    bytes: 10,
                    sstables: 2,
                    formats: vec!["big-nb".into()],
                }],
                damaged_sstables: 3,
                damaged: vec![KeptDamage {
                    keyspace: "k".into(),
                    table: "v".into(),
                    index: Some("by_day".into()),
                    sstable: "nb-1-big".into(),
                    component: "Data.db".into(),
                    offset: Some(0),
                    what: "chunk 0 is wrong".into(),
                }],
            }],
            schema: Schema::default(),
            missing: vec![MissingNode {
                host_id: HostId(Uuid::from_u128(9)),
                address: "127.0.0.9".into(),
                reason: "it is down".into(),
            }],
            coverage: vec![KeyspaceCoverage {
                keyspace: "k".into(),
                datacenter: "dc1".into(),
                replicas: 2,
                held_ppm: vec![0, 400_000, 600_000],
            }],
            copied_from: ["a0".parse().expect("a name")].into(),
        };
        let wire = pb::Backup::from(backup.clone());
        assert_eq!(BackupManifest::try_from(wire), Ok(backup));
    }
}
