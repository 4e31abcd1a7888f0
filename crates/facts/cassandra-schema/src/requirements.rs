//! The features that each object of a schema needs.

use crate::cql_type::{CqlType, Native};
use crate::feature::Feature;
use crate::function::{Function, Monotonic};
use crate::index::{Index, IndexKind};
use crate::keyspace::Keyspace;
use crate::normal::{COMPACTION, COMPRESSION, TYPES, simple_class};
use crate::option::{Options, entry};
use crate::order::{Object, ObjectKey, replay_order};
use crate::schema::Schema;
use crate::table::{Column, ColumnKind, Table};

/// Something that an object needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// The object.
    pub subject: ObjectKey,
    /// What it needs.
    pub feature: Feature,
    /// The part of the object that needs it: a column or an option; empty for the object as a whole.
    pub part: String,
}

/// Lists what all objects need, in the order of replay; each feature once for each part that needs it.
pub fn requirements(schema: &Schema) -> Vec<Requirement> {
    let mut found = Vec::new();
    for object in replay_order(schema) {
        let subject = object.key();
        let mut of_object: Vec<(Feature, String)> = Vec::new();
        features(object, &mut |feature, part: &str| {
            of_object.push((feature, part.to_owned()));
        });
        of_object.sort();
        of_object.dedup();
        let requirement = |(feature, part)| Requirement {
            subject: subject.clone(),
            feature,
            part,
        };
        found.extend(of_object.into_iter().map(requirement));
    }
    found
}

type Needs<'a> = dyn FnMut(Feature, &str) + 'a;

pub(crate) fn features(object: Object, needs: &mut Needs) {
    match object {
        Object::Keyspace(keyspace) => of_keyspace(keyspace, needs),
        Object::Type(user_type) => {
            for field in &user_type.fields {
                of_type(&field.of, &field.name, needs);
            }
        }
        Object::Function(function) => of_function(function, needs),
        Object::Aggregate(aggregate) => {
            needs(Feature::JavaFunction, "");
            if aggregate.is_deterministic {
                needs(Feature::FunctionProperties, "");
            }
            for of in aggregate.arguments.iter().chain([&aggregate.state_type]) {
                of_type(of, "", needs);
            }
        }
        Object::Table(table) => of_table(table, needs),
        Object::Index(index) => of_index(index, needs),
        Object::View(view) => {
            needs(Feature::MaterializedView, "");
            of_options(&view.options, needs);
        }
    }
}

/// The keyspaces in which DSE Analytics, AlwaysOn SQL and their file systems keep their state.
const ANALYTICS: &[&str] = &[
    "HiveMetaStore",
    "alwayson_sql_cache_table",
    "alwayson_sql_info",
    "cfs",
    "cfs_archive",
    "dse_analytics",
    "dsefs",
    "spark_system",
];

fn of_keyspace(keyspace: &Keyspace, needs: &mut Needs) {
    match keyspace.replication_class() {
        "SimpleStrategy"
        | "NetworkTopologyStrategy"
        | "LocalStrategy"
        | "OldNetworkTopologyStrategy"
        | "MetaStrategy" => {}
        "EverywhereStrategy" => needs(Feature::EverywhereStrategy, "replication"),
        _ => {
            let class = keyspace.replication.get("class").cloned();
            needs(
                Feature::CustomReplication(class.unwrap_or_default()),
                "replication",
            );
        }
    }
    if keyspace
        .replication
        .values()
        .any(|replicas| replicas.contains('/'))
    {
        needs(Feature::TransientReplication, "replication");
    }
    if keyspace.options.contains_key("graph_engine") {
        needs(Feature::GraphKeyspace, "graph_engine");
    }
    if ANALYTICS.contains(&keyspace.name.as_str()) {
        needs(Feature::AnalyticsKeyspace, "");
    }
}

fn of_function(function: &Function, needs: &mut Needs) {
    match function.language.to_lowercase().as_str() {
        "java" => needs(Feature::JavaFunction, ""),
        language => needs(Feature::ScriptedFunction(language.to_owned()), ""),
    }
    if function.is_deterministic || function.monotonic != Monotonic::No {
        needs(Feature::FunctionProperties, "");
    }
    for (name, of) in &function.arguments {
        of_type(of, name, needs);
    }
    of_type(&function.returns, "", needs);
}

fn of_type(of: &CqlType, part: &str, needs: &mut Needs) {
    for of in of.parts() {
        match of {
            CqlType::Vector(..) => needs(Feature::Vector, part),
            CqlType::Native(Native::Duration) => needs(Feature::Duration, part),
            CqlType::Custom(class) => match simple_class(class, TYPES) {
                "PointType" | "LineStringType" | "PolygonType" | "DateRangeType" => {
                    needs(Feature::DseType, part);
                }
                // Classes of Cassandra itself that have no name in CQL are in every release.
                simple if simple != class || !class.contains('.') => {}
                _ => needs(Feature::CustomType(class.clone()), part),
            },
            _ => {}
        }
    }
}

fn of_table(table: &Table, needs: &mut Needs) {
    if table.has_no_cql {
        needs(Feature::NoCql, "");
        return;
    }
    for column in &table.columns {
        of_type(&column.of, &column.name, needs);
        if column.mask.is_some() {
            needs(Feature::Mask, &column.name);
        }
        if is_search_column(column) {
            needs(Feature::SearchColumn, &column.name);
        }
    }
    for column in &table.dropped {
        of_type(&column.of, &column.name, needs);
    }
    if table.compact_storage {
        needs(Feature::CompactStorage, "");
    }
    if table.graph.is_some() {
        needs(Feature::GraphLabel, "");
    }
    for trigger in &table.triggers {
        needs(Feature::Trigger(trigger.class.clone()), &trigger.name);
    }
    of_options(&table.options, needs);
}

/// DSE Search creates this column with its index; it is practically never anything else.
pub(crate) fn is_search_column(column: &Column) -> bool {
    column.name == "solr_query"
        && column.kind == ColumnKind::Regular
        && matches!(column.of, CqlType::Native(Native::Text | Native::Varchar))
}

fn of_index(index: &Index, needs: &mut Needs) {
    match index.kind() {
        IndexKind::Legacy => {}
        IndexKind::Sai => needs(Feature::Sai, ""),
        IndexKind::Sasi => needs(Feature::Sasi, ""),
        IndexKind::Search => needs(Feature::SearchIndex, ""),
        IndexKind::Custom(class) => needs(Feature::CustomIndex(class), ""),
    }
}

fn of_options(options: &Options, needs: &mut Needs) {
    for name in options.keys() {
        let feature = match name.as_str() {
            "nodesync" => Feature::NodeSync,
            "read_repair_chance" | "dclocal_read_repair_chance" => Feature::ReadRepairChance,
            "read_repair" | "additional_write_policy" => Feature::ReadRepairPolicy,
            "memtable" => Feature::Memtable,
            "allow_auto_snapshot" | "incremental_backups" => Feature::SnapshotOptions,
            "dse_vertex_label_property" | "dse_edge_label_property" => Feature::GraphProperty,
            "cdc" if is_true(options, "cdc") => Feature::Cdc,
            _ => continue,
        };
        needs(feature, name);
    }
    of_compaction(options, needs);
    of_compression(options, needs);
}

fn is_true(options: &Options, name: &str) -> bool {
    let literal = options.get(name).and_then(|value| value.as_literal());
    literal.is_some_and(|literal| literal.content().eq_ignore_ascii_case("true"))
}

fn of_compaction(options: &Options, needs: &mut Needs) {
    let Some(class) = entry(options, "compaction", "class") else {
        return;
    };
    let feature = match simple_class(class, COMPACTION) {
        "SizeTieredCompactionStrategy"
        | "LeveledCompactionStrategy"
        | "TimeWindowCompactionStrategy" => return,
        "UnifiedCompactionStrategy" => Feature::UnifiedCompaction,
        "DateTieredCompactionStrategy" => Feature::DateTieredCompaction,
        "TieredCompactionStrategy" => Feature::TieredCompaction,
        "MemoryOnlyStrategy" => Feature::MemoryOnlyCompaction,
        _ => Feature::CustomCompaction(class.to_owned()),
    };
    needs(feature, "compaction");
}

fn of_compression(options: &Options, needs: &mut Needs) {
    let has = |key| entry(options, "compression", key);
    if has("sstable_compression").is_some() || has("chunk_length_kb").is_some() {
        needs(Feature::OldCompressionNames, "compression");
    }
    let Some(class) = has("class").or(has("sstable_compression")) else {
        return;
    };
    let simple = simple_class(class, COMPRESSION);
    let feature = match simple {
        "" | "LZ4Compressor" | "SnappyCompressor" | "DeflateCompressor" | "NoopCompressor" => {
            return;
        }
        "ZstdCompressor" => Feature::Zstd,
        "Encryptor"
        | "EncryptingLZ4Compressor"
        | "EncryptingSnappyCompressor"
        | "EncryptingDeflateCompressor" => Feature::Encryption(simple.to_owned()),
        _ => Feature::CustomCompressor(class.to_owned()),
    };
    needs(feature, "compression");
}
