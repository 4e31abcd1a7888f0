//! What is to be restored: the selected tables that the backup has, with their views.

use std::collections::BTreeSet;

use model::cql::{Token, tokens};
use model::manifest::{BackupManifest, TableSummary};
use model::{SchemaEntry, SchemaKind, Selection, TableId, TableRef, selection};

use super::target_schema::TargetSchema;
use super::unheld;
use crate::codes;
use crate::findings::Findings;
use crate::restore::renamed::check_selected;

/// A table or view of the backup that is restored.
pub(crate) struct SelectedTable<'a> {
    pub table: TableRef,
    /// Absent for a view whose files are not in the backup.
    pub id: Option<TableId>,
    /// For a view its base table.
    pub view_of: Option<TableRef>,
    pub entry: &'a SchemaEntry,
    /// On all nodes of the backup together.
    pub bytes: u64,
}

pub(crate) struct Selected<'a> {
    /// Tables before views, each in the schema's order.
    pub tables: Vec<SelectedTable<'a>>,
    /// Their keyspaces, and those that are restored and have no tables, sorted.
    pub keyspaces: Vec<&'a str>,
    /// Of these, the ones that are restored whole.
    pub whole: Vec<&'a str>,
    /// The functions that mask columns of the tables.
    masks: BTreeSet<TableRef>,
}

impl<'a> Selected<'a> {
    pub fn of(
        backup: &'a BackupManifest,
        wanted: &Selection,
        live: &TargetSchema,
        findings: &mut Findings,
    ) -> Self {
        let stored = backup.tables();
        check_names(backup, &stored, wanted, findings);
        check_ids(backup, &stored, findings);
        let mut tables = Vec::new();
        for summary in stored.iter().filter(|table| table.view_of.is_none()) {
            if !wanted.contains(&summary.keyspace, &summary.table) {
                continue;
            }
            let (keyspace, name) = (&summary.keyspace, &summary.table);
            match backup.schema.find(SchemaKind::Table, keyspace, name) {
                Some(entry) => tables.push(SelectedTable {
                    table: summary.table_ref(),
                    id: Some(summary.id),
                    view_of: None,
                    entry,
                    bytes: summary.bytes,
                }),
                None => findings.say(
                    codes::BACKUP_INCOMPLETE,
                    summary.table_ref(),
                    format!("the backup has files of {keyspace}.{name}, and not its definition"),
                    "pick another backup, or leave the table out",
                ),
            }
        }
        tables.dedup_by(|a, b| a.table == b.table);
        let mut bare = bare(backup, &stored, wanted);
        unheld::leave_out(&mut tables, &mut bare, backup, wanted, live, findings);
        let views = views_over(&tables, backup, &stored);
        tables.extend(views);
        if tables.is_empty() && bare.is_empty() && !findings.refuse() {
            findings.say(
                codes::NOTHING_SELECTED,
                &backup.backup,
                "the backup has no tables in what was selected",
                "",
            );
        }
        let mut keyspaces: Vec<&str> = tables
            .iter()
            .map(|table| table.entry.keyspace.as_str())
            .chain(bare)
            .collect();
        keyspaces.sort_unstable();
        keyspaces.dedup();
        let is_whole = |keyspace: &&str| {
            wanted.is_everything() || wanted.keyspaces.iter().any(|name| name == keyspace)
        };
        let whole = keyspaces
            .iter()
            .copied()
            .filter(|name| is_whole(name))
            .collect();
        Self {
            masks: tables.iter().flat_map(|table| masks(table.entry)).collect(),
            tables,
            keyspaces,
            whole,
        }
    }

    /// Whether a function comes with the tables: all of a keyspace that is restored whole, else those that mask a column. The
    /// signature is a name with the types of the arguments.
    pub fn needs_function(&self, keyspace: &str, signature: &str) -> bool {
        let name = signature.split('(').next().unwrap_or_default();
        self.whole.contains(&keyspace) || self.masks.contains(&TableRef::new(keyspace, name))
    }

    pub fn has(&self, keyspace: &str, table: &str) -> bool {
        let is = |selected: &SelectedTable| {
            selected.table.keyspace == keyspace && selected.table.table == table
        };
        self.tables.iter().any(is)
    }
}

/// Keyspaces of the backup that have no tables, and come with their types, functions and aggregates. The schema has all
/// keyspaces of the cluster, also those that were not backed up.
fn bare<'a>(
    backup: &'a BackupManifest,
    stored: &[TableSummary],
    wanted: &Selection,
) -> Vec<&'a str> {
    let is_in = |selection: &Selection, keyspace: &str| {
        selection.is_everything() || selection.keyspaces.iter().any(|name| name == keyspace)
    };
    let entries = backup.schema.entries.iter();
    let keyspaces = entries.filter(|entry| entry.kind == SchemaKind::Keyspace);
    let names = keyspaces.map(|entry| entry.keyspace.as_str());
    names
        .filter(|name| is_in(&backup.selection, name) && is_in(wanted, name))
        .filter(|name| !stored.iter().any(|table| table.keyspace == *name))
        .collect()
}

/// What stands behind `MASKED WITH`. A function of the product is among it, and no object of the schema.
fn masks(table: &SchemaEntry) -> Vec<TableRef> {
    let statement = table.cql.first().map_or("", String::as_str);
    let all: Vec<Token> = tokens(statement).collect();
    let name = |at: usize| all.get(at).and_then(Token::name).unwrap_or_default();
    let is_mask =
        |at: &usize| all[*at].is("MASKED") && all.get(at + 1).is_some_and(|it| it.is("WITH"));
    (0..all.len())
        .filter(is_mask)
        .map(|at| match all.get(at + 3) {
            Some(dot) if dot.is_symbol('.') => TableRef::new(name(at + 2), name(at + 4)),
            _ => TableRef::new(&table.keyspace, name(at + 2)),
        })
        .collect()
}

/// A table comes with its views, asked for or not: they would no longer agree with it.
fn views_over<'a>(
    tables: &[SelectedTable<'a>],
    backup: &'a BackupManifest,
    stored: &[TableSummary],
) -> Vec<SelectedTable<'a>> {
    let mut views = Vec::new();
    for base in tables {
        let (keyspace, table) = (&base.entry.keyspace, &base.entry.name);
        for entry in backup.schema.dependents(SchemaKind::View, keyspace, table) {
            let summary = stored
                .iter()
                .find(|summary| summary.keyspace == *keyspace && summary.table == entry.name);
            views.push(SelectedTable {
                table: TableRef::new(keyspace, &entry.name),
                id: summary.map(|summary| summary.id),
                view_of: Some(base.table.clone()),
                entry,
                bytes: summary.map_or(0, |summary| summary.bytes),
            });
        }
    }
    views
}

fn check_names(
    backup: &BackupManifest,
    stored: &[TableSummary],
    wanted: &Selection,
    findings: &mut Findings,
) {
    for keyspace in &wanted.keyspaces {
        let in_data = stored.iter().any(|table| table.keyspace == *keyspace);
        if in_data
            || backup
                .schema
                .find(SchemaKind::Keyspace, keyspace, keyspace)
                .is_some()
        {
            continue;
        }
        let hint = if selection::is_user_keyspace(keyspace) {
            ""
        } else {
            "it belongs to the product, and is never part of a backup"
        };
        findings.say(
            codes::KEYSPACE_NOT_FOUND,
            keyspace,
            format!("the backup {} has no keyspace {keyspace}", backup.backup),
            hint,
        );
    }
    check_selected(backup, stored, wanted, findings);
}

/// A table that was dropped and made again between two snapshots has two ids, and its files belong to two tables.
fn check_ids(backup: &BackupManifest, stored: &[TableSummary], findings: &mut Findings) {
    for pair in stored.windows(2) {
        if pair[0].table_ref() == pair[1].table_ref() {
            findings.say(
                codes::BACKUP_INCOMPLETE,
                pair[0].table_ref(),
                format!(
                    "the nodes of {} hold files of two tables of this name, {} and {}",
                    backup.backup, pair[0].id, pair[1].id
                ),
                "it was dropped and made again while the backup was taken: pick another backup",
            );
        }
    }
}
