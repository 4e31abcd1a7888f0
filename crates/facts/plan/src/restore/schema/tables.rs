//! What becomes of each table on the target.

use model::plan::{RestoreMode, TableAction, TablePlan};
use model::{SchemaEntry, SchemaKind, TableId, TableRef};
use uuid::Uuid;

use crate::codes;
use crate::findings::Findings;
use crate::restore::given::schemas::Schemas;
use crate::restore::given::selected::{Selected, SelectedTable};
use crate::restore::given::target_schema::TargetSchema;

/// A table with what is done to it, and the definition by which it is made where it must be.
pub(crate) struct Decided<'a> {
    pub plan: TablePlan,
    pub entry: &'a SchemaEntry,
    /// For a view its base table.
    pub view_of: Option<TableRef>,
    /// Whether it is on the target now.
    pub is_live: bool,
}

impl Decided<'_> {
    /// Whether CQL of the plan makes it, again or for the first time.
    pub fn is_made(&self) -> bool {
        match self.plan.action {
            TableAction::Create | TableAction::Recreate | TableAction::RebuildView => true,
            TableAction::Truncate => false,
            TableAction::Swap => !self.is_live,
        }
    }

    pub fn is_staged(&self) -> bool {
        self.plan.action != TableAction::RebuildView
    }
}

/// Whether files of a table or view are taken.
pub(crate) fn is_staged(decided: &[Decided]) -> impl Fn(&str, &str) -> bool {
    move |keyspace, name| {
        decided.iter().any(|table| {
            table.is_staged()
                && table.plan.table.keyspace == keyspace
                && table.plan.table.table == name
        })
    }
}

pub(crate) fn decide<'a>(
    mode: RestoreMode,
    schemas: &Schemas,
    selected: &Selected<'a>,
    live: &TargetSchema<'a>,
    findings: &mut Findings,
) -> Vec<Decided<'a>> {
    let mut decided: Vec<Decided> = Vec::new();
    for table in &selected.tables {
        decided.push(match (mode, &table.view_of) {
            (RestoreMode::Online, None) => online_table(table, schemas, live, findings),
            (RestoreMode::Online, Some(_)) => online_view(table, live, findings),
            (RestoreMode::InPlace, _) => in_place(table, schemas, live, findings),
        });
    }
    let views = later_views(mode, &decided, selected, live, findings);
    decided.extend(views);
    for table in &decided {
        check_can_be_made(mode, table, findings);
    }
    say_not_in_backup(selected, live, findings);
    decided
}

/// Some tables of the oldest API have no CQL that would make them: they can be filled, and neither dropped nor made.
fn check_can_be_made(mode: RestoreMode, table: &Decided, findings: &mut Findings) {
    let stays = match mode {
        RestoreMode::Online => table.plan.action == TableAction::Truncate,
        RestoreMode::InPlace => table.is_live,
    };
    if table.entry.cql.is_empty() && !stays {
        findings.say(
            codes::BACKUP_INCOMPLETE,
            &table.plan.table,
            format!(
                "{} would have to be made, and the backup has no CQL that makes it",
                table.plan.table
            ),
            "make it by hand as it was, with its id where it is restored in place; or leave it out",
        );
    }
}

fn online_table<'a>(
    table: &SelectedTable<'a>,
    schemas: &Schemas,
    live: &TargetSchema,
    findings: &mut Findings,
) -> Decided<'a> {
    let source_id = table.id.unwrap_or(TableId(Uuid::nil()));
    let now = live.find(SchemaKind::Table, &table.table.keyspace, &table.table.table);
    // Earlier agents found no CQL for tables of COMPACT STORAGE on 4.0 and later. One with the same id is the same table.
    // Not if columns were dropped since, because Cassandra would hide what is restored of them.
    let live_table = schemas
        .live
        .table(&table.table.keyspace, &table.table.table);
    let drops_nothing = live_table
        .is_none_or(|live| live.has_no_cql || live.compact_storage || live.dropped.is_empty());
    let is_known_by_id = |id| table.entry.cql.is_empty() && id == source_id && drops_nothing;
    let (action, target_id) = match (now, live.id(&table.table)) {
        (None, _) => (TableAction::Create, source_id),
        (Some(now), Some(id)) if schemas.same(table.entry, now) || is_known_by_id(id) => {
            (TableAction::Truncate, id)
        }
        (Some(_), id) => {
            let why = match id {
                None => "has no id that any node knows of",
                Some(_) => "is not as it was in the backup",
            };
            findings.say(
                codes::SCHEMA_REVERTS,
                &table.table,
                format!(
                    "the live definition of {} {why}: the table is dropped and made as it was",
                    table.table
                ),
                "the plan has what is undone, and the CQL that does it again where there is any",
            );
            (TableAction::Recreate, source_id)
        }
    };
    Decided {
        plan: TablePlan {
            source: None,
            table: table.table.clone(),
            source_id,
            target_id,
            action,
            missing: false,
            bytes: table.bytes,
        },
        entry: table.entry,
        view_of: None,
        is_live: now.is_some(),
    }
}

fn online_view<'a>(
    table: &SelectedTable<'a>,
    live: &TargetSchema,
    findings: &mut Findings,
) -> Decided<'a> {
    let base = table.view_of.clone();
    let now = live.find(SchemaKind::View, &table.table.keyspace, &table.table.table);
    say_rebuild(&table.table, base.as_ref(), now.is_some(), findings);
    // No file of a rebuilt view is taken, so that nothing depends on an id that is not known.
    let id = table
        .id
        .or(live.id(&table.table))
        .unwrap_or(TableId(Uuid::nil()));
    Decided {
        plan: TablePlan {
            source: None,
            table: table.table.clone(),
            source_id: id,
            target_id: id,
            action: TableAction::RebuildView,
            missing: false,
            bytes: 0,
        },
        entry: table.entry,
        view_of: base,
        is_live: now.is_some(),
    }
}

fn say_rebuild(view: &TableRef, base: Option<&TableRef>, is_live: bool, findings: &mut Findings) {
    let base = base.map(ToString::to_string).unwrap_or_default();
    let message = if is_live {
        format!(
            "the view {view} is dropped, and rebuilt from {base} once that is loaded: reads of it fail until then"
        )
    } else {
        format!("the view {view} is made and built from {base} once that is loaded")
    };
    findings.say(
        codes::MATERIALIZED_VIEW_REBUILD,
        view,
        message,
        "the restore has a step for it; its progress: nodetool viewbuildstatus",
    );
}

fn in_place<'a>(
    table: &SelectedTable<'a>,
    schemas: &Schemas,
    live: &TargetSchema,
    findings: &mut Findings,
) -> Decided<'a> {
    let kind = match table.view_of {
        Some(_) => SchemaKind::View,
        None => SchemaKind::Table,
    };
    let name = &table.table;
    let now = live.find(kind, &name.keyspace, &name.table);
    let mut unavailable = |why: String| {
        findings.say(
            codes::MODE_UNAVAILABLE,
            name,
            format!("{name} cannot be restored in place: {why}"),
            "restore online",
        );
    };
    if table.id.is_none() {
        unavailable("the backup has no files of this view".to_owned());
    }
    let source_id = table.id.unwrap_or(TableId(Uuid::nil()));
    if let Some(now) = now {
        match live.id(name) {
            Some(id) if id == source_id => {}
            Some(id) => unavailable(format!("it has the id {id}, and {source_id} in the backup")),
            None => unavailable("no node describes its id".to_owned()),
        }
        if !schemas.same(table.entry, now) {
            unavailable("its definition is not that of the backup".to_owned());
        }
    }
    Decided {
        plan: TablePlan {
            source: None,
            table: name.clone(),
            source_id,
            target_id: source_id,
            action: TableAction::Swap,
            missing: now.is_none(),
            bytes: table.bytes,
        },
        entry: table.entry,
        view_of: table.view_of.clone(),
        is_live: now.is_some(),
    }
}

/// Live views over restored tables that the backup does not know: loading rows does not reach them, so they are built
/// again too, if their base table keeps its form.
fn later_views<'a>(
    mode: RestoreMode,
    decided: &[Decided],
    selected: &Selected,
    live: &TargetSchema<'a>,
    findings: &mut Findings,
) -> Vec<Decided<'a>> {
    let mut views = Vec::new();
    for base in decided.iter().filter(|table| table.view_of.is_none()) {
        for entry in live.over(SchemaKind::View, &base.plan.table) {
            if selected.has(&entry.keyspace, &entry.name) {
                continue;
            }
            let view = TableRef::new(&entry.keyspace, &entry.name);
            match (mode, base.plan.action) {
                (RestoreMode::InPlace, _) => findings.say(
                    codes::MODE_UNAVAILABLE,
                    &view,
                    format!("the live view {view} is not in the backup, and would not agree with its table"),
                    "drop it first and make it again afterwards, or restore online",
                ),
                (RestoreMode::Online, TableAction::Truncate) => {
                    say_rebuild(&view, Some(&base.plan.table), true, findings);
                    let id = live.id(&view).unwrap_or(TableId(Uuid::nil()));
                    views.push(Decided {
                        plan: TablePlan {
                            source: None,
                            table: view,
                            source_id: id,
                            target_id: id,
                            action: TableAction::RebuildView,
                            missing: false,
                            bytes: 0,
                        },
                        entry,
                        view_of: Some(base.plan.table.clone()),
                        is_live: true,
                    });
                }
                (RestoreMode::Online, _) => findings.say(
                    codes::SCHEMA_REVERTS,
                    &view,
                    format!("the live view {view} is not in the backup and is dropped with its table"),
                    format!("to make it again: {}", entry.cql.join("; ")),
                ),
            }
        }
    }
    views
}

fn say_not_in_backup(selected: &Selected, live: &TargetSchema, findings: &mut Findings) {
    for entry in &live.schema.entries {
        let keyspace = entry.keyspace.as_str();
        if entry.kind == SchemaKind::Table
            && selected.whole.contains(&keyspace)
            && !selected.has(keyspace, &entry.name)
        {
            let table = TableRef::new(keyspace, &entry.name);
            findings.say(
                codes::TABLE_NOT_IN_BACKUP,
                &table,
                format!("the live table {table} is not in the backup and stays as it is"),
                "",
            );
        }
    }
}
