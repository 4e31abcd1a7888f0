//! The options of tables and views, as they are written behind `WITH`.

use std::collections::BTreeMap;
use std::fmt::Write;

use cassandra_versions::Release;
use model::cql::literal;
use serde_json::Value;

use crate::cql::{Row, RowError};

enum Shape {
    Text,
    Number,
    Map,
    /// A text, or the map that Converged Cassandra 4.0 has.
    TextOrMap,
    /// Written only where it is false, which is not the default.
    OnlyFalse,
    /// Written only where it is true: some releases refuse it otherwise.
    OnlyTrue,
}

/// The options that CQL can set, by their columns in the schema tables.
const OPTIONS: &[(&str, Shape)] = &[
    ("additional_write_policy", Shape::Text),
    ("allow_auto_snapshot", Shape::OnlyFalse),
    ("bloom_filter_fp_chance", Shape::Number),
    ("caching", Shape::Map),
    ("cdc", Shape::OnlyTrue),
    ("comment", Shape::Text),
    ("compaction", Shape::Map),
    ("compression", Shape::Map),
    ("crc_check_chance", Shape::Number),
    ("dclocal_read_repair_chance", Shape::Number),
    ("default_time_to_live", Shape::Number),
    ("gc_grace_seconds", Shape::Number),
    ("incremental_backups", Shape::OnlyFalse),
    ("max_index_interval", Shape::Number),
    ("memtable", Shape::TextOrMap),
    ("memtable_flush_period_in_ms", Shape::Number),
    ("min_index_interval", Shape::Number),
    ("nodesync", Shape::Map),
    ("read_repair", Shape::Text),
    ("read_repair_chance", Shape::Number),
    ("speculative_retry", Shape::Text),
];

/// The table's options, each behind an `AND` on a line of its own. The schema tables also have columns for options that the
/// release no longer takes.
pub(super) fn options(row: &Row, is_view: bool, release: &Release) -> Result<String, RowError> {
    let mut text = String::new();
    for (name, shape) in OPTIONS {
        let Some(value) = row.value(name) else {
            continue;
        };
        if !release.accepts_table_option(name) {
            continue;
        }
        // A view takes the time to live of what it is made of, and refuses one of its own.
        if is_view && *name == "default_time_to_live" {
            continue;
        }
        let value = match shape {
            Shape::Text => literal(row.text(name)?),
            Shape::Number => value.to_string(),
            // NodeSync that was not chosen for the table is null or empty.
            Shape::Map if *name == "nodesync" && row.map(name)?.is_empty() => continue,
            Shape::Map => map_literal(&row.map(name)?),
            Shape::TextOrMap if value.is_object() => match row.map(name)? {
                map if map.is_empty() => continue,
                map => map_literal(&map),
            },
            Shape::TextOrMap => literal(row.text(name)?),
            Shape::OnlyFalse if *value == Value::Bool(false) => "false".to_owned(),
            Shape::OnlyFalse => continue,
            Shape::OnlyTrue if *value == Value::Bool(true) => "true".to_owned(),
            Shape::OnlyTrue => continue,
        };
        let _ = write!(text, "\n    AND {name} = {value}");
    }
    let extensions = row.map("extensions")?;
    if !extensions.is_empty() {
        // Their values are blobs, which are written as they are.
        let entries: Vec<String> = extensions
            .iter()
            .map(|(key, blob)| format!("{}: {blob}", literal(key)))
            .collect();
        let _ = write!(text, "\n    AND extensions = {{{}}}", entries.join(", "));
    }
    Ok(text)
}

pub(super) fn map_literal(map: &BTreeMap<String, String>) -> String {
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}
