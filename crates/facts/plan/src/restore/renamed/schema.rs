//! The definitions of what is restored, under their names on the target.

use std::collections::BTreeSet;

use cassandra_schema::{ParseProblem, Renaming, Schema as Parsed};
use model::manifest::BackupManifest;
use model::{Schema, SchemaEntry, SchemaKind, TableRef};

use super::names::{Names, Pair};
use crate::findings::Findings;
use crate::{codes, wording};

/// Refuses what cannot be made under another name.
pub(super) fn renamed(backup: &BackupManifest, names: &Names, findings: &mut Findings) -> Schema {
    let (parsed, problems) = Parsed::parse(&backup.schema);
    let mut entries: Vec<SchemaEntry> = Vec::new();
    for pair in &names.pairs {
        say_not_understood(&backup.schema, &problems, pair, findings);
        let renaming = Renaming {
            from: pair.from.clone(),
            to: pair.to.clone(),
            tables: pair.tables.clone(),
            views: pair.views.clone(),
        };
        let (mut schema, indexes, not_renamed) = parsed.renamed(&renaming);
        leave_apart(&mut schema, findings);
        if !pair.is_whole {
            schema.keep_needed_types();
        }
        for problem in not_renamed {
            let table = TableRef::new(&pair.from, problem.table);
            refuse(&table.to_string(), problem.why, findings);
        }
        check_indexes(&schema, findings);
        for index in indexes {
            findings.say(
                codes::RENAME_INDEX_NAMED,
                format!("{}.{}", index.keyspace, index.to),
                format!(
                    "the index {} of the backup becomes {} of {}.{}",
                    index.from, index.to, index.keyspace, index.table
                ),
                "",
            );
        }
        entries.extend(schema.to_stored_for(&backup.release).entries);
    }
    say_views(&backup.schema, names, findings);
    Schema {
        version: backup.schema.version.clone(),
        entries,
    }
}

/// A client that writes to a copy is not to write to what is live by it: triggers know the tables that they write to by
/// themselves, and whoever reads changes does not know that these are of a copy.
fn leave_apart(schema: &mut Parsed, findings: &mut Findings) {
    for table in &mut schema.tables {
        let triggers = std::mem::take(&mut table.triggers);
        let mut left: Vec<String> = triggers
            .iter()
            .map(|trigger| format!("the trigger {}", trigger.name))
            .collect();
        let cdc = table.options.remove("cdc");
        if cdc.is_some_and(|cdc| cdc.to_string().contains("true")) {
            left.push("change data capture".to_owned());
        }
        if !left.is_empty() {
            let name = format!("{}.{}", table.keyspace, table.name);
            let message = format!(
                "{name} comes without what the table has in the backup: {}",
                wording::list(left)
            );
            let hint = "add it to the copy by hand if writes to the copy are to have it";
            findings.say(codes::RENAME_LEAVES_OUT, name, message, hint);
        }
    }
}

/// A definition that is not understood has the old names in it.
fn say_not_understood(
    schema: &Schema,
    problems: &[ParseProblem],
    pair: &Pair,
    findings: &mut Findings,
) {
    let is_taken = |problem: &&ParseProblem| {
        let name = &problem.name;
        problem.keyspace == pair.from
            && match problem.kind {
                None | Some(SchemaKind::Keyspace | SchemaKind::Type) => true,
                Some(SchemaKind::Table) => pair.tables.contains_key(name),
                Some(SchemaKind::View) => pair.views.contains(name),
                Some(SchemaKind::Index) => schema
                    .find(SchemaKind::Index, &pair.from, name)
                    .is_none_or(|index| pair.tables.contains_key(&index.base_table)),
                // A function may mask a column of a table that comes by itself.
                Some(SchemaKind::Function | SchemaKind::Aggregate) => true,
            }
    };
    for problem in problems.iter().filter(is_taken) {
        let subject = format!("{}.{}", problem.keyspace, problem.name);
        let why = format!("its definition is not understood: {}", problem.error);
        refuse(&subject, &why, findings);
    }
}

fn refuse(subject: &str, why: &str, findings: &mut Findings) {
    findings.say(
        codes::RENAME_NOT_POSSIBLE,
        subject,
        format!("{subject} cannot be made under another name: {why}"),
        "leave it out; or restore it under its own name into another cluster",
    );
}

/// Indexes share their names within a keyspace.
fn check_indexes(schema: &Parsed, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for index in &schema.indexes {
        if !seen.insert(&index.name) {
            findings.say(
                codes::RENAME_REFUSED,
                format!("{}.{}", index.keyspace, index.name),
                format!(
                    "two indexes would get the name {} in {}",
                    index.name, index.keyspace
                ),
                "give the tables other names",
            );
        }
    }
}

fn say_views(schema: &Schema, names: &Names, findings: &mut Findings) {
    for table in &names.alone {
        let views = schema.dependents(SchemaKind::View, &table.keyspace, &table.table);
        let views: Vec<&str> = views.map(|view| view.name.as_str()).collect();
        if !views.is_empty() {
            findings.say(
                codes::RENAME_VIEWS_LEFT_OUT,
                table,
                format!(
                    "{table} is renamed by itself and comes without its views: {}",
                    wording::list(views)
                ),
                "make views of the copy by hand, or rename the keyspace",
            );
        }
    }
}
