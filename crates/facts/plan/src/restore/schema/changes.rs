//! Which changes of the live schema a restore undoes, table by table, and the CQL that does it again.

mod attached;

use cassandra_schema::{Forward, TableDiff, TypeDiff, diff, diff_type};
use model::plan::SchemaChange;
use model::{SchemaKind, TableRef};

use super::tables::Decided;
use crate::findings::Findings;
use crate::restore::given::schemas::Schemas;
use crate::restore::given::selected::Selected;
use crate::{codes, wording};

pub(crate) fn find(
    selected: &Selected,
    schemas: &Schemas,
    decided: &[Decided],
    findings: &mut Findings,
) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    for table in selected
        .tables
        .iter()
        .filter(|table| table.view_of.is_none())
    {
        let (keyspace, name) = (&table.table.keyspace, &table.table.table);
        let was = schemas.backup.table(keyspace, name);
        let (Some(was), Some(now)) = (was, schemas.live.table(keyspace, name)) else {
            continue;
        };
        let found = diff(was, now);
        if !found.is_empty() {
            say(&table.table, &found, findings);
            changes.push(change(
                &table.table.to_string(),
                in_words(&found),
                &found.forward,
            ));
        }
    }
    changes.extend(types(selected, schemas));
    changes.extend(attached::gone(decided, schemas));
    changes.extend(attached::back(selected, schemas));
    changes
}

fn say(table: &TableRef, found: &TableDiff, findings: &mut Findings) {
    let added = found.columns_lost.iter().map(|column| &column.name);
    let added: Vec<&String> = added.collect();
    if !added.is_empty() {
        findings.say(
            codes::SCHEMA_COLUMN_LOST,
            table,
            format!(
                "{table} has columns that were added since the backup, and are gone after the restore: {}",
                wording::list(added)
            ),
            "the plan has the CQL that adds them again, empty",
        );
    }
    let dropped = found.columns_reappear.iter().map(|column| &column.name);
    let back: Vec<&String> = dropped.chain(&found.columns_refilled).collect();
    if !back.is_empty() {
        findings.say(
            codes::SCHEMA_COLUMN_REAPPEARS,
            table,
            format!(
                "{table} gets columns back that were dropped since the backup: {}",
                wording::list(back)
            ),
            "the plan has the CQL that drops them again",
        );
    }
    let types = found
        .types_revert
        .iter()
        .map(|c| format!("{} from {} to {}", c.name, c.live, c.backup));
    let kinds = found.kinds_revert.iter().map(|changed| {
        format!(
            "{} from {:?} to {:?}",
            changed.name, changed.live, changed.backup
        )
        .to_lowercase()
    });
    let reverting: Vec<String> = types.chain(kinds).collect();
    if !reverting.is_empty() {
        findings.say(
            codes::SCHEMA_TYPE_REVERTS,
            table,
            format!(
                "columns of {table} get the types back that they had: {}",
                wording::list(reverting)
            ),
            "no CQL changes them again: to go forward, add a column under another name and let programs fill it",
        );
    }
}

/// Everything that is not as it was, in one line.
fn in_words(found: &TableDiff) -> String {
    let mut words = Vec::new();
    let mut list = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            words.push(format!("{what} {}", wording::list(names)));
        }
    };
    list(
        "added",
        found
            .columns_lost
            .iter()
            .map(|c| format!("{} {}", c.name, c.of))
            .collect(),
    );
    list(
        "dropped",
        found
            .columns_reappear
            .iter()
            .map(|c| c.name.clone())
            .collect(),
    );
    list("dropped and added again", found.columns_refilled.clone());
    list(
        "renamed",
        found
            .renamed
            .iter()
            .map(|r| format!("{} to {}", r.backup, r.live))
            .collect(),
    );
    list(
        "changed the type of",
        found
            .types_revert
            .iter()
            .map(|c| format!("{} from {} to {}", c.name, c.backup, c.live))
            .collect(),
    );
    list(
        "made static or regular",
        found.kinds_revert.iter().map(|c| c.name.clone()).collect(),
    );
    list(
        "changed the key from",
        found
            .primary_key
            .iter()
            .map(|c| format!("({}) to ({})", c.backup, c.live))
            .collect(),
    );
    list(
        "changed the order of",
        found
            .clustering_order
            .iter()
            .map(|c| c.name.clone())
            .collect(),
    );
    list(
        "changed the mask of",
        found.masks.iter().map(|c| c.name.clone()).collect(),
    );
    list(
        "changed the options",
        found.options.iter().map(|c| c.name.clone()).collect(),
    );
    list(
        "changed the triggers",
        found.triggers.iter().map(|c| c.name.clone()).collect(),
    );
    if found.compact_storage.is_some() {
        words.push("changed its storage".to_owned());
    }
    if found.graph_label_changed {
        words.push("changed its graph label".to_owned());
    }
    if found.unknown {
        words.push("cannot be compared".to_owned());
    }
    format!("since the backup: {}", words.join("; "))
}

fn types(selected: &Selected, schemas: &Schemas) -> Vec<SchemaChange> {
    let of_selected = schemas
        .backup
        .types
        .iter()
        .filter(|was| selected.keyspaces.contains(&was.keyspace.as_str()));
    let mut changes = Vec::new();
    for was in of_selected {
        let Some(now) = schemas.live.user_type(&was.keyspace, &was.name) else {
            continue;
        };
        let found = diff_type(was, now);
        // Fields that were only added stay: rows without them read as rows without them.
        if !found.renamed.is_empty() || !found.types_revert.is_empty() {
            let subject = format!("{}.{}", was.keyspace, was.name);
            changes.push(change(&subject, type_in_words(&found), &found.forward));
        }
    }
    changes
}

fn type_in_words(found: &TypeDiff) -> String {
    let renamed = found.renamed.iter();
    let renamed = renamed.map(|field| format!("renamed {} to {}", field.backup, field.live));
    let changed = found.types_revert.iter();
    let changed = changed.map(|field| {
        format!(
            "changed the type of {} from {} to {}",
            field.name, field.backup, field.live
        )
    });
    let words: Vec<String> = renamed.chain(changed).collect();
    format!("since the backup: {}", words.join("; "))
}

/// What brings a live type back to the form that it had; empty where CQL cannot.
pub(crate) fn type_back(schemas: &Schemas, keyspace: &str, name: &str) -> Vec<String> {
    let was = schemas.backup.user_type(keyspace, name);
    let now = schemas.live.user_type(keyspace, name);
    let Some((was, now)) = was.zip(now) else {
        return Vec::new();
    };
    let back = diff_type(now, was).forward;
    if back.unforwardable.is_empty() {
        back.statements
    } else {
        Vec::new()
    }
}

fn change(subject: &str, what: String, forward: &Forward) -> SchemaChange {
    let cannot: Vec<String> = forward
        .unforwardable
        .iter()
        .map(|one| format!("{}: {}", one.what, one.why))
        .collect();
    let what = if cannot.is_empty() {
        what
    } else {
        format!("{what}; no CQL brings forward {}", cannot.join(", "))
    };
    SchemaChange {
        subject: subject.to_owned(),
        what,
        forward_cql: forward.statements.clone(),
    }
}

/// Whether the live type reads all rows of the backup's: it is the same, or has fields more.
pub(crate) fn type_reads(schemas: &Schemas, kind: SchemaKind, keyspace: &str, name: &str) -> bool {
    if kind != SchemaKind::Type {
        return false;
    }
    let was = schemas.backup.user_type(keyspace, name);
    let now = schemas.live.user_type(keyspace, name);
    was.zip(now).is_some_and(|(was, now)| {
        let found = diff_type(was, now);
        found.fields_reappear.is_empty()
            && found.renamed.is_empty()
            && found.types_revert.is_empty()
    })
}
