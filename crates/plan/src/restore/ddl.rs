//! The CQL of a restore: what is made, emptied and dropped, in an order in which it can be run, and run again.

use model::cql::quote;
use model::manifest::BackupManifest;
use model::{SchemaEntry, SchemaKind};

use super::chosen::Chosen;
use super::live::Live;
use super::objects;
use super::replication::{self, KeyspacePlan};
use super::schemas::Schemas;
use super::tables::Decided;
use super::{RestoreMode, TableAction};
use crate::cql;

#[derive(Default)]
pub(super) struct Cql {
    /// Before data is loaded or swapped.
    pub schema: Vec<String>,
    /// The views, after data is loaded.
    pub views: Vec<String>,
}

pub(super) fn write(
    mode: RestoreMode,
    backup: &BackupManifest,
    chosen: &Chosen,
    live: &Live,
    decided: &[Decided],
    keyspaces: &[KeyspacePlan],
    schemas: &Schemas,
) -> Cql {
    let mut schema = Vec::new();
    drop_views(mode, live, decided, &mut schema);
    for keyspace in keyspaces {
        let name = &keyspace.name;
        let source = backup.schema.find(SchemaKind::Keyspace, name, name);
        if let (Some(source), None) = (source, live.keyspace(name)) {
            make_keyspace(source, keyspace, &mut schema);
        }
    }
    for entry in objects::needed(backup, chosen) {
        if live
            .find(entry.kind, &entry.keyspace, &entry.name)
            .is_none()
        {
            make(entry, &mut schema);
        }
    }
    let (tables, views): (Vec<&Decided>, Vec<&Decided>) =
        decided.iter().partition(|table| table.view_of.is_none());
    for table in tables {
        bring_table(table, &mut schema);
        bring_indexes(table, backup, live, schemas, &mut schema);
    }
    let mut made_views = Vec::new();
    for view in views {
        match view.plan.action {
            TableAction::RebuildView => make(view.entry, &mut made_views),
            _ if !view.is_live => make_with_id(view, &mut schema),
            _ => {}
        }
    }
    Cql {
        schema,
        views: made_views,
    }
}

/// A keyspace with the replication that it gets on the target.
fn make_keyspace(source: &SchemaEntry, plan: &KeyspacePlan, schema: &mut Vec<String>) {
    for statement in &source.cql {
        let statement = match plan.keeps_replication() {
            true => statement.clone(),
            false => cql::with_option(statement, "replication", &replication::text(&plan.will_be)),
        };
        schema.push(cql::if_not_exists(&statement));
    }
}

/// A table with a view cannot be dropped, and emptying or loading it would leave the view behind. In place, a table that
/// this very step has made may have got its view before the step was cut short.
fn drop_views(mode: RestoreMode, live: &Live, decided: &[Decided], schema: &mut Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    for table in decided {
        match (mode, &table.view_of) {
            (RestoreMode::Online, None) => {
                let views = live.over(SchemaKind::View, &table.plan.table);
                names.extend(views.iter().map(|view| entry_name(view)));
            }
            (RestoreMode::Online, Some(_)) if table.is_live => names.push(entry_name(table.entry)),
            (RestoreMode::InPlace, Some(_)) if !table.is_live => {
                names.push(entry_name(table.entry))
            }
            _ => {}
        }
    }
    names.sort();
    names.dedup();
    schema.extend(
        names
            .iter()
            .map(|name| format!("DROP MATERIALIZED VIEW IF EXISTS {name}")),
    );
}

fn bring_table(table: &Decided, schema: &mut Vec<String>) {
    let name = cql::table_name(&table.plan.table);
    match table.plan.action {
        TableAction::Truncate => schema.push(format!("TRUNCATE TABLE {name}")),
        TableAction::Recreate => {
            schema.push(format!("DROP TABLE IF EXISTS {name}"));
            make_with_id(table, schema);
        }
        TableAction::Create | TableAction::Swap if !table.is_live => {
            // What follows a CREATE, the dropping of columns, cannot be run twice: so a second run starts anew.
            if table.entry.cql.len() > 1 {
                schema.push(format!("DROP TABLE IF EXISTS {name}"));
            }
            make_with_id(table, schema);
        }
        TableAction::Create | TableAction::Swap | TableAction::RebuildView => {}
    }
}

fn bring_indexes(
    table: &Decided,
    backup: &BackupManifest,
    live: &Live,
    schemas: &Schemas,
    schema: &mut Vec<String>,
) {
    let base = &table.plan.table;
    let stays = table.is_live && table.plan.action != TableAction::Recreate;
    for index in backup
        .schema
        .dependents(SchemaKind::Index, &base.keyspace, &base.table)
    {
        let now = live
            .find(SchemaKind::Index, &base.keyspace, &index.name)
            .filter(|_| stays);
        match now {
            Some(now) if schemas.same(index, now) => {}
            Some(_) => {
                schema.push(format!("DROP INDEX IF EXISTS {}", entry_name(index)));
                make(index, schema);
            }
            None => make(index, schema),
        }
    }
}

fn entry_name(entry: &SchemaEntry) -> String {
    format!("{}.{}", quote(&entry.keyspace), quote(&entry.name))
}

/// Makes a thing where it is not there.
fn make(entry: &SchemaEntry, cql: &mut Vec<String>) {
    let statements = entry.cql.iter();
    cql.extend(statements.map(|statement| cql::if_not_exists(statement)));
}

/// Makes a table or view with the id that it has in the backup: its folders are named by it.
fn make_with_id(table: &Decided, cql: &mut Vec<String>) {
    let first = cql.len();
    make(table.entry, cql);
    if let Some(create) = cql.get_mut(first) {
        *create = cql::with_id(create, table.plan.source_id);
    }
}
