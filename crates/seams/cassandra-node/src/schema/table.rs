//! Writes a table: columns, dropped columns, keys, options, triggers.

use cassandra_versions::Release;
use model::cql::quote;
use model::{SchemaEntry, SchemaKind};

use super::options::options;
use super::render::{entry, qualified, trigger};
use super::storage::Storage;
use crate::cql::{Row, RowError};

/// What a dense table without values has for one: a type that has a name in the schema tables, and none in CQL.
pub(super) const EMPTY_TYPE: &str = "empty";
/// How CQL writes it, on every release.
pub(super) const EMPTY_CLASS: &str = "'org.apache.cassandra.db.marshal.EmptyType'";

/// The rows of a table's columns and triggers.
pub(super) struct Parts<'a> {
    pub columns: &'a [Row],
    pub dropped: &'a [Row],
    pub triggers: &'a [Row],
    /// Its role in a graph of DSE, as it is written behind `WITH`.
    pub label: Option<String>,
}

/// The table's entry, without CQL if no statement makes such a table.
pub(super) fn table(
    keyspace: &str,
    row: &Row,
    parts: &Parts,
    release: &Release,
) -> Result<SchemaEntry, RowError> {
    let name = row.text("table_name")?;
    let Some(storage) = Storage::of(row, parts.columns)? else {
        return Ok(entry(keyspace, SchemaKind::Table, name, Vec::new()));
    };
    let mut cql = vec![create(keyspace, name, row, parts, storage, release)?];
    let target = qualified(keyspace, name);
    for column in parts.dropped {
        cql.extend(drop_statements(&target, column, parts.columns)?);
    }
    for row in parts.triggers {
        cql.push(trigger(keyspace, name, row)?);
    }
    Ok(entry(keyspace, SchemaKind::Table, name, cql))
}

fn create(
    keyspace: &str,
    name: &str,
    row: &Row,
    parts: &Parts,
    storage: Storage,
    release: &Release,
) -> Result<String, RowError> {
    let columns = parts.columns;
    let mut lines = Vec::new();
    for column in visible(columns, storage) {
        lines.push(column_line(column, storage)?);
    }
    // Dropped columns are made live and dropped again, so that data which still names them is read.
    let gone = |column: &&Row| find(columns, column).is_none();
    for column in parts.dropped.iter().filter(gone) {
        lines.push(column_line(column, storage)?);
    }
    lines.push(format!(
        "    PRIMARY KEY ({})",
        primary_key(columns, storage)?
    ));
    let mut text = format!(
        "CREATE TABLE {} (\n{}\n) WITH ID = {}",
        qualified(keyspace, name),
        lines.join(",\n"),
        row.text("id")?
    );
    if storage != Storage::Rows {
        text.push_str("\n    AND COMPACT STORAGE");
    }
    if let Some(order) = clustering_order(columns, storage)? {
        text.push_str(&format!("\n    AND CLUSTERING ORDER BY ({order})"));
    }
    if let Some(label) = &parts.label {
        text.push_str(&format!("\n    AND {label}"));
    }
    text.push_str(&options(row, false, release)?);
    Ok(text)
}

/// The columns of a table that CQL shows, keys first and in their order, the others by name.
fn visible(columns: &[Row], storage: Storage) -> Vec<&Row> {
    let mut shown: Vec<&Row> = columns
        .iter()
        .filter(|column| match (storage, kind(column)) {
            (Storage::CompactStatic, "clustering" | "regular") => false,
            (Storage::CompactDense, _) => column.optional_text("type") != Some(EMPTY_TYPE),
            _ => true,
        })
        .collect();
    shown.sort_by_key(|column| {
        (
            rank(kind(column)),
            position(column),
            column.optional_text("column_name"),
        )
    });
    shown
}

pub(super) fn kind(column: &Row) -> &str {
    column.optional_text("kind").unwrap_or("regular")
}

fn rank(kind: &str) -> u8 {
    match kind {
        "partition_key" => 0,
        "clustering" => 1,
        _ => 2,
    }
}

/// Only keys have one; others are at -1, and order by name.
fn position(column: &Row) -> i64 {
    column.number("position").unwrap_or(-1)
}

fn column_line(column: &Row, storage: Storage) -> Result<String, RowError> {
    let is_static = kind(column) == "static" && storage == Storage::Rows;
    let of = match column.text("type")? {
        EMPTY_TYPE => EMPTY_CLASS,
        of => of,
    };
    Ok(format!(
        "    {} {of}{}",
        quote(column.text("column_name")?),
        if is_static { " static" } else { "" }
    ))
}

fn find<'a>(columns: &'a [Row], like: &Row) -> Option<&'a Row> {
    let name = like.optional_text("column_name");
    columns
        .iter()
        .find(|column| column.optional_text("column_name") == name)
}

/// The columns of one kind of key, in their order.
pub(super) fn keys<'a>(columns: &'a [Row], of_kind: &str) -> Vec<&'a Row> {
    let mut keys: Vec<&Row> = columns
        .iter()
        .filter(|column| kind(column) == of_kind)
        .collect();
    keys.sort_by_key(|column| position(column));
    keys
}

fn primary_key(columns: &[Row], storage: Storage) -> Result<String, RowError> {
    let clustering = match storage {
        Storage::CompactStatic => Vec::new(),
        Storage::Rows | Storage::CompactDense => keys(columns, "clustering"),
    };
    key_text(&keys(columns, "partition_key"), &clustering)
}

/// `a` or `(a, b)`, and the clustering columns behind it.
pub(super) fn key_text(partition: &[&Row], clustering: &[&Row]) -> Result<String, RowError> {
    let quoted = |columns: &[&Row]| -> Result<Vec<String>, RowError> {
        columns
            .iter()
            .map(|column| Ok(quote(column.text("column_name")?).into_owned()))
            .collect()
    };
    let partition = quoted(partition)?;
    let mut parts = vec![match partition.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    }];
    parts.extend(quoted(clustering)?);
    Ok(parts.join(", "))
}

fn clustering_order(columns: &[Row], storage: Storage) -> Result<Option<String>, RowError> {
    if storage == Storage::CompactStatic {
        return Ok(None);
    }
    order_text(&keys(columns, "clustering"))
}

/// The order of all clustering columns; nothing if there are none.
pub(super) fn order_text(clustering: &[&Row]) -> Result<Option<String>, RowError> {
    if clustering.is_empty() {
        return Ok(None);
    }
    let orders = clustering
        .iter()
        .map(|column| {
            let order = column.text("clustering_order")?.to_uppercase();
            Ok(format!("{} {order}", quote(column.text("column_name")?)))
        })
        .collect::<Result<Vec<_>, RowError>>()?;
    Ok(Some(orders.join(", ")))
}

/// Drops a column as of when it was dropped; one that was added again later is added again.
fn drop_statements(target: &str, dropped: &Row, columns: &[Row]) -> Result<Vec<String>, RowError> {
    let name = quote(dropped.text("column_name")?).into_owned();
    let dropped_us = dropped.number("dropped_time")?.saturating_mul(1000);
    let mut cql = vec![format!(
        "ALTER TABLE {target} DROP {name} USING TIMESTAMP {dropped_us}"
    )];
    if let Some(again) = find(columns, dropped) {
        let line = column_line(again, Storage::Rows)?;
        cql.push(format!("ALTER TABLE {target} ADD {}", line.trim_start()));
    }
    Ok(cql)
}
