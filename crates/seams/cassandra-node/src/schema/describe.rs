//! The schema of releases that describe themselves.

use model::cql::{quote, statements, unquote};
use model::{SchemaEntry, SchemaKind};
use tracing::warn;

use super::statement::{Creates, creates};
use super::{odd, render, rows_of};
use crate::cql::{Cql, CqlError, Row, RowError};

/// The entries of one keyspace.
pub(super) async fn entries(cql: &dyn Cql, keyspace: &str) -> Result<Vec<SchemaEntry>, CqlError> {
    let statement = format!("DESCRIBE KEYSPACE {} WITH INTERNALS", quote(keyspace));
    let mut entries: Vec<SchemaEntry> = Vec::new();
    for row in cql.query(&statement).await? {
        sort_in(keyspace, &row, &mut entries).map_err(odd(&statement))?;
    }
    for function in rows_of(cql, "functions", keyspace).await? {
        mend_function(keyspace, &function, &mut entries).map_err(odd("system_schema.functions"))?;
    }
    for trigger in rows_of(cql, "triggers", keyspace).await? {
        add_trigger(keyspace, &trigger, &mut entries).map_err(odd("system_schema.triggers"))?;
    }
    // Views are built from their tables, and both from everything before: the order in which it can be replayed.
    entries.sort_by_key(|entry| entry.kind);
    Ok(entries)
}

/// Takes one described object apart: Cassandra sends indexes and dropped columns along with their table.
fn sort_in(keyspace: &str, row: &Row, entries: &mut Vec<SchemaEntry>) -> Result<(), RowError> {
    let text = row.text("create_statement")?;
    let described = row.text("name")?;
    let mut found = 0;
    for statement in statements(text) {
        found += 1;
        match creates(statement) {
            Some(Creates::Object {
                kind,
                name,
                base_table,
            }) => {
                let name = match kind {
                    SchemaKind::Function | SchemaKind::Aggregate => signature(described),
                    _ => name,
                };
                let known = entries
                    .iter()
                    .any(|entry| entry.kind == kind && entry.name == name);
                if !known {
                    entries.push(SchemaEntry {
                        keyspace: keyspace.to_owned(),
                        kind,
                        name,
                        base_table,
                        cql: vec![statement.to_owned()],
                    });
                }
            }
            // `ALTER TABLE … DROP` and the like finish the table that was made before them.
            Some(Creates::Trigger { .. }) | None => {
                let is_table = |entry: &&mut SchemaEntry| entry.kind == SchemaKind::Table;
                if let Some(table) = entries.iter_mut().rfind(is_table) {
                    table.cql.push(statement.to_owned());
                }
            }
        }
    }
    if found == 0 && row.optional_text("type") == Some("table") {
        // Cassandra sends only a comment for what no CQL could make. Its data is still worth a backup.
        warn!(
            keyspace,
            table = described,
            "the table has no CQL that would make it again"
        );
        entries.push(SchemaEntry {
            keyspace: keyspace.to_owned(),
            kind: SchemaKind::Table,
            name: unquote(described),
            base_table: String::new(),
            cql: Vec::new(),
        });
    }
    Ok(())
}

/// Cassandra puts every body between `$$`, also one that has a `$$` in it, which no one can read back.
fn mend_function(
    keyspace: &str,
    function: &Row,
    entries: &mut [SchemaEntry],
) -> Result<(), RowError> {
    if !function.text("body")?.contains("$$") {
        return Ok(());
    }
    let mended = render::function(keyspace, function)?;
    let is_this =
        |entry: &&mut SchemaEntry| entry.kind == SchemaKind::Function && entry.name == mended.name;
    if let Some(entry) = entries.iter_mut().find(is_this) {
        *entry = mended;
    }
    Ok(())
}

/// `"F"(int, text)` without the quotes of the name.
fn signature(described: &str) -> String {
    match described
        .rfind('(')
        .filter(|_| !described.starts_with("\"("))
    {
        Some(at) => format!("{}{}", unquote(&described[..at]), &described[at..]),
        None => unquote(described),
    }
}

fn add_trigger(keyspace: &str, trigger: &Row, entries: &mut [SchemaEntry]) -> Result<(), RowError> {
    let (table, name) = (trigger.text("table_name")?, trigger.text("trigger_name")?);
    let made = render::trigger(keyspace, table, trigger)?;
    let is_table =
        |entry: &&mut SchemaEntry| entry.kind == SchemaKind::Table && entry.name == table;
    if let Some(entry) = entries.iter_mut().find(is_table) {
        let is_this = |statement: &String| {
            creates(statement)
                == Some(Creates::Trigger {
                    name: name.to_owned(),
                })
        };
        if !entry.cql.iter().any(is_this) {
            entry.cql.push(made);
        }
    }
    Ok(())
}
