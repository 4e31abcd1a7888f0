//! Parses `CREATE INDEX`, also for DSE Search.

use super::cursor::{Cursor, Parsed};
use super::option::{map, option};
use crate::index::{Index, IndexTarget, SEARCH_CLASS, TargetKind};
use crate::option::Options;

/// Parses what follows `CREATE [CUSTOM] INDEX [IF NOT EXISTS]`.
pub(super) fn index(cursor: &mut Cursor, is_custom: bool) -> Parsed<Index> {
    let name = if cursor.sees("ON") {
        None
    } else {
        Some(index_name(cursor)?)
    };
    cursor.keywords(&["ON"], "ON")?;
    let (keyspace, table) = cursor.qualified("the name of a table")?;
    let targets = targets(cursor)?;
    let name = name.unwrap_or_else(|| given_name(&table, &targets));
    let class = if cursor.take(&["USING"]) {
        Some(cursor.string("a class")?)
    } else {
        None
    };
    let mut index = Index {
        keyspace,
        name,
        table,
        targets,
        is_custom,
        class,
        options: Default::default(),
        properties: Options::new(),
        search_statements: Vec::new(),
    };
    if cursor.take(&["WITH"]) {
        loop {
            // Snapshots of 3.11 have no `=` before it.
            let opens = |at| {
                cursor
                    .peek_after(at)
                    .is_some_and(|token| token.is_symbol('{'))
            };
            if cursor.sees("OPTIONS") && (opens(1) || opens(2)) {
                cursor.take(&["OPTIONS"]);
                let is_bare = cursor.peek().is_some_and(|token| token.is_symbol('{'));
                if !is_bare {
                    cursor.symbol('=', "`=`")?;
                }
                index.options = map(cursor)?;
            } else {
                option(cursor, &mut index.properties)?;
            }
            if !cursor.take(&["AND"]) {
                break;
            }
        }
    }
    Ok(index)
}

/// The name, without the keyspace: an index is in the keyspace of its table.
fn index_name(cursor: &mut Cursor) -> Parsed<String> {
    let expected = "the name of an index";
    let first = cursor.name(expected)?;
    if cursor.take_symbol('.') {
        cursor.name(expected)
    } else {
        Ok(first)
    }
}

fn targets(cursor: &mut Cursor) -> Parsed<Vec<IndexTarget>> {
    let mut targets = Vec::new();
    cursor.symbol('(', "`(`")?;
    if cursor.take_symbol(')') {
        return Ok(targets);
    }
    loop {
        targets.push(target(cursor)?);
        if cursor.take_symbol(')') {
            return Ok(targets);
        }
        cursor.symbol(',', "`,` or `)`")?;
    }
}

fn target(cursor: &mut Cursor) -> Parsed<IndexTarget> {
    let opens = cursor
        .peek_after(1)
        .is_some_and(|token| token.is_symbol('('));
    let kind = match opens {
        false => TargetKind::Simple,
        true if cursor.take(&["VALUES"]) => TargetKind::Values,
        true if cursor.take(&["KEYS"]) => TargetKind::Keys,
        true if cursor.take(&["ENTRIES"]) => TargetKind::Entries,
        true if cursor.take(&["FULL"]) => TargetKind::Full,
        true => return Err(cursor.expected("values, keys, entries or full")),
    };
    if opens {
        cursor.symbol('(', "`(`")?;
    }
    let column = cursor.name("the name of a column")?;
    if opens {
        cursor.symbol(')', "`)`")?;
    }
    Ok(IndexTarget { kind, column })
}

/// The name that Cassandra gives to an index without one.
fn given_name(table: &str, targets: &[IndexTarget]) -> String {
    let column = targets.first().map(|target| target.column.as_str());
    let parts = [Some(table), column, Some("idx")];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join("_");
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

/// Parses what follows `CREATE SEARCH INDEX [IF NOT EXISTS]`.
pub(super) fn search_index(cursor: &mut Cursor) -> Parsed<Index> {
    cursor.keywords(&["ON"], "ON")?;
    let (keyspace, table) = cursor.qualified("the name of a table")?;
    cursor.rest()?;
    Ok(Index {
        name: format!("{keyspace}_{table}_solr_query_index"),
        keyspace,
        table,
        targets: vec![IndexTarget {
            kind: TargetKind::Simple,
            column: "solr_query".to_owned(),
        }],
        is_custom: true,
        class: Some(SEARCH_CLASS.to_owned()),
        options: Default::default(),
        properties: Options::new(),
        search_statements: vec![cursor.whole_text().trim().to_owned()],
    })
}
