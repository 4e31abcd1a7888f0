//! Writes the schema of releases that do not describe themselves (3.11, DSE 6) from their schema tables.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Release;
use model::cql::{literal, quote};
use model::{SchemaEntry, SchemaKind};
use serde_json::Value;

use super::options::map_literal;
use super::rows::SchemaTables;
use super::types::{names, order, without_frozen};
use super::{KEYSPACES, odd, rows_of, select_keyspace, view};
use crate::cql::{Cql, CqlError, Row, RowError};

/// The entries of one keyspace, in an order in which they can be replayed.
pub(super) async fn entries(
    cql: &dyn Cql,
    name: &str,
    release: &Release,
) -> Result<Vec<SchemaEntry>, CqlError> {
    let mut entries = Vec::new();
    let mut has_graph = false;
    for row in cql.query(KEYSPACES).await? {
        if row.optional_text("keyspace_name") == Some(name) {
            has_graph |= row.value("graph_engine").is_some();
            entries.push(keyspace(&row).map_err(odd(KEYSPACES))?);
        }
    }
    let types = rows_of(cql, "types", name).await?;
    entries.extend(user_types(name, &types).map_err(odd(&select_keyspace("types", name)))?);
    for row in rows_of(cql, "functions", name).await? {
        entries.push(function(name, &row).map_err(odd(&select_keyspace("functions", name)))?);
    }
    for row in rows_of(cql, "aggregates", name).await? {
        entries.push(aggregate(name, &row).map_err(odd(&select_keyspace("aggregates", name)))?);
    }
    let mut tables = SchemaTables::read(cql, name, release).await?;
    if has_graph {
        tables.read_labels(cql).await?;
    }
    for row in &tables.tables {
        entries.push(tables.table(row)?);
    }
    for row in rows_of(cql, "indexes", name).await? {
        entries.push(index(name, &row).map_err(odd(&select_keyspace("indexes", name)))?);
    }
    for row in rows_of(cql, "views", name).await? {
        let columns = tables.columns_of(row.optional_text("view_name").unwrap_or_default());
        let made = view::view(name, &row, columns, release);
        entries.push(made.map_err(odd(&select_keyspace("views", name)))?);
    }
    Ok(entries)
}

pub(super) fn entry(keyspace: &str, kind: SchemaKind, name: &str, cql: Vec<String>) -> SchemaEntry {
    SchemaEntry {
        keyspace: keyspace.to_owned(),
        kind,
        name: name.to_owned(),
        base_table: String::new(),
        cql,
    }
}

/// `keyspace.name` with the quotes that it needs.
pub(super) fn qualified(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quote(keyspace), quote(name))
}

fn keyspace(row: &Row) -> Result<SchemaEntry, RowError> {
    let name = row.text("keyspace_name")?;
    let mut cql = format!(
        "CREATE KEYSPACE {} WITH replication = {} AND durable_writes = {}",
        quote(name),
        map_literal(&row.map("replication")?),
        row.flag("durable_writes")?
    );
    // Of DSE Graph since 6.8.
    if let Some(engine) = row.optional_text("graph_engine") {
        cql.push_str(&format!(" AND graph_engine = {}", literal(engine)));
    }
    Ok(entry(name, SchemaKind::Keyspace, name, vec![cql]))
}

fn user_types(keyspace: &str, rows: &[Row]) -> Result<Vec<SchemaEntry>, RowError> {
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut made = BTreeMap::new();
    for row in rows {
        let name = row.text("type_name")?;
        let types = row.texts("field_types")?;
        let fields: Vec<String> = row
            .texts("field_names")?
            .iter()
            .zip(&types)
            .map(|(field, of)| format!("    {} {of}", quote(field)))
            .collect();
        let cql = format!(
            "CREATE TYPE {} (\n{}\n)",
            qualified(keyspace, name),
            fields.join(",\n")
        );
        needs.insert(
            name.to_owned(),
            types.iter().flat_map(|text| names(text)).collect(),
        );
        made.insert(
            name.to_owned(),
            entry(keyspace, SchemaKind::Type, name, vec![cql]),
        );
    }
    Ok(order(needs)
        .iter()
        .filter_map(|name| made.remove(name))
        .collect())
}

pub(super) fn function(keyspace: &str, row: &Row) -> Result<SchemaEntry, RowError> {
    let name = row.text("function_name")?;
    let types = argument_types(row)?;
    let arguments: Vec<String> = row
        .texts("argument_names")?
        .iter()
        .zip(&types)
        .map(|(argument, of)| format!("{} {of}", quote(argument)))
        .collect();
    let on_null = if row.flag("called_on_null_input")? {
        "CALLED"
    } else {
        "RETURNS NULL"
    };
    let body = row.text("body")?;
    let body = if body.contains("$$") {
        literal(body)
    } else {
        format!("$${body}$$")
    };
    let cql = format!(
        "CREATE FUNCTION {}({})\n    {on_null} ON NULL INPUT\n    RETURNS {}{}\n    LANGUAGE {}\n    AS {body}",
        qualified(keyspace, name),
        arguments.join(", "),
        without_frozen(row.text("return_type")?),
        properties(row)?,
        row.text("language")?,
    );
    Ok(entry(
        keyspace,
        SchemaKind::Function,
        &signature(name, &types),
        vec![cql],
    ))
}

/// What only DSE has of a function: whether it is deterministic, and on which of its arguments it is monotonic.
fn properties(row: &Row) -> Result<String, RowError> {
    let is = |column: &str| row.value(column).and_then(Value::as_bool) == Some(true);
    let mut text = String::new();
    if is("deterministic") {
        text.push_str("\n    DETERMINISTIC");
    }
    if is("monotonic") {
        text.push_str("\n    MONOTONIC");
    } else if let Some(argument) = row.texts("monotonic_on")?.first() {
        text.push_str(&format!("\n    MONOTONIC ON {}", quote(argument)));
    }
    Ok(text)
}

fn aggregate(keyspace: &str, row: &Row) -> Result<SchemaEntry, RowError> {
    let name = row.text("aggregate_name")?;
    let types = argument_types(row)?;
    let mut cql = format!(
        "CREATE AGGREGATE {}({})\n    SFUNC {}\n    STYPE {}",
        qualified(keyspace, name),
        types.join(", "),
        quote(row.text("state_func")?),
        without_frozen(row.text("state_type")?),
    );
    if let Some(function) = row.optional_text("final_func") {
        cql.push_str(&format!("\n    FINALFUNC {}", quote(function)));
    }
    // Kept as the literal that it was given as.
    if let Some(condition) = row.optional_text("initcond") {
        cql.push_str(&format!("\n    INITCOND {condition}"));
    }
    cql.push_str(&properties(row)?);
    Ok(entry(
        keyspace,
        SchemaKind::Aggregate,
        &signature(name, &types),
        vec![cql],
    ))
}

fn argument_types(row: &Row) -> Result<Vec<String>, RowError> {
    let types = row.texts("argument_types")?;
    Ok(types.iter().map(|text| without_frozen(text)).collect())
}

fn signature(name: &str, types: &[String]) -> String {
    format!("{name}({})", types.join(", "))
}

fn index(keyspace: &str, row: &Row) -> Result<SchemaEntry, RowError> {
    let (table, name) = (row.text("table_name")?, row.text("index_name")?);
    let mut options = row.map("options")?;
    // Names in the target are quoted there already.
    let target = options.remove("target").unwrap_or_default();
    let on = format!(
        "INDEX {} ON {} ({target})",
        quote(name),
        qualified(keyspace, table)
    );
    let cql = match options.remove("class_name") {
        Some(class) if row.optional_text("kind") == Some("CUSTOM") => {
            let with = match options.is_empty() {
                true => String::new(),
                false => format!(" WITH OPTIONS = {}", map_literal(&options)),
            };
            format!("CREATE CUSTOM {on} USING {}{with}", literal(&class))
        }
        _ => format!("CREATE {on}"),
    };
    Ok(SchemaEntry {
        base_table: table.to_owned(),
        ..entry(keyspace, SchemaKind::Index, name, vec![cql])
    })
}

pub(super) fn trigger(keyspace: &str, table: &str, row: &Row) -> Result<String, RowError> {
    let class = row.map("options")?.remove("class").unwrap_or_default();
    Ok(format!(
        "CREATE TRIGGER {} ON {} USING {}",
        quote(row.text("trigger_name")?),
        qualified(keyspace, table),
        literal(&class)
    ))
}
