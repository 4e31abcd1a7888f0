//! Parses `CREATE MATERIALIZED VIEW`.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Parsed};
use super::error::ParseErrorKind;
use super::option::option;
use super::table::{clustering_order, key_columns, table_id};
use crate::option::Options;
use crate::table::Order;
use crate::view::{Selection, View};

/// Parses what follows `CREATE MATERIALIZED VIEW [IF NOT EXISTS]`.
pub(super) fn view(cursor: &mut Cursor) -> Parsed<View> {
    let (keyspace, name) = cursor.qualified("the name of a view")?;
    cursor.keywords(&["AS", "SELECT"], "AS SELECT")?;
    let selection = selection(cursor)?;
    cursor.keywords(&["FROM"], "FROM")?;
    let elsewhere = cursor.expected("a table of the same keyspace");
    let (base_keyspace, base_table) = cursor.qualified("the name of a table")?;
    if base_keyspace != keyspace {
        return Err(elsewhere);
    }
    let filter = if cursor.take(&["WHERE"]) {
        cursor.text_until(|cursor| cursor.sees("PRIMARY"))?
    } else {
        String::new()
    };
    cursor.keywords(&["PRIMARY", "KEY"], "PRIMARY KEY")?;
    cursor.symbol('(', "`(`")?;
    let (partition_key, clustering) = key_columns(cursor)?;
    cursor.symbol(')', "`)`")?;
    let (mut options, orders) = properties(cursor)?;
    for name in orders.keys() {
        if !clustering.contains(name) {
            return Err(cursor.error(ParseErrorKind::Unknown {
                what: "column",
                name: name.clone(),
            }));
        }
    }
    let ordered = |name: String| {
        let order = orders.get(&name).copied().unwrap_or(Order::Ascending);
        (name, order)
    };
    Ok(View {
        id: table_id(cursor, &mut options)?,
        keyspace,
        name,
        base_table,
        selection,
        filter,
        partition_key,
        clustering: clustering.into_iter().map(ordered).collect(),
        options,
    })
}

fn selection(cursor: &mut Cursor) -> Parsed<Selection> {
    if cursor.take_symbol('*') {
        return Ok(Selection::All);
    }
    let expected = "the name of a column";
    let mut names = vec![cursor.name(expected)?];
    while cursor.take_symbol(',') {
        names.push(cursor.name(expected)?);
    }
    Ok(Selection::Columns(names))
}

fn properties(cursor: &mut Cursor) -> Parsed<(Options, BTreeMap<String, Order>)> {
    let mut options = Options::new();
    let mut orders = BTreeMap::new();
    if !cursor.take(&["WITH"]) {
        return Ok((options, orders));
    }
    loop {
        match clustering_order(cursor)? {
            Some(found) => orders.extend(found),
            None => option(cursor, &mut options)?,
        }
        if !cursor.take(&["AND"]) {
            return Ok((options, orders));
        }
    }
}
