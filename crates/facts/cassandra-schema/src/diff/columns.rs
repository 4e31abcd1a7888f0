//! Columns that were added, dropped or changed since the backup.

use model::cql::quote;

use super::{Changed, TableDiff, Why};
use crate::table::{Column, Table, column_text, mask_text};

pub(super) fn compare(was: &Table, now: &Table, diff: &mut TableDiff) {
    let table = now.cql_name();
    for column in &was.columns {
        let renamed = diff
            .renamed
            .iter()
            .find(|rename| rename.backup == column.name);
        let name = renamed.map_or(&column.name, |rename| &rename.live);
        match now.column(name) {
            Some(live) => changed(was, now, column, live, diff),
            None => {
                // A missing key column is part of the change of the key.
                if !column.kind.is_key() {
                    let statement = drop_statement(&table, now, &column.name);
                    diff.forward.statements.push(statement);
                }
                diff.columns_reappear.push(column.clone());
            }
        }
    }
    for column in &now.columns {
        let is_renamed = diff.renamed.iter().any(|rename| rename.live == column.name);
        if is_renamed || was.column(&column.name).is_some() {
            continue;
        }
        if !column.kind.is_key() {
            diff.forward.statements.push(add_statement(&table, column));
        }
        diff.columns_lost.push(column.clone());
    }
}

fn changed(was: &Table, now: &Table, backup: &Column, live: &Column, diff: &mut TableDiff) {
    let table = now.cql_name();
    let what = format!("{table}.{}", quote(&live.name));
    let is_refilled = was_dropped_since(was, now, &live.name);
    if is_refilled {
        diff.columns_refilled.push(live.name.clone());
        let statements = &mut diff.forward.statements;
        statements.push(drop_statement(&table, now, &live.name));
        statements.push(add_statement(&table, live));
    }
    if backup.of != live.of {
        diff.types_revert.push(Changed {
            name: live.name.clone(),
            backup: backup.of.clone(),
            live: live.of.clone(),
        });
        if !is_refilled {
            diff.forward.cannot(what.clone(), Why::ColumnType);
        }
    }
    let is_key = backup.kind.is_key() || live.kind.is_key();
    if backup.kind != live.kind && !is_key {
        diff.kinds_revert.push(Changed {
            name: live.name.clone(),
            backup: backup.kind,
            live: live.kind,
        });
        if !is_refilled {
            diff.forward.cannot(what, Why::Static);
        }
    }
    if backup.mask != live.mask {
        diff.masks.push(Changed {
            name: live.name.clone(),
            backup: backup.mask.clone(),
            live: live.mask.clone(),
        });
        if !is_refilled {
            let change = match live.mask {
                Some(_) => mask_text(live),
                None => " DROP MASKED".to_owned(),
            };
            let name = quote(&live.name);
            let statement = format!("ALTER TABLE {table} ALTER {name}{change}");
            diff.forward.statements.push(statement);
        }
    }
}

/// Whether a column that both have was dropped after the backup, and added again.
fn was_dropped_since(was: &Table, now: &Table, name: &str) -> bool {
    let dropped = |table: &Table| {
        let found = table.dropped.iter().find(|column| column.name == name);
        found.map(|column| column.dropped_us)
    };
    let is_key = now.column(name).is_some_and(|column| column.kind.is_key());
    !is_key && dropped(now) > dropped(was)
}

/// Drops a column, with the time at which it was dropped live if that is known.
fn drop_statement(table: &str, now: &Table, name: &str) -> String {
    let found = now.dropped.iter().find(|column| column.name == name);
    let quoted = quote(name);
    match found.and_then(|column| column.dropped_us) {
        Some(us) => format!("ALTER TABLE {table} DROP {quoted} USING TIMESTAMP {us}"),
        None => format!("ALTER TABLE {table} DROP {quoted}"),
    }
}

fn add_statement(table: &str, column: &Column) -> String {
    format!("ALTER TABLE {table} ADD {}", column_text(column))
}
