//! Parses `CREATE TABLE`.

use std::collections::BTreeMap;

use model::TableId;

use super::cursor::{Cursor, Parsed};
use super::error::ParseErrorKind;
use super::option::option;
use super::types::cql_type;
use crate::option::Options;
use crate::table::{Column, ColumnKind, DroppedColumn, EdgeEnd, GraphLabel, Order, Table, Trigger};

#[derive(Default)]
struct Key {
    partition: Vec<String>,
    clustering: Vec<String>,
}

/// Parses what follows `CREATE TABLE [IF NOT EXISTS]`.
pub(super) fn table(cursor: &mut Cursor) -> Parsed<Table> {
    let (keyspace, name) = cursor.qualified("the name of a table")?;
    let mut table = Table::new(&keyspace, &name);
    let mut key = Key::default();
    cursor.symbol('(', "`(`")?;
    loop {
        if cursor.take(&["PRIMARY", "KEY"]) {
            cursor.symbol('(', "`(`")?;
            (key.partition, key.clustering) = key_columns(cursor)?;
            cursor.symbol(')', "`)`")?;
        } else {
            let column = column(cursor)?;
            if table.column(&column.name).is_some() {
                return Err(cursor.error(ParseErrorKind::Duplicate {
                    what: "column",
                    name: column.name,
                }));
            }
            if cursor.take(&["PRIMARY", "KEY"]) {
                key.partition = vec![column.name.clone()];
                table.columns.push(mask_behind_key(cursor, column)?);
            } else {
                table.columns.push(column);
            }
        }
        if cursor.take_symbol(')') {
            break;
        }
        cursor.symbol(',', "`,` or `)`")?;
        if cursor.take_symbol(')') {
            break;
        }
    }
    let orders = properties(cursor, &mut table)?;
    put_keys_first(cursor, &mut table, &key, &orders)?;
    Ok(table)
}

/// 5.0 writes the mask of a key behind `PRIMARY KEY`.
fn mask_behind_key(cursor: &mut Cursor, mut column: Column) -> Parsed<Column> {
    if let Some(mask) = mask(cursor)? {
        column.mask = Some(mask);
    }
    Ok(column)
}

/// `name type [static] [MASKED WITH …]`
pub(super) fn column(cursor: &mut Cursor) -> Parsed<Column> {
    let name = cursor.name("the name of a column")?;
    let of = cql_type(cursor)?;
    let kind = if cursor.take(&["STATIC"]) {
        ColumnKind::Static
    } else {
        ColumnKind::Regular
    };
    Ok(Column {
        name,
        of,
        kind,
        mask: mask(cursor)?,
    })
}

pub(super) fn mask(cursor: &mut Cursor) -> Parsed<Option<String>> {
    if !cursor.take(&["MASKED", "WITH"]) {
        return Ok(None);
    }
    let ends = |cursor: &Cursor| {
        cursor.peek().is_some_and(|token| token.is_symbol(',')) || cursor.sees("PRIMARY")
    };
    match cursor.text_until(ends)? {
        mask if mask.is_empty() => Err(cursor.expected("a mask")),
        mask => Ok(Some(mask)),
    }
}

/// `a, b` or `(a, b), c`: the partition key, and the clustering columns.
pub(super) fn key_columns(cursor: &mut Cursor) -> Parsed<(Vec<String>, Vec<String>)> {
    let expected = "the name of a column";
    let mut partition = Vec::new();
    if cursor.take_symbol('(') {
        partition.push(cursor.name(expected)?);
        while cursor.take_symbol(',') {
            partition.push(cursor.name(expected)?);
        }
        cursor.symbol(')', "`,` or `)`")?;
    } else {
        partition.push(cursor.name(expected)?);
    }
    let mut clustering = Vec::new();
    while cursor.take_symbol(',') {
        clustering.push(cursor.name(expected)?);
    }
    Ok((partition, clustering))
}

fn properties(cursor: &mut Cursor, table: &mut Table) -> Parsed<BTreeMap<String, Order>> {
    let mut orders = BTreeMap::new();
    if !cursor.take(&["WITH"]) {
        return Ok(orders);
    }
    loop {
        if cursor.take(&["COMPACT", "STORAGE"]) {
            table.compact_storage = true;
        } else if let Some(found) = clustering_order(cursor)? {
            orders.extend(found);
        } else if cursor.take(&["VERTEX", "LABEL"]) {
            table.graph = Some(GraphLabel::Vertex(label(cursor)?));
        } else if cursor.take(&["EDGE", "LABEL"]) {
            table.graph = Some(edge(cursor)?);
        } else if cursor.take(&["DROPPED", "COLUMN", "RECORD"]) {
            table.dropped.push(dropped(cursor)?);
        } else {
            option(cursor, &mut table.options)?;
        }
        if !cursor.take(&["AND"]) {
            break;
        }
    }
    table.id = table_id(cursor, &mut table.options)?;
    Ok(orders)
}

/// Parses `CLUSTERING ORDER BY (a ASC, b DESC)`, if that is next.
pub(super) fn clustering_order(cursor: &mut Cursor) -> Parsed<Option<BTreeMap<String, Order>>> {
    if !cursor.take(&["CLUSTERING", "ORDER", "BY"]) {
        return Ok(None);
    }
    let mut orders = BTreeMap::new();
    cursor.symbol('(', "`(`")?;
    loop {
        let name = cursor.name("the name of a column")?;
        let order = if cursor.take(&["DESC"]) {
            Order::Descending
        } else {
            cursor.take(&["ASC"]);
            Order::Ascending
        };
        orders.insert(name, order);
        if cursor.take_symbol(')') {
            return Ok(Some(orders));
        }
        cursor.symbol(',', "`,` or `)`")?;
    }
}

/// Removes the id from the options.
pub(super) fn table_id(cursor: &Cursor, options: &mut Options) -> Parsed<Option<TableId>> {
    let Some(value) = options.remove("id") else {
        return Ok(None);
    };
    let text = value.as_literal().map_or("", |literal| literal.content());
    match text.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(cursor.error(ParseErrorKind::TableId(value.to_string()))),
    }
}

fn label(cursor: &mut Cursor) -> Parsed<Option<String>> {
    let is_end = match cursor.peek() {
        None => true,
        Some(token) => token.is("AND") || token.is("FROM"),
    };
    if is_end {
        Ok(None)
    } else {
        Ok(Some(cursor.name("a label")?))
    }
}

fn edge(cursor: &mut Cursor) -> Parsed<GraphLabel> {
    let label = label(cursor)?;
    cursor.keywords(&["FROM"], "FROM")?;
    let from = edge_end(cursor)?;
    cursor.keywords(&["TO"], "TO")?;
    let to = edge_end(cursor)?;
    Ok(GraphLabel::Edge { label, from, to })
}

fn edge_end(cursor: &mut Cursor) -> Parsed<EdgeEnd> {
    let label = cursor.name("a label")?;
    cursor.symbol('(', "`(`")?;
    let (partition_key, clustering) = key_columns(cursor)?;
    cursor.symbol(')', "`)`")?;
    Ok(EdgeEnd {
        label,
        partition_key,
        clustering,
    })
}

fn dropped(cursor: &mut Cursor) -> Parsed<DroppedColumn> {
    let column = column(cursor)?;
    cursor.keywords(&["USING", "TIMESTAMP"], "USING TIMESTAMP")?;
    Ok(DroppedColumn {
        name: column.name,
        of: column.of,
        is_static: column.kind == ColumnKind::Static,
        dropped_us: Some(cursor.integer("a timestamp")?),
    })
}

fn put_keys_first(
    cursor: &Cursor,
    table: &mut Table,
    key: &Key,
    orders: &BTreeMap<String, Order>,
) -> Parsed<()> {
    if key.partition.is_empty() {
        return Err(cursor.expected("a PRIMARY KEY"));
    }
    if let Some(name) = orders.keys().find(|name| !key.clustering.contains(name)) {
        return Err(cursor.error(ParseErrorKind::Unknown {
            what: "clustering column",
            name: name.clone(),
        }));
    }
    let mut others = std::mem::take(&mut table.columns);
    let partition = key.partition.iter().map(|name| (name, None));
    let clustering = key.clustering.iter().map(|name| (name, orders.get(name)));
    let descending = |order: Option<&Order>| order.copied().unwrap_or(Order::Ascending);
    for (position, (name, order)) in partition.chain(clustering).enumerate() {
        let Some(at) = others.iter().position(|column| column.name == *name) else {
            return Err(cursor.error(ParseErrorKind::Unknown {
                what: "column",
                name: name.clone(),
            }));
        };
        let mut column = others.remove(at);
        column.kind = if position < key.partition.len() {
            ColumnKind::PartitionKey
        } else {
            ColumnKind::Clustering(descending(order))
        };
        table.columns.push(column);
    }
    table.columns.append(&mut others);
    table.arrange();
    Ok(())
}

/// Parses what follows `CREATE TRIGGER`: returns the keyspace and table that it belongs to, and itself.
pub(super) fn trigger(cursor: &mut Cursor) -> Parsed<(String, String, Trigger)> {
    let name = cursor.name("the name of a trigger")?;
    cursor.keywords(&["ON"], "ON")?;
    let (keyspace, table) = cursor.qualified("the name of a table")?;
    cursor.keywords(&["USING"], "USING")?;
    let class = cursor.string("a class")?;
    Ok((keyspace, table, Trigger { name, class }))
}
