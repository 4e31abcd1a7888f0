//! Guardrails that switch something off, or forbid it by name.

use cassandra_schema::{CqlType, Literal, Options, Table};
use model::NodeSetup;

use super::Asked;
use super::does::Verb;
use super::guardrails::Guardrail;

pub(super) const ALL: &[Guardrail] = &[
    Guardrail {
        settings: &["drop_truncate_table_enabled"],
        what: "DROP and TRUNCATE TABLE",
        refused: |asked, value| statements(asked, value, &[Verb::DropTable, Verb::Truncate]),
    },
    Guardrail {
        settings: &["secondary_indexes_enabled"],
        what: "CREATE INDEX",
        refused: |asked, value| statements(asked, value, &[Verb::CreateIndex]),
    },
    Guardrail {
        settings: &["alter_table_enabled"],
        what: "ALTER TABLE that changes columns",
        refused: |asked, value| statements(asked, value, &[Verb::AlterColumns]),
    },
    Guardrail {
        settings: &["simplestrategy_enabled"],
        what: "keyspaces with SimpleStrategy",
        refused: |asked, value| {
            let made = asked.made_keyspaces().filter(|keyspace| {
                let class = keyspace.will_be.get("class");
                is_off(value) && class.is_some_and(|class| class.ends_with("SimpleStrategy"))
            });
            made.map(|keyspace| keyspace.name.clone()).collect()
        },
    },
    Guardrail {
        settings: &["uncompressed_tables_enabled"],
        what: "tables without compression",
        refused: |asked, value| tables(asked, value, is_uncompressed),
    },
    Guardrail {
        settings: &["compact_tables_enabled"],
        what: "tables with COMPACT STORAGE",
        refused: |asked, value| tables(asked, value, |table| table.compact_storage),
    },
    Guardrail {
        settings: &["vector_type_enabled"],
        what: "columns of vector types",
        refused: |asked, value| tables(asked, value, |table| vectors(table).next().is_some()),
    },
    Guardrail {
        settings: &["zero_ttl_on_twcs_enabled"],
        what: "TimeWindowCompactionStrategy without default_time_to_live",
        refused: |asked, value| tables(asked, value, is_endless_window),
    },
    Guardrail {
        settings: &[
            "table_properties_disallowed",
            "guardrails.table_properties_disallowed",
        ],
        what: "these options of tables",
        refused: |asked, value| {
            let forbidden = NodeSetup::items(value);
            let is_forbidden = |option: &&String| {
                let mut names = forbidden.iter();
                names.any(|name| name.eq_ignore_ascii_case(option))
            };
            let made = made_options(asked);
            made.flat_map(|(name, options)| {
                let options = options.keys().filter(is_forbidden);
                options.map(move |option| format!("{option} of {name}"))
            })
            .collect()
        },
    },
];

fn is_off(value: &str) -> bool {
    value.eq_ignore_ascii_case("false")
}

/// What these statements are about.
fn statements(asked: &Asked, value: &str, verbs: &[Verb]) -> Vec<String> {
    let off = is_off(value);
    let statements = asked.statements.iter();
    let mut names: Vec<String> = statements
        .filter(|does| off && verbs.contains(&does.verb))
        .map(|does| does.on.to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn tables(asked: &Asked, value: &str, is_refused: fn(&Table) -> bool) -> Vec<String> {
    let off = is_off(value);
    let made = asked.made_tables().filter(|table| off && is_refused(table));
    made.map(Table::cql_name).collect()
}

fn is_uncompressed(table: &Table) -> bool {
    let options = table.options.get("compression");
    options
        .and_then(|value| value.as_map())
        .is_some_and(|options| {
            let of = |name: &str| options.get(name).map(Literal::content);
            of("enabled") == Some("false")
                || of("sstable_compression") == Some("")
                || options.is_empty()
        })
}

/// The dimensions of the vectors in the columns.
pub(super) fn vectors(table: &Table) -> impl Iterator<Item = u32> {
    let parts = table.columns.iter().flat_map(|column| column.of.parts());
    parts.filter_map(|part| match part {
        CqlType::Vector(_, dimensions) => Some(*dimensions),
        _ => None,
    })
}

fn is_endless_window(table: &Table) -> bool {
    let compaction = table.options.get("compaction");
    let class = compaction
        .and_then(|value| value.as_map())
        .and_then(|options| options.get("class"))
        .map_or("", Literal::content);
    let ttl = table.options.get("default_time_to_live");
    let ttl = ttl.and_then(|value| value.as_literal());
    class.ends_with("TimeWindowCompactionStrategy") && ttl.is_none_or(|ttl| ttl.content() == "0")
}

/// The options of the tables and views that are made.
fn made_options<'a>(asked: &'a Asked) -> impl Iterator<Item = (String, &'a Options)> {
    let made = asked.decided.iter().filter(|table| table.is_made());
    made.filter_map(|table| {
        let (keyspace, name) = (&table.plan.table.keyspace, &table.plan.table.table);
        let options = match table.view_of {
            None => &asked.schema().table(keyspace, name)?.options,
            Some(_) => &asked.schema().view(keyspace, name)?.options,
        };
        Some((table.plan.table.to_string(), options))
    })
}
