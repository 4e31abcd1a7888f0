//! Indexes and views over tables that are there: which of them go with a restore, and which come back.

use cassandra_schema::View;
use model::plan::{SchemaChange, TableAction};

use crate::cql::qualified;
use crate::restore::given::schemas::Schemas;
use crate::restore::given::selected::Selected;
use crate::restore::schema::tables::Decided;

/// Views and indexes that the backup does not know, over tables that are dropped and made again. Those of a table that is only
/// emptied stay.
pub(super) fn gone(decided: &[Decided], schemas: &Schemas) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    let remade = |keyspace: &str, name: &str| {
        decided.iter().any(|table| {
            table.plan.action == TableAction::Recreate
                && table.plan.table.keyspace == keyspace
                && table.plan.table.table == name
        })
    };
    for index in &schemas.live.indexes {
        let known = schemas.backup.index(&index.keyspace, &index.name).is_some();
        if remade(&index.keyspace, &index.table) && !known {
            let subject = format!("{}.{}", index.keyspace, index.name);
            changes.push(SchemaChange {
                subject,
                what: format!("since the backup: index made on {}", index.table),
                forward_cql: index.to_cql(),
            });
        }
    }
    for view in &schemas.live.views {
        let known = schemas.backup.view(&view.keyspace, &view.name).is_some();
        if remade(&view.keyspace, &view.base_table) && !known {
            let subject = format!("{}.{}", view.keyspace, view.name);
            changes.push(SchemaChange {
                subject,
                what: format!("since the backup: view made over {}", view.base_table),
                forward_cql: vec![without_id(view)],
            });
        }
    }
    changes
}

/// Indexes and views that the restore makes as they were, over tables that are there without them or with others.
pub(super) fn back(selected: &Selected, schemas: &Schemas) -> Vec<SchemaChange> {
    let is_there = |keyspace: &str, name: &str| {
        let mut tables = selected.tables.iter();
        let is_selected = tables.any(|it| it.table.keyspace == keyspace && it.table.table == name);
        is_selected && schemas.live.table(keyspace, name).is_some()
    };
    let mut changes = Vec::new();
    for was in &schemas.backup.indexes {
        if !is_there(&was.keyspace, &was.table) {
            continue;
        }
        let now = schemas.live.index(&was.keyspace, &was.name);
        let now = now.map(|now| now.to_cql());
        if now.as_ref() != Some(&was.to_cql()) {
            let drop = format!("DROP INDEX {}", qualified(&was.keyspace, &was.name));
            changes.push(come_back("index", &was.keyspace, &was.name, drop, now));
        }
    }
    for was in &schemas.backup.views {
        if !is_there(&was.keyspace, &was.base_table) {
            continue;
        }
        let now = schemas.live.view(&was.keyspace, &was.name).map(without_id);
        if now.as_ref() != Some(&without_id(was)) {
            let name = qualified(&was.keyspace, &was.name);
            let drop = format!("DROP MATERIALIZED VIEW {name}");
            let now = now.map(|now| vec![now]);
            changes.push(come_back("view", &was.keyspace, &was.name, drop, now));
        }
    }
    changes
}

fn come_back(
    kind: &str,
    keyspace: &str,
    name: &str,
    drop: String,
    now: Option<Vec<String>>,
) -> SchemaChange {
    let done = if now.is_some() { "changed" } else { "dropped" };
    SchemaChange {
        subject: format!("{keyspace}.{name}"),
        what: format!("since the backup: {kind} {done}"),
        forward_cql: std::iter::once(drop)
            .chain(now.into_iter().flatten())
            .collect(),
    }
}

/// It is made again, with another id.
fn without_id(view: &View) -> String {
    let mut view = view.clone();
    view.id = None;
    view.to_cql()
}
