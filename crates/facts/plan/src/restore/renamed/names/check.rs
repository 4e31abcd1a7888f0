//! Refuses names that cannot be given, or would not lead beside the live tables.

use std::collections::{BTreeMap, BTreeSet};

use model::manifest::{BackupManifest, TableSummary};
use model::plan::{Rename, RestoreMode, RestoreRequest};
use model::{SchemaKind, Selection, TableRef, selection};

use super::Names;
use crate::codes;
use crate::findings::Findings;

/// The longest name of a keyspace or table that every release line takes.
const NAME_LEN_MAX: usize = 48;

/// The renames that can be done, as far as each is looked at alone.
pub(super) fn valid(
    request: &RestoreRequest,
    stored: &[TableSummary],
    findings: &mut Findings,
) -> Vec<Rename> {
    let renames = &request.options.renames;
    if request.options.mode.decided() == RestoreMode::InPlace {
        findings.say(
            codes::MODE_UNAVAILABLE,
            "in place",
            "a restore in place puts files where they were, and gives no table another name",
            "restore online, or leave --rename out",
        );
    }
    let wanted = &request.options.selection;
    let mut valid: Vec<Rename> = Vec::new();
    for rename in renames {
        let is_twice = valid.iter().any(|other| is_of_same(other, rename));
        let fault = match is_twice {
            true => Some("a second name for the same"),
            false => fault(rename, wanted),
        };
        if let Some(fault) = fault {
            refuse(rename, fault, findings);
        } else if is_in_backup(&request.backup, stored, rename, findings) {
            valid.push(rename.clone());
        }
    }
    check_selected(&request.backup, stored, wanted, findings);
    say_without_names(wanted, renames, findings);
    valid
}

fn refuse(rename: &Rename, why: &str, findings: &mut Findings) {
    findings.say(
        codes::RENAME_REFUSED,
        rename,
        format!("--rename {rename} cannot be done: {why}"),
        "write --rename KEYSPACE=NEW or --rename KEYSPACE.TABLE=NEW.TABLE, with names as Cassandra stores them",
    );
}

fn is_of_same(a: &Rename, b: &Rename) -> bool {
    match (a, b) {
        (Rename::Keyspace { from: a, .. }, Rename::Keyspace { from: b, .. }) => a == b,
        (Rename::Table { from: a, .. }, Rename::Table { from: b, .. }) => a == b,
        _ => false,
    }
}

fn fault(rename: &Rename, wanted: &Selection) -> Option<&'static str> {
    let (is_same, is_name, is_selected) = match rename {
        Rename::Keyspace { from, to } => {
            let mut tables = wanted.tables.iter();
            let has_table = tables.any(|table| table.keyspace == *from);
            let is_selected = has_table || super::is_whole(wanted, from);
            (from == to, is_name(to), is_selected)
        }
        Rename::Table { from, to } => {
            let is_selected = wanted.contains(&from.keyspace, &from.table);
            let is_name = is_name(&to.keyspace) && is_name(&to.table);
            (from == to, is_name, is_selected)
        }
    };
    if is_same {
        Some("it is the name that it has")
    } else if !is_name {
        Some(
            "the new name is not one that Cassandra takes: 1 to 48 letters, digits and underscores",
        )
    } else if !selection::is_user_keyspace(rename.to_keyspace()) {
        Some("the new keyspace belongs to the product, or to trials of restores")
    } else if !is_selected {
        Some("it is not among what is selected")
    } else {
        None
    }
}

fn is_name(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.chars().all(is_word)
}

fn is_in_backup(
    backup: &BackupManifest,
    stored: &[TableSummary],
    rename: &Rename,
    findings: &mut Findings,
) -> bool {
    let name = &backup.backup;
    match rename {
        Rename::Keyspace { from, .. } => {
            if stored.iter().any(|table| table.keyspace == *from) {
                return true;
            }
            let schema = &backup.schema;
            let is_defined = schema.find(SchemaKind::Keyspace, from, from).is_some();
            // The schema has every keyspace of the cluster, also those that were not backed up.
            let found = is_defined && super::is_whole(&backup.selection, from);
            if !found {
                let hint = if is_defined {
                    "the cluster had it, and it was not backed up: pick a backup that has it"
                } else {
                    ""
                };
                findings.say(
                    codes::KEYSPACE_NOT_FOUND,
                    from,
                    format!("the backup {name} has no keyspace {from}"),
                    hint,
                );
            }
            found
        }
        Rename::Table { from, .. } => {
            let found = stored.iter().find(|table| table.table_ref() == *from);
            match found.map(|table| &table.view_of) {
                Some(None) => true,
                Some(Some(_)) => {
                    let why = "it is a view, which comes with its table if its keyspace is renamed";
                    refuse(rename, why, findings);
                    false
                }
                None => {
                    say_no_table(backup, from, findings);
                    false
                }
            }
        }
    }
}

fn say_no_table(backup: &BackupManifest, table: &TableRef, findings: &mut Findings) {
    findings.say(
        codes::TABLE_NOT_FOUND,
        table,
        format!("the backup {} has no table {table}", backup.backup),
        "names are as Cassandra stores them: case counts, and there are no quotes",
    );
}

/// Tables that are selected must be there, under the names that they have in the backup, and views with their tables.
pub(in crate::restore) fn check_selected(
    backup: &BackupManifest,
    stored: &[TableSummary],
    wanted: &Selection,
    findings: &mut Findings,
) {
    for table in &wanted.tables {
        let found = stored.iter().find(|of| of.table_ref() == *table);
        match found.map(|of| &of.view_of) {
            None => say_no_table(backup, table, findings),
            Some(Some(base)) if !wanted.contains(&table.keyspace, base) => findings.say(
                codes::VIEW_NEEDS_BASE,
                table,
                format!(
                    "{table} is a view of {}.{base}, which is not selected",
                    table.keyspace
                ),
                format!("select {}.{base}: its views come with it", table.keyspace),
            ),
            Some(_) => {}
        }
    }
}

/// What is selected and has no other name would be loaded into the live table, in a restore that is to touch none.
fn say_without_names(wanted: &Selection, renames: &[Rename], findings: &mut Findings) {
    let has_keyspace = |keyspace: &str| {
        let is_it =
            |rename: &Rename| matches!(rename, Rename::Keyspace { from, .. } if from == keyspace);
        renames.iter().any(is_it)
    };
    let has_table = |table: &TableRef| {
        let is_it = |rename: &Rename| matches!(rename, Rename::Table { from, .. } if from == table);
        renames.iter().any(is_it)
    };
    let keyspaces = wanted.keyspaces.iter().filter(|name| !has_keyspace(name));
    let tables = wanted.tables.iter();
    let tables = tables.filter(|table| !has_keyspace(&table.keyspace) && !has_table(table));
    let names = keyspaces.cloned().chain(tables.map(ToString::to_string));
    for name in names {
        findings.say(
            codes::RENAME_REFUSED,
            &name,
            format!("{name} is selected and gets no other name, so that the live one would be replaced"),
            "a restore with --rename restores under other names only: give it one, or restore it by a task of its own",
        );
    }
}

/// Refuses names that lead two ways into one; returns the tables whose new name another one has already.
pub(super) fn targets(names: &Names, findings: &mut Findings) -> Vec<TableRef> {
    let mut tables: BTreeMap<TableRef, Vec<&TableRef>> = BTreeMap::new();
    let mut keyspaces: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for pair in &names.pairs {
        keyspaces.entry(&pair.to).or_default().insert(&pair.from);
    }
    for (source, target) in &names.targets {
        let sources = tables.entry(target.clone()).or_default();
        sources.push(source);
    }
    let mut doubled = Vec::new();
    for (target, sources) in &tables {
        if names.targets.contains_key(target) {
            findings.say(
                codes::RENAME_REFUSED,
                target,
                format!(
                    "{} would become {target}, which is restored under another name itself",
                    sources[0]
                ),
                "give it a name that no table of this restore has in the backup",
            );
        }
    }
    for (target, sources) in tables.iter().filter(|(_, sources)| sources.len() > 1) {
        doubled.extend(sources[1..].iter().copied().cloned());
        let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
        findings.say(
            codes::RENAME_REFUSED,
            target,
            format!("{} would both become {target}", sources.join(" and ")),
            "give each a name of its own",
        );
    }
    for (to, from) in keyspaces.iter().filter(|(_, from)| from.len() > 1) {
        let from: Vec<&str> = from.iter().copied().collect();
        findings.say(
            codes::RENAME_REFUSED,
            to,
            format!(
                "tables of {} would come into one keyspace, {to}, with types and functions of both",
                from.join(" and ")
            ),
            "give the tables of each keyspace a keyspace of their own",
        );
    }
    doubled
}
