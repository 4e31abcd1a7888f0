//! Parses `ALTER`.

use super::cursor::{Cursor, Parsed};
use super::option::options;
use super::statement::Alters;
use super::table::{column, mask};
use super::types::cql_type;
use crate::change::{TableChange, TypeChange};
use crate::user_type::Field;

/// Parses what follows `ALTER`.
pub(super) fn alter(cursor: &mut Cursor) -> Parsed<Alters> {
    if cursor.take(&["KEYSPACE"]) || cursor.take(&["SCHEMA"]) {
        if_exists(cursor);
        let name = cursor.name("the name of a keyspace")?;
        cursor.keywords(&["WITH"], "WITH")?;
        return Ok(Alters::Keyspace(name, options(cursor)?));
    }
    if cursor.take(&["TABLE"]) || cursor.take(&["COLUMNFAMILY"]) {
        if_exists(cursor);
        let (keyspace, name) = cursor.qualified("the name of a table")?;
        return Ok(Alters::Table(keyspace, name, table_change(cursor)?));
    }
    if cursor.take(&["TYPE"]) {
        if_exists(cursor);
        let (keyspace, name) = cursor.qualified("the name of a type")?;
        return Ok(Alters::Type(keyspace, name, type_change(cursor)?));
    }
    if cursor.take(&["MATERIALIZED", "VIEW"]) {
        if_exists(cursor);
        let (keyspace, name) = cursor.qualified("the name of a view")?;
        cursor.keywords(&["WITH"], "WITH")?;
        return Ok(Alters::View(keyspace, name, options(cursor)?));
    }
    if cursor.take(&["SEARCH", "INDEX"]) {
        // SCHEMA or CONFIG, and the change.
        cursor.text_until(|cursor| cursor.sees("ON"))?;
        cursor.keywords(&["ON"], "ON")?;
        let (keyspace, table) = cursor.qualified("the name of a table")?;
        cursor.rest()?;
        let statement = cursor.whole_text().trim().to_owned();
        return Ok(Alters::SearchIndex {
            keyspace,
            table,
            statement,
        });
    }
    Err(cursor.expected("KEYSPACE, TABLE, TYPE, MATERIALIZED VIEW or SEARCH INDEX"))
}

fn if_exists(cursor: &mut Cursor) {
    cursor.take(&["IF", "EXISTS"]);
}

fn table_change(cursor: &mut Cursor) -> Parsed<TableChange> {
    if cursor.take(&["ADD"]) {
        cursor.if_not_exists();
        return Ok(TableChange::Add(several(cursor, column)?));
    }
    if cursor.take(&["DROP", "COMPACT", "STORAGE"]) {
        return Ok(TableChange::DropCompactStorage);
    }
    if cursor.take(&["DROP"]) {
        if_exists(cursor);
        let columns = several(cursor, |cursor| cursor.name("the name of a column"))?;
        let dropped_us = if cursor.take(&["USING", "TIMESTAMP"]) {
            Some(cursor.integer("a timestamp")?)
        } else {
            None
        };
        return Ok(TableChange::Drop {
            columns,
            dropped_us,
        });
    }
    if cursor.take(&["RENAME"]) {
        if_exists(cursor);
        return Ok(TableChange::Rename(renames(cursor)?));
    }
    if cursor.take(&["WITH"]) {
        return Ok(TableChange::With(options(cursor)?));
    }
    cursor.keywords(&["ALTER"], "ADD, DROP, RENAME, ALTER or WITH")?;
    if_exists(cursor);
    let column = cursor.name("the name of a column")?;
    if cursor.take(&["TYPE"]) {
        let of = cql_type(cursor)?;
        return Ok(TableChange::Type { column, of });
    }
    if cursor.take(&["DROP", "MASKED"]) {
        return Ok(TableChange::Mask { column, mask: None });
    }
    match mask(cursor)? {
        Some(mask) => Ok(TableChange::Mask {
            column,
            mask: Some(mask),
        }),
        None => Err(cursor.expected("TYPE, MASKED WITH or DROP MASKED")),
    }
}

/// Parses one item, or several in brackets.
fn several<T>(cursor: &mut Cursor, one: impl Fn(&mut Cursor) -> Parsed<T>) -> Parsed<Vec<T>> {
    let is_list = cursor.take_symbol('(');
    let mut found = vec![one(cursor)?];
    while cursor.take_symbol(',') {
        found.push(one(cursor)?);
    }
    if is_list {
        cursor.symbol(')', "`,` or `)`")?;
    }
    Ok(found)
}

fn renames(cursor: &mut Cursor) -> Parsed<Vec<(String, String)>> {
    let mut names = Vec::new();
    loop {
        let from = cursor.name("a name")?;
        cursor.keywords(&["TO"], "TO")?;
        names.push((from, cursor.name("a name")?));
        if !cursor.take(&["AND"]) {
            return Ok(names);
        }
    }
}

fn type_change(cursor: &mut Cursor) -> Parsed<TypeChange> {
    if cursor.take(&["ADD"]) {
        cursor.if_not_exists();
        let name = cursor.name("the name of a field")?;
        let of = cql_type(cursor)?;
        return Ok(TypeChange::Add(Field { name, of }));
    }
    if cursor.take(&["RENAME"]) {
        if_exists(cursor);
        return Ok(TypeChange::Rename(renames(cursor)?));
    }
    cursor.keywords(&["ALTER"], "ADD, RENAME or ALTER")?;
    if_exists(cursor);
    let field = cursor.name("the name of a field")?;
    cursor.keywords(&["TYPE"], "TYPE")?;
    let of = cql_type(cursor)?;
    Ok(TypeChange::Type { field, of })
}
