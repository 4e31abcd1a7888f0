//! Damage of a file, with the SSTable that has it.

use cassandra_formats::Damage;
use cassandra_node::sstables::ComponentFile;
use cassandra_node::tables::Table;
use model::manifest::KeptDamage;
use tracing::warn;

use super::Kept;

/// The damage as a manifest names it.
pub(super) fn kept(table: &Table, file: &ComponentFile, damage: &[Damage]) -> Vec<KeptDamage> {
    let kept = damage.iter().map(|damage| KeptDamage {
        keyspace: table.table.keyspace.clone(),
        table: table.table.table.clone(),
        index: file.index.clone(),
        sstable: file.descriptor.to_string(),
        component: damage.component.to_string(),
        offset: damage.offset,
        what: damage.what.clone(),
    });
    kept.collect()
}

/// Damage must not go unnoticed because it was kept.
pub(super) fn warn_of(table: &Table, kept: &Kept) {
    for damage in &kept.damage {
        let file = &kept.file.name;
        warn!(table = %table.table, file, %damage, "damage is kept on demand");
    }
}
