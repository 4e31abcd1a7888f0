//! The target's schema as it is now.

use std::collections::BTreeMap;

use model::{Schema, SchemaEntry, SchemaKind, TableId, TableRef};

use crate::cluster::Cluster;

pub(crate) struct TargetSchema<'a> {
    pub schema: &'a Schema,
    ids: BTreeMap<&'a TableRef, TableId>,
    compaction_classes: Vec<&'a str>,
}

impl<'a> TargetSchema<'a> {
    pub fn new(schema: &'a Schema, cluster: &Cluster<'a>) -> Self {
        let described = || cluster.nodes.iter().flat_map(|node| &node.tables);
        let mut compaction_classes: Vec<&str> = described()
            .map(|table| table.compaction_class.as_str())
            .collect();
        compaction_classes.sort_unstable();
        compaction_classes.dedup();
        Self {
            schema,
            ids: described().map(|table| (&table.table, table.id)).collect(),
            compaction_classes,
        }
    }

    pub fn find(&self, kind: SchemaKind, keyspace: &str, name: &str) -> Option<&'a SchemaEntry> {
        self.schema.find(kind, keyspace, name)
    }

    pub fn keyspace(&self, keyspace: &str) -> Option<&'a SchemaEntry> {
        self.find(SchemaKind::Keyspace, keyspace, keyspace)
    }

    pub fn id(&self, table: &TableRef) -> Option<TableId> {
        self.ids.get(table).copied()
    }

    /// Whether a table on the target uses this compaction class: then every node has it.
    pub fn uses_compaction(&self, class: &str) -> bool {
        self.compaction_classes.contains(&class)
    }

    /// The entries of this kind over a table.
    pub fn over(&self, kind: SchemaKind, base: &TableRef) -> Vec<&'a SchemaEntry> {
        let is_over = |entry: &&SchemaEntry| {
            entry.kind == kind && entry.keyspace == base.keyspace && entry.base_table == base.table
        };
        self.schema.entries.iter().filter(is_over).collect()
    }
}
