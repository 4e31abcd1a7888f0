//! The CQL of a restore: what is made, emptied and dropped, in an order in which it can be run, and run again.
//!
//! A node may refuse a CREATE for reasons that no plan can see, such as a guardrail. So all that is missing is made in a
//! first step, which touches nothing that is there, and only then are tables dropped and, last of all, emptied.

use std::collections::BTreeSet;

use model::manifest::BackupManifest;
use model::plan::{RestoreMode, TableAction};
use model::{HostId, SchemaEntry, SchemaKind, TableRef};

use super::objects;
use super::tables::Decided;
use super::tombstones::Tombstones;
use crate::cluster::Cluster;
use crate::cql;
use crate::restore::given::Given;
use crate::restore::given::schemas::Schemas;
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;
use crate::restore::placing::replication::{self, KeyspacePlan};

#[derive(Default)]
pub(crate) struct Cql {
    /// Makes what is missing.
    pub schema: Vec<String>,
    /// Drops and empties, before data is loaded.
    pub replace: Vec<String>,
    /// The views, after data is loaded.
    pub views: Vec<String>,
}

pub(crate) fn write(
    given: &Given,
    decided: &[Decided],
    keyspaces: &[KeyspacePlan],
    tombstones: &Tombstones,
) -> Cql {
    let (backup, selected, live) = (given.backup, &given.selected, &given.live);
    let (mode, schemas) = (given.inputs.mode, &given.inputs.schemas);
    let mut cql = Cql::default();
    make_around(backup, selected, live, keyspaces, &mut cql.schema);
    let (tables, views): (Vec<&Decided>, Vec<&Decided>) =
        decided.iter().partition(|table| table.view_of.is_none());
    let tables: Vec<Brought> = objects::vertices_first(tables, schemas)
        .into_iter()
        .map(|table| Brought {
            table,
            indexes: indexes(table, backup, live, schemas),
        })
        .collect();
    drop_unfinished_views(&tables, &views, &mut cql.schema);
    for table in &tables {
        make_missing(table, tombstones, &mut cql.schema);
    }
    for view in &views {
        match view.plan.action {
            TableAction::RebuildView => make(view.entry, &mut cql.views),
            _ if !view.is_live => make_with_id(view, tombstones, &mut cql.schema),
            _ => {}
        }
    }
    if mode == RestoreMode::Online {
        drop_views(live, decided, &mut cql.replace);
    }
    keep_tombstones(mode, decided, tombstones, &mut cql);
    for table in &tables {
        make_again(table, tombstones, &mut cql.replace);
    }
    // A copy that was dropped gets its id again if the schema is what it was, and commit logs may have rows of that id.
    let is_renamed = !given.request.options.renames.is_empty();
    let knew_the_ids = is_renamed || is_cluster_of(backup, &given.inputs.cluster);
    for table in &tables {
        match table.table.plan.action {
            TableAction::Truncate => empty(table, &mut cql.replace),
            TableAction::Create if knew_the_ids => empty(table, &mut cql.replace),
            _ => {}
        }
    }
    cql
}

/// A table, and which of its indexes are not there as they were.
struct Brought<'a> {
    table: &'a Decided<'a>,
    indexes: Indexes<'a>,
}

#[derive(Default)]
struct Indexes<'a> {
    missing: Vec<&'a SchemaEntry>,
    changed: Vec<&'a SchemaEntry>,
}

/// What tables stand on: keyspaces, types, functions and aggregates.
fn make_around(
    backup: &BackupManifest,
    selected: &Selected,
    live: &TargetSchema,
    keyspaces: &[KeyspacePlan],
    schema: &mut Vec<String>,
) {
    for keyspace in keyspaces {
        let name = &keyspace.name;
        let source = backup.schema.find(SchemaKind::Keyspace, name, name);
        if let (Some(source), None) = (source, live.keyspace(name)) {
            make_keyspace(source, keyspace, schema);
        }
    }
    for entry in objects::needed(backup, selected) {
        let now = live.find(entry.kind, &entry.keyspace, &entry.name);
        if now.is_none() {
            make(entry, schema);
        }
    }
}

/// A keyspace with the replication that it gets on the target.
fn make_keyspace(source: &SchemaEntry, plan: &KeyspacePlan, schema: &mut Vec<String>) {
    for statement in &source.cql {
        let statement = if plan.keeps_replication() {
            statement.clone()
        } else {
            cql::with_option(statement, "replication", &replication::text(&plan.will_be))
        };
        schema.push(cql::if_not_exists(&statement));
    }
}

/// Before any row is loaded, because the first read may drop a tombstone. In place that is before Cassandra is stopped, and
/// raising harms no live row, so that it leaves a restore one that can be cancelled. Lowering may, and comes with what replaces.
fn keep_tombstones(mode: RestoreMode, decided: &[Decided], tombstones: &Tombstones, cql: &mut Cql) {
    for table in decided {
        let Some(alter) = tombstones.alter(table) else {
            continue;
        };
        match mode {
            RestoreMode::InPlace if tombstones.raises_live(table) => cql.schema.push(alter),
            RestoreMode::InPlace | RestoreMode::Online => cql.replace.push(alter),
        }
    }
}

/// A table with a view cannot be dropped, and emptying or loading it would leave the view behind.
fn drop_views(live: &TargetSchema, decided: &[Decided], replace: &mut Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    for table in decided {
        match &table.view_of {
            None => {
                let views = live.over(SchemaKind::View, &table.plan.table);
                names.extend(views.iter().map(|view| entry_name(view)));
            }
            Some(_) if table.is_live => names.push(entry_name(table.entry)),
            Some(_) => {}
        }
    }
    names.sort();
    names.dedup();
    replace.extend(names.iter().map(|name| drop_view(name)));
}

/// In place, a table that is dropped to be made in a second run may have got its view in the first.
fn drop_unfinished_views(tables: &[Brought], views: &[&Decided], schema: &mut Vec<String>) {
    let is_dropped = |base: &TableRef| {
        let mut tables = tables.iter().map(|brought| brought.table);
        tables.any(|table| table.plan.table == *base && starts_over(table))
    };
    for view in views {
        let swapped = view.plan.action == TableAction::Swap && !view.is_live;
        if swapped && view.view_of.as_ref().is_some_and(is_dropped) {
            schema.push(drop_view(&entry_name(view.entry)));
        }
    }
}

fn drop_view(name: &str) -> String {
    format!("DROP MATERIALIZED VIEW IF EXISTS {name}")
}

/// Whether a missing table is dropped before it is made: what follows a CREATE, the dropping of columns, cannot be run
/// twice. Nothing but an unfinished first run can have made the table: the runner compares schema and ids first.
fn starts_over(table: &Decided) -> bool {
    is_missing(table) && table.entry.cql.len() > 1
}

fn is_missing(table: &Decided) -> bool {
    !table.is_live && matches!(table.plan.action, TableAction::Create | TableAction::Swap)
}

fn make_missing(brought: &Brought, tombstones: &Tombstones, schema: &mut Vec<String>) {
    let table = brought.table;
    if starts_over(table) {
        schema.push(drop_table(table));
    }
    if is_missing(table) {
        make_with_id(table, tombstones, schema);
    }
    if table.plan.action != TableAction::Recreate {
        for index in &brought.indexes.missing {
            make(index, schema);
        }
    }
}

/// What has to be dropped to be made as it was.
fn make_again(brought: &Brought, tombstones: &Tombstones, replace: &mut Vec<String>) {
    let table = brought.table;
    if table.plan.action == TableAction::Recreate {
        replace.push(drop_table(table));
        make_with_id(table, tombstones, replace);
        // A table that is dropped loses its truncation record, by which Cassandra knows hints, batches and Paxos commits
        // that are older. They would be applied to the table that is made with the same id.
        replace.push(truncate(table));
        for index in &brought.indexes.missing {
            make(index, replace);
        }
    }
    for index in &brought.indexes.changed {
        make_index_again(index, replace);
    }
}

/// TRUNCATE stops the building of an index that is under way, and leaves the index unusable. One that was made over the
/// old rows is therefore made again over none; that it can be made is known by then.
///
/// A table that has just been made is empty, but nodes that knew it by its id may still hold hints for it.
fn empty(brought: &Brought, replace: &mut Vec<String>) {
    replace.push(truncate(brought.table));
    let indexes = &brought.indexes;
    for index in indexes.missing.iter().chain(&indexes.changed) {
        make_index_again(index, replace);
    }
}

fn drop_table(table: &Decided) -> String {
    format!(
        "DROP TABLE IF EXISTS {}",
        cql::table_name(&table.plan.table)
    )
}

fn truncate(table: &Decided) -> String {
    format!("TRUNCATE TABLE {}", cql::table_name(&table.plan.table))
}

/// Whether any of the target's nodes was in the backup's ring.
fn is_cluster_of(backup: &BackupManifest, target: &Cluster) -> bool {
    let now = target.nodes.iter().map(|node| node.member.host_id);
    let then: BTreeSet<HostId> = backup.ring.iter().map(|member| member.host_id).collect();
    now.into_iter().any(|host| then.contains(&host))
}

fn make_index_again(index: &SchemaEntry, replace: &mut Vec<String>) {
    replace.push(format!("DROP INDEX IF EXISTS {}", entry_name(index)));
    make(index, replace);
}

/// A table that is dropped loses all indexes that it has.
fn indexes<'a>(
    table: &'a Decided,
    backup: &'a BackupManifest,
    live: &TargetSchema,
    schemas: &Schemas,
) -> Indexes<'a> {
    let base = &table.plan.table;
    let stays = table.is_live && table.plan.action != TableAction::Recreate;
    let mut indexes = Indexes::default();
    for index in backup
        .schema
        .dependents(SchemaKind::Index, &base.keyspace, &base.table)
    {
        let now = live
            .find(SchemaKind::Index, &base.keyspace, &index.name)
            .filter(|_| stays);
        match now {
            Some(now) if schemas.same(index, now) => {}
            Some(_) => indexes.changed.push(index),
            None => indexes.missing.push(index),
        }
    }
    indexes
}

fn entry_name(entry: &SchemaEntry) -> String {
    cql::qualified(&entry.keyspace, &entry.name)
}

/// Makes a thing if it is absent.
fn make(entry: &SchemaEntry, cql: &mut Vec<String>) {
    let statements = entry.cql.iter();
    cql.extend(statements.map(|statement| cql::if_not_exists(statement)));
}

/// Makes a table or view with the id that it has in the backup, by which its folders are named, and with what keeps its
/// tombstones.
fn make_with_id(table: &Decided, tombstones: &Tombstones, cql: &mut Vec<String>) {
    let first = cql.len();
    make(table.entry, cql);
    if let Some(create) = cql.get_mut(first) {
        *create = tombstones.create(table, &cql::with_id(create, table.plan.source_id));
    }
}
