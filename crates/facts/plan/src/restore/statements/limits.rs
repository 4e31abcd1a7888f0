//! Guardrails that are numbers.

use std::collections::BTreeSet;

use model::{SchemaKind, TableRef};

use super::Asked;
use super::does::Verb;
use super::guardrails::Guardrail;
use super::switches::vectors;
use crate::wording::counted;

pub(super) const ALL: &[Guardrail] = &[
    Guardrail {
        settings: &["keyspaces_fail_threshold"],
        what: "more keyspaces",
        refused: |asked, value| {
            let made = asked.made_keyspaces().count();
            total(
                made,
                live(asked, SchemaKind::Keyspace) + made,
                value,
                "keyspace",
            )
        },
    },
    Guardrail {
        settings: &[
            "tables_fail_threshold",
            "guardrails.tables_failure_threshold",
        ],
        what: "more tables",
        refused: |asked, value| {
            let made = || {
                let decided = asked.decided.iter();
                decided.filter(|table| table.view_of.is_none() && table.is_made())
            };
            let new = made().filter(|table| !table.is_live).count();
            total(
                made().count(),
                live(asked, SchemaKind::Table) + new,
                value,
                "table",
            )
        },
    },
    Guardrail {
        settings: &[
            "columns_per_table_fail_threshold",
            "guardrails.columns_per_table_failure_threshold",
        ],
        what: "tables with more columns",
        refused: |asked, value| {
            let counts = asked
                .made_tables()
                .map(|table| (table.cql_name(), table.columns.len()));
            above(counts, value, "column")
        },
    },
    Guardrail {
        settings: &[
            "fields_per_udt_fail_threshold",
            "guardrails.fields_per_udt_failure_threshold",
        ],
        what: "types with more fields",
        refused: |asked, value| {
            let made = statements(asked, Verb::CreateType);
            let types = made.filter_map(|does| {
                let of = asked
                    .schema()
                    .user_type(&does.name.keyspace, &does.name.table)?;
                Some((of.cql_name(), of.fields.len()))
            });
            above(types, value, "field")
        },
    },
    Guardrail {
        settings: &[
            "secondary_indexes_per_table_fail_threshold",
            "guardrails.secondary_index_per_table_failure_threshold",
        ],
        what: "tables with more indexes",
        refused: |asked, value| above(per_table(asked, Verb::CreateIndex), value, "index"),
    },
    Guardrail {
        settings: &[
            "materialized_views_per_table_fail_threshold",
            "guardrails.materialized_view_per_table_failure_threshold",
        ],
        what: "tables with more materialized views",
        refused: |asked, value| above(per_table(asked, Verb::CreateView), value, "view"),
    },
    Guardrail {
        settings: &["minimum_replication_factor_fail_threshold"],
        what: "keyspaces with fewer replicas",
        refused: |asked, value| {
            replicas(asked, |factor| {
                limit(value).is_some_and(|limit| factor < limit)
            })
        },
    },
    Guardrail {
        settings: &["maximum_replication_factor_fail_threshold"],
        what: "keyspaces with more replicas",
        refused: |asked, value| {
            replicas(asked, |factor| {
                limit(value).is_some_and(|limit| factor > limit)
            })
        },
    },
    Guardrail {
        settings: &["vector_dimensions_fail_threshold"],
        what: "vectors of more dimensions",
        refused: |asked, value| {
            let tables = asked.made_tables();
            let counts = tables.filter_map(|table| {
                let most = vectors(table).max()?;
                Some((
                    table.cql_name(),
                    usize::try_from(most).unwrap_or(usize::MAX),
                ))
            });
            above(counts, value, "dimension")
        },
    },
];

/// -1 is none.
fn limit(value: &str) -> Option<usize> {
    value.trim().parse().ok()
}

fn live(asked: &Asked, kind: SchemaKind) -> usize {
    let entries = asked.given.live.schema.entries.iter();
    entries.filter(|entry| entry.kind == kind).count()
}

/// How many there would be of something, if any is made and these are too many.
fn total(made: usize, there_would_be: usize, value: &str, noun: &str) -> Vec<String> {
    match limit(value) {
        Some(limit) if made > 0 && there_would_be > limit => {
            vec![format!(
                "there would be {}",
                counted(there_would_be as u64, noun)
            )]
        }
        _ => Vec::new(),
    }
}

fn above(counts: impl Iterator<Item = (String, usize)>, value: &str, noun: &str) -> Vec<String> {
    let Some(limit) = limit(value) else {
        return Vec::new();
    };
    counts
        .filter(|(_, count)| *count > limit)
        .map(|(name, count)| match (noun, count) {
            ("index", 2..) => format!("{name} ({count} indexes)"),
            _ => format!("{name} ({})", counted(count as u64, noun)),
        })
        .collect()
}

fn statements<'a>(asked: &'a Asked, verb: Verb) -> impl Iterator<Item = &'a super::does::Does> {
    asked
        .statements
        .iter()
        .filter(move |does| does.verb == verb)
}

/// Of the tables on which an index or view is made, how many each would have.
fn per_table(asked: &Asked, verb: Verb) -> impl Iterator<Item = (String, usize)> {
    let bases: BTreeSet<TableRef> = statements(asked, verb)
        .map(|does| does.on.clone())
        .collect();
    let kind = match verb {
        Verb::CreateIndex => SchemaKind::Index,
        _ => SchemaKind::View,
    };
    bases.into_iter().map(move |base| {
        let backup = &asked.given.backup.schema;
        let mut names: BTreeSet<&str> = backup
            .dependents(kind, &base.keyspace, &base.table)
            .map(|entry| entry.name.as_str())
            .collect();
        let stays = |entry: &&&model::SchemaEntry| {
            !is_dropped(asked, &base) || names.contains(entry.name.as_str())
        };
        let live = asked.given.live.over(kind, &base);
        let live: Vec<&str> = live
            .iter()
            .filter(stays)
            .map(|entry| entry.name.as_str())
            .collect();
        names.extend(live);
        (base.to_string(), names.len())
    })
}

fn is_dropped(asked: &Asked, table: &TableRef) -> bool {
    statements(asked, Verb::DropTable).any(|does| does.name == *table)
}

/// The keyspaces that are made with a replication factor that is refused.
fn replicas(asked: &Asked, is_refused: impl Fn(usize) -> bool) -> Vec<String> {
    let refused = |option: &str, factor: &str| {
        let factor = factor
            .split('/')
            .next()
            .and_then(|factor| factor.parse().ok());
        option != "class" && factor.is_some_and(&is_refused)
    };
    asked
        .made_keyspaces()
        .flat_map(|keyspace| {
            let factors = keyspace.will_be.iter();
            let factors = factors.filter(|(option, factor)| refused(option, factor));
            factors.map(|(option, factor)| match option.as_str() {
                "replication_factor" => format!("{} ({factor})", keyspace.name),
                datacenter => format!("{} ({factor} in {datacenter})", keyspace.name),
            })
        })
        .collect()
}
