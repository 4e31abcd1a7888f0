//! What the restored tables need around them: types, functions, free names, compaction classes.

use cassandra_schema::GraphLabel;
use cassandra_versions::Release;
use model::cql::quote;
use model::manifest::BackupManifest;
use model::{SchemaEntry, SchemaKind, Severity};

use super::changes;
use super::tables::Decided;
use crate::findings::Findings;
use crate::restore::given::Given;
use crate::restore::given::schemas::Schemas;
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;
use crate::{codes, cql};

const COMPACTION_PACKAGE: &str = "org.apache.cassandra.db.compaction.";
const OF_DSE: [&str; 2] = ["TieredCompactionStrategy", "MemoryOnlyStrategy"];

pub(crate) fn check_definitions(given: &Given, findings: &mut Findings) {
    for entry in needed(given.backup, &given.selected) {
        check_definition(entry, &given.live, &given.inputs.schemas, findings);
    }
}

pub(crate) fn check_compaction(given: &Given, findings: &mut Findings) {
    for table in &given.selected.tables {
        check_compaction_of(table.entry, given, findings);
    }
}

/// The types, functions and aggregates that are to be there: types wherever a table is restored, because its columns may
/// be of them; functions with a whole keyspace or where they mask a column, and aggregates only with a whole keyspace,
/// because no stored row needs them.
pub(crate) fn needed<'a>(
    backup: &'a BackupManifest,
    selected: &Selected,
) -> impl Iterator<Item = &'a SchemaEntry> {
    backup.schema.entries.iter().filter(|entry| {
        let keyspace = &entry.keyspace.as_str();
        match entry.kind {
            SchemaKind::Type => selected.keyspaces.contains(keyspace),
            SchemaKind::Function => selected.needs_function(keyspace, &entry.name),
            SchemaKind::Aggregate => selected.whole.contains(keyspace),
            SchemaKind::Keyspace | SchemaKind::Table | SchemaKind::Index | SchemaKind::View => {
                false
            }
        }
    })
}

/// An edge of DSE Graph names the labels of two vertices, which are to be there first.
pub(crate) fn vertices_first<'a, 'b>(
    mut tables: Vec<&'a Decided<'b>>,
    schemas: &Schemas,
) -> Vec<&'a Decided<'b>> {
    tables.sort_by_key(|decided| {
        let table = &decided.plan.table;
        let found = schemas.backup.table(&table.keyspace, &table.table);
        let graph = found.and_then(|found| found.graph.as_ref());
        matches!(graph, Some(GraphLabel::Edge { .. }))
    });
    tables
}

fn check_definition(
    entry: &SchemaEntry,
    live: &TargetSchema,
    schemas: &Schemas,
    findings: &mut Findings,
) {
    let Some(now) = live.find(entry.kind, &entry.keyspace, &entry.name) else {
        return;
    };
    if schemas.same(entry, now) {
        return;
    }
    if changes::type_reads(schemas, entry.kind, &entry.keyspace, &entry.name) {
        let name = format!("{}.{}", entry.keyspace, entry.name);
        findings.say_as(
            Severity::Advice,
            codes::TYPE_DIFFERS,
            &name,
            format!(
                "the live type {name} has fields that were added since the backup, and keeps them"
            ),
            "",
        );
        return;
    }
    let kind = match entry.kind {
        SchemaKind::Function => "function",
        SchemaKind::Aggregate => "aggregate",
        _ => "type",
    };
    let name = format!("{}.{}", entry.keyspace, entry.name);
    findings.say(
        codes::TYPE_DIFFERS,
        &name,
        format!("the live {kind} {name} is not as it was in the backup"),
        way_back(entry, schemas),
    );
}

/// The CQL by which people take a live type, function or aggregate back. A restore does not do it: tables that it leaves
/// alone may use the live one.
fn way_back(entry: &SchemaEntry, schemas: &Schemas) -> String {
    let name = format!("{}.{}", quote(&entry.keyspace), quote(&entry.name));
    if entry.kind != SchemaKind::Type {
        let cql = entry.cql.join("; ");
        let cql = match cql.strip_prefix("CREATE ") {
            Some(rest) if !rest.starts_with("OR REPLACE ") => format!("CREATE OR REPLACE {rest}"),
            _ => cql,
        };
        return format!(
            "bring it back, and plan again (if what it returns has changed, drop it first): {cql}"
        );
    }
    match changes::type_back(schemas, &entry.keyspace, &entry.name).as_slice() {
        [] => format!(
            "no CQL takes its fields back: back up what is live, drop the tables that use it, DROP TYPE {name}, and plan again; the restore makes all of them as they were"
        ),
        back => format!("bring it back, and plan again: {}", back.join("; ")),
    }
}

pub(crate) fn check_free_names(given: &Given, findings: &mut Findings) {
    let (backup, selected, live) = (given.backup, &given.selected, &given.live);
    let mut taken = |kind: &str, name: String, by: &str| {
        findings.say(
            codes::NAME_TAKEN,
            &name,
            format!("the backup's {kind} {name} has the name of {by}"),
            "drop or rename that one first",
        );
    };
    for table in &selected.tables {
        let (keyspace, name) = (&table.table.keyspace, &table.table.table);
        let (kind, other) = match table.view_of {
            Some(_) => ("view", SchemaKind::Table),
            None => ("table", SchemaKind::View),
        };
        if live.find(other, keyspace, name).is_some() {
            let by = if kind == "view" {
                "a live table"
            } else {
                "a live view"
            };
            taken(kind, table.table.to_string(), by);
        }
        let view = table.view_of.as_ref();
        if let Some(now) = view.and_then(|_| live.find(SchemaKind::View, keyspace, name))
            && !selected.has(keyspace, &now.base_table)
        {
            let by = format!(
                "a live view of {keyspace}.{}, which is not restored",
                now.base_table
            );
            taken("view", table.table.to_string(), &by);
        }
        for index in backup.schema.dependents(SchemaKind::Index, keyspace, name) {
            match live.find(SchemaKind::Index, keyspace, &index.name) {
                Some(now) if now.base_table != *name => {
                    let by = format!("a live index of {keyspace}.{}", now.base_table);
                    taken("index", format!("{keyspace}.{}", index.name), &by);
                }
                _ => {}
            }
        }
    }
}

fn check_compaction_of(entry: &SchemaEntry, given: &Given, findings: &mut Findings) {
    let (live, cluster) = (&given.live, &given.inputs.cluster);
    let schemas = &given.inputs.schemas;
    let statement = entry.cql.first().map(String::as_str).unwrap_or_default();
    let compaction = cql::option_map(statement, "compaction").unwrap_or_default();
    let Some(class) = compaction.get("class") else {
        return;
    };
    let simple = class.strip_prefix(COMPACTION_PACKAGE).unwrap_or(class);
    // Weighed with all that only DSE has.
    if OF_DSE.contains(&simple) {
        return;
    }
    let lacks = |release: &Release| !release.has_compaction_strategy(simple);
    let Some(node) = cluster.nodes.iter().find(|node| lacks(&node.release)) else {
        return;
    };
    if live.uses_compaction(class) || live.uses_compaction(&format!("{COMPACTION_PACKAGE}{simple}"))
    {
        return;
    }
    let name = format!("{}.{}", entry.keyspace, entry.name);
    findings.say(
        codes::CUSTOM_COMPACTION_MISSING,
        &name,
        format!(
            "{name} is compacted by {class}, which {} does not bring and no table of the target uses",
            node.release
        ),
        match schemas.offered_compaction(&entry.keyspace, &entry.name) {
            Some(rewrite) => format!("--rewrite-schema: {rewrite}; or install the class on every node, make a table with it, and plan again"),
            None => "install the class on every node, make a table with it, and plan again".to_owned(),
        },
    );
}
