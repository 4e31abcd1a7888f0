//! The schema as replayable CQL.

use serde::{Deserialize, Serialize};

use crate::{TableId, cql};

/// The length of an id as text.
const UUID_CHARS: usize = 36;

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

impl SchemaEntry {
    /// The id that a table or view is made with; none if the CQL does not say.
    pub fn table_id(&self) -> Option<TableId> {
        if !matches!(self.kind, SchemaKind::Table | SchemaKind::View) {
            return None;
        }
        let statement = self.cql.first()?;
        let all: Vec<cql::Token> = cql::tokens(statement).collect();
        let is_option = |three: &&[cql::Token]| {
            (three[0].is("WITH") || three[0].is("AND"))
                && three[1].is("ID")
                && three[2].is_symbol('=')
        };
        let found = all.windows(3).find(is_option)?;
        let value = statement[found[2].end()..].trim_start();
        value.get(..UUID_CHARS)?.parse().ok()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_the_id_that_it_is_made_with() {
        let id = "b5f2e3a0-0000-11ee-8c99-0242ac120002";
        let other = "00000000-0000-0000-0000-000000000001";
        for (kind, cql, expected) in [
            (
                SchemaKind::Table,
                format!("CREATE TABLE a.b (id int) WITH ID = {id}\n AND x = 1"),
                true,
            ),
            (
                SchemaKind::Table,
                format!("CREATE TABLE a.b (id int) WITH x = 1 AND id={id};"),
                true,
            ),
            (
                SchemaKind::View,
                format!("CREATE MATERIALIZED VIEW a.b AS SELECT x WITH ID = {id}"),
                true,
            ),
            (
                SchemaKind::Table,
                format!("CREATE TABLE a.b (id int) WITH comment = 'AND ID = {other}'"),
                false,
            ),
            (
                SchemaKind::Index,
                format!("CREATE INDEX WITH ID = {id}"),
                false,
            ),
            (
                SchemaKind::Table,
                "CREATE TABLE a.b WITH ID = b5f2".to_owned(),
                false,
            ),
        ] {
            let entry = SchemaEntry {
                keyspace: "a".into(),
                kind,
                name: "b".into(),
                base_table: String::new(),
                cql: vec![cql.clone()],
            };
            let found = entry.table_id().map(|id| id.to_string());
            assert_eq!(found, expected.then(|| id.to_owned()), "{cql}");
        }
    }
}
