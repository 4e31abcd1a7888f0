//! The schema as replayable CQL.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaKind {
    Keyspace,
    Type,
    Function,
    Aggregate,
    Table,
    Index,
    View,
}

/// One object of the schema with the CQL that makes it, internals (table id, dropped columns) included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    pub keyspace: String,
    pub kind: SchemaKind,
    /// Unquoted; for functions with the argument types.
    pub name: String,
    /// For an index or a view the table that it belongs to; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_table: String,
    /// One statement each, in the order in which they must run, without a trailing semicolon.
    pub cql: Vec<String>,
}

/// The schema of the user keyspaces, in an order in which it can be replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Cassandra's schema version, a UUID.
    pub version: String,
    pub entries: Vec<SchemaEntry>,
}

impl Schema {
    /// The entry of this kind and name.
    pub fn find(&self, kind: SchemaKind, keyspace: &str, name: &str) -> Option<&SchemaEntry> {
        self.entries
            .iter()
            .find(|entry| entry.kind == kind && entry.keyspace == keyspace && entry.name == name)
    }

    /// The indexes or views that belong to a table.
    pub fn dependents<'a>(
        &'a self,
        kind: SchemaKind,
        keyspace: &'a str,
        base_table: &'a str,
    ) -> impl Iterator<Item = &'a SchemaEntry> {
        self.entries.iter().filter(move |entry| {
            entry.kind == kind && entry.keyspace == keyspace && entry.base_table == base_table
        })
    }
}
