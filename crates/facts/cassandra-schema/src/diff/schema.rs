//! Compares a whole schema, the backup's with the live one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Forward, TableDiff, TypeDiff, diff, diff_type};
use crate::compare::SameMeaning;
use crate::order::{Object, ObjectKey, if_not_exists, replay_order};
use crate::schema::Schema;

/// What a restore of a whole schema takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaDiff {
    /// User-defined types that differ.
    pub types: Vec<TypeDiff>,
    /// Tables that differ.
    pub tables: Vec<TableDiff>,
    /// Live and not in the backup. A restore leaves them as they are.
    pub not_in_backup: Vec<ObjectKey>,
    /// In the backup and no longer live. A restore creates them.
    pub reappear: Vec<ObjectKey>,
    /// Functions, aggregates, indexes and views that changed.
    pub revert: Vec<ObjectKey>,
    /// Statements to run after the restore; they work whether objects that the backup does not have exist or not. A
    /// table that reappears is not dropped again.
    pub forward: Forward,
}

/// Compares the backup's keyspaces with the live ones. Live keyspaces that the backup does not have are ignored.
pub fn diff_schema(backup: &Schema, live: &Schema) -> SchemaDiff {
    let before = replay_order(backup);
    let after = replay_order(live);
    let keyspaces: BTreeSet<&str> = before.iter().map(|object| object.keyspace()).collect();
    let was_by_key: BTreeMap<ObjectKey, Object> = before
        .iter()
        .map(|object| (object.key(), *object))
        .collect();
    let live_keys: BTreeSet<ObjectKey> = after.iter().map(|object| object.key()).collect();
    let mut diff = SchemaDiff::default();
    let mut makes: Vec<String> = Vec::new();
    for was in before {
        let key = was.key();
        if !live_keys.contains(&key) {
            forget(&was, &mut diff.forward);
            diff.reappear.push(key);
        }
    }
    for now in after {
        if !keyspaces.contains(now.keyspace()) {
            continue;
        }
        let key = now.key();
        match was_by_key.get(&key) {
            Some(was) => compare(*was, now, &mut diff, &mut makes),
            None => {
                makes.extend(make(now));
                diff.not_in_backup.push(key);
            }
        }
    }
    diff.forward.statements.extend(makes);
    diff
}

/// Drops indexes and views again. Objects that hold data are never dropped.
fn forget(was: &Object, forward: &mut Forward) {
    match was {
        Object::Index(index) => {
            let name = index.cql_name();
            forward
                .statements
                .push(format!("DROP INDEX IF EXISTS {name}"));
        }
        Object::View(view) => {
            let name = view.cql_name();
            let statement = format!("DROP MATERIALIZED VIEW IF EXISTS {name}");
            forward.statements.insert(0, statement);
        }
        _ => {}
    }
}

/// Creates a live object if it does not exist.
fn make(now: Object) -> Vec<String> {
    let statements = match now {
        Object::Table(table) => {
            // A recreated table has no dropped columns, and for a table that still exists they must not be recorded
            // twice.
            let mut table = table.clone();
            table.dropped.clear();
            table.id = None;
            table.to_cql()
        }
        Object::View(view) => {
            let mut view = view.clone();
            view.id = None;
            vec![view.to_cql()]
        }
        _ => now.to_cql(),
    };
    statements.iter().map(|cql| if_not_exists(cql)).collect()
}

fn compare(was: Object, now: Object, diff: &mut SchemaDiff, makes: &mut Vec<String>) {
    let reverts = match (was, now) {
        (Object::Type(was), Object::Type(now)) => {
            let found = diff_type(was, now);
            if !found.is_empty() {
                take(&found.forward, &mut diff.forward, makes);
                diff.types.push(found);
            }
            return;
        }
        (Object::Table(was), Object::Table(now)) => {
            let found = self::diff(was, now);
            if !found.is_empty() {
                take(&found.forward, &mut diff.forward, makes);
                diff.tables.push(found);
            }
            return;
        }
        (Object::Keyspace(was), Object::Keyspace(now)) => !was.same_definition(now),
        (Object::Function(was), Object::Function(now)) => !was.same_definition(now),
        (Object::Aggregate(was), Object::Aggregate(now)) => !was.same_definition(now),
        (Object::Index(was), Object::Index(now)) => !was.same_definition(now),
        (Object::View(was), Object::View(now)) => !was.same_definition(now),
        _ => return,
    };
    if !reverts {
        return;
    }
    match now {
        Object::Function(_) | Object::Aggregate(_) => {
            let statements = now.to_cql();
            let replace = |cql: &String| cql.replacen("CREATE ", "CREATE OR REPLACE ", 1);
            makes.extend(statements.iter().map(replace));
        }
        Object::Index(_) | Object::View(_) => {
            forget(&now, &mut diff.forward);
            makes.extend(make(now));
        }
        // A restore keeps or adjusts the live replication, so it is not brought forward.
        _ => {}
    }
    diff.revert.push(now.key());
}

fn take(found: &Forward, forward: &mut Forward, makes: &mut Vec<String>) {
    makes.extend(found.statements.iter().cloned());
    forward
        .unforwardable
        .extend_from_slice(&found.unforwardable);
}
