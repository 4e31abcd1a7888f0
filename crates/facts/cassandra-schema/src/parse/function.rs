//! Parses `CREATE FUNCTION`, `CREATE AGGREGATE` and `CREATE TYPE`.

use super::cursor::{Cursor, Parsed};
use super::types::cql_type;
use crate::function::{Aggregate, Function, Monotonic};
use crate::user_type::{Field, UserType};

pub(super) fn function(cursor: &mut Cursor) -> Parsed<Function> {
    let (keyspace, name) = cursor.qualified("the name of a function")?;
    let arguments = list(cursor, |cursor| {
        Ok((cursor.name("the name of an argument")?, cql_type(cursor)?))
    })?;
    let called_on_null = if cursor.take(&["CALLED", "ON", "NULL", "INPUT"]) {
        true
    } else {
        let expected = "CALLED or RETURNS NULL ON NULL INPUT";
        cursor.keywords(&["RETURNS", "NULL", "ON", "NULL", "INPUT"], expected)?;
        false
    };
    cursor.keywords(&["RETURNS"], "RETURNS")?;
    let returns = cql_type(cursor)?;
    let is_deterministic = cursor.take(&["DETERMINISTIC"]);
    let monotonic = if cursor.take(&["MONOTONIC", "ON"]) {
        Monotonic::On(cursor.name("the name of an argument")?)
    } else if cursor.take(&["MONOTONIC"]) {
        Monotonic::All
    } else {
        Monotonic::No
    };
    cursor.keywords(&["LANGUAGE"], "LANGUAGE")?;
    let language = cursor.name("a language")?;
    cursor.keywords(&["AS"], "AS")?;
    Ok(Function {
        keyspace,
        name,
        arguments,
        called_on_null,
        returns,
        is_deterministic,
        monotonic,
        language,
        body: cursor.string("the body of the function")?,
    })
}

pub(super) fn aggregate(cursor: &mut Cursor) -> Parsed<Aggregate> {
    let (keyspace, name) = cursor.qualified("the name of an aggregate")?;
    let arguments = list(cursor, cql_type)?;
    cursor.keywords(&["SFUNC"], "SFUNC")?;
    let state_function = cursor.name("the name of a function")?;
    cursor.keywords(&["STYPE"], "STYPE")?;
    let state_type = cql_type(cursor)?;
    let final_function = if cursor.take(&["FINALFUNC"]) {
        Some(cursor.name("the name of a function")?)
    } else {
        None
    };
    let initial_condition = if cursor.take(&["INITCOND"]) {
        Some(term(cursor)?)
    } else {
        None
    };
    Ok(Aggregate {
        keyspace,
        name,
        arguments,
        state_function,
        state_type,
        final_function,
        initial_condition,
        is_deterministic: cursor.take(&["DETERMINISTIC"]),
    })
}

fn term(cursor: &mut Cursor) -> Parsed<String> {
    match cursor.text_until(|cursor| cursor.sees("DETERMINISTIC"))? {
        term if term.is_empty() => Err(cursor.expected("a literal")),
        term => Ok(term),
    }
}

pub(super) fn user_type(cursor: &mut Cursor) -> Parsed<UserType> {
    let (keyspace, name) = cursor.qualified("the name of a type")?;
    let fields = list(cursor, |cursor| {
        let name = cursor.name("the name of a field")?;
        let of = cql_type(cursor)?;
        Ok(Field { name, of })
    })?;
    Ok(UserType {
        keyspace,
        name,
        fields,
    })
}

/// Parses any number of items between brackets, with an optional comma after the last.
fn list<T>(cursor: &mut Cursor, one: impl Fn(&mut Cursor) -> Parsed<T>) -> Parsed<Vec<T>> {
    let mut found = Vec::new();
    cursor.symbol('(', "`(`")?;
    loop {
        if cursor.take_symbol(')') {
            return Ok(found);
        }
        found.push(one(cursor)?);
        if cursor.take_symbol(')') {
            return Ok(found);
        }
        cursor.symbol(',', "`,` or `)`")?;
    }
}
