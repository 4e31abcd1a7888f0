//! The schema of releases that describe themselves.

use cassandra_versions::Release;
use model::cql::{quote, statements, tokens, unquote};
use model::{SchemaEntry, SchemaKind};
use tracing::warn;

use super::rows::SchemaTables;
use super::statement::{Creates, creates};
use super::table::{EMPTY_CLASS, EMPTY_TYPE};
use super::{odd, render, rows_of};
use crate::cql::{Cql, CqlError, Row, RowError};

/// The entries of one keyspace.
pub(super) async fn entries(
    cql: &dyn Cql,
    keyspace: &str,
    release: &Release,
) -> Result<Vec<SchemaEntry>, CqlError> {
    let statement = format!("DESCRIBE KEYSPACE {} WITH INTERNALS", quote(keyspace));
    let mut entries: Vec<SchemaEntry> = Vec::new();
    for row in cql.query(&statement).await? {
        sort_in(keyspace, &row, &mut entries).map_err(odd(&statement))?;
    }
    mend_old_tables(cql, keyspace, release, &mut entries).await?;
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
    // Cassandra sends only a comment for a table of COMPACT STORAGE. Its options may have the end of a comment in them.
    if row.optional_text("type") == Some("table") && text.trim_start().starts_with("/*") {
        entries.push(SchemaEntry {
            keyspace: keyspace.to_owned(),
            kind: SchemaKind::Table,
            name: unquote(described),
            base_table: String::new(),
            cql: Vec::new(),
        });
        return Ok(());
    }
    for statement in statements(text) {
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
    Ok(())
}

/// Writes the tables of COMPACT STORAGE from the schema tables, and the type of a value that is always empty, which a table
/// keeps when its COMPACT STORAGE is dropped, as it can be read back.
async fn mend_old_tables(
    cql: &dyn Cql,
    keyspace: &str,
    release: &Release,
    entries: &mut [SchemaEntry],
) -> Result<(), CqlError> {
    let mut tables = entries
        .iter()
        .filter(|entry| entry.kind == SchemaKind::Table);
    if !tables.any(is_old) {
        return Ok(());
    }
    let has_own = |entry: &SchemaEntry| entry.kind == SchemaKind::Type && entry.name == EMPTY_TYPE;
    let has_own = entries.iter().any(has_own);
    let rows = SchemaTables::read(cql, keyspace, release).await?;
    for entry in entries
        .iter_mut()
        .filter(|entry| entry.kind == SchemaKind::Table)
    {
        let is_this = |row: &&Row| row.optional_text("table_name") == Some(&entry.name);
        match rows.tables.iter().find(is_this) {
            Some(row) if entry.cql.is_empty() => *entry = rows.table(row)?,
            Some(_) if !has_own => mend_empty_type(entry, rows.columns_of(&entry.name.clone())),
            _ => {}
        }
        if entry.cql.is_empty() {
            // Its data is still worth a backup.
            warn!(
                keyspace,
                table = entry.name,
                "no CQL can make this table again"
            );
        }
    }
    Ok(())
}

fn is_old(table: &SchemaEntry) -> bool {
    let names_empty = |statement: &String| tokens(statement).any(|token| token.is(EMPTY_TYPE));
    table.cql.is_empty() || table.cql.iter().any(names_empty)
}

fn mend_empty_type(table: &mut SchemaEntry, columns: &[Row]) {
    let empty = columns
        .iter()
        .filter(|column| column.optional_text("type") == Some(EMPTY_TYPE));
    for name in empty.filter_map(|column| column.optional_text("column_name")) {
        let name = quote(name);
        for end in [",", "\n"] {
            let described = format!("\n    {name} {EMPTY_TYPE}{end}");
            let mended = format!("\n    {name} {EMPTY_CLASS}{end}");
            if let Some(create) = table.cql.first_mut() {
                *create = create.replacen(&described, &mended, 1);
            }
        }
    }
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
