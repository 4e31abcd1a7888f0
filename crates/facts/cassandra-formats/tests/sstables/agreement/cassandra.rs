//! `sstablemetadata` and `sstabledump`, whose words lie beside each of the project's own SSTables.

use std::collections::BTreeMap;
use std::sync::Arc;

use cassandra_formats::data::{CellVisitor, DeletionTime, Depth, Event, Schema, Walker};
use cassandra_formats::statistics::Statistics;
use cassandra_formats::statistics::header::Column;
use cassandra_formats::{DataLayout, Uncompressed, Version, inspect};
use serde_json::Value;
use sstable_files::SstableFiles;

use crate::folders::{self, Memory};

fn beside(sstable: &SstableFiles, ending: &str) -> Option<String> {
    let name = format!("{}.{ending}", sstable.descriptor());
    std::fs::read_to_string(sstable.folder().join(name)).ok()
}

fn columns(columns: &[Column]) -> String {
    let named = columns.iter().map(|column| {
        format!(
            "{}:{}",
            String::from_utf8_lossy(&column.name),
            column.type_class
        )
    });
    let named: Vec<String> = named.collect();
    sorted_columns(&named.join(", "))
}

/// In `sstablemetadata`'s words.
fn metadata(components: &Memory, sstable: &SstableFiles) -> BTreeMap<&'static str, String> {
    let version = Version::known(&sstable.descriptor().format).expect("a known version");
    let facts = inspect(components, sstable.descriptor()).expect("inspects");
    let statistics = Statistics::parse(&components["Statistics.db"], version).expect("parses");
    let (stats, header) = (&statistics.stats, &statistics.header);
    let token = |token: Option<String>| token.unwrap_or_default();
    BTreeMap::from([
        ("Partitioner", statistics.validation.partitioner.clone()),
        (
            "Bloom Filter FP chance",
            format!("{:?}", statistics.validation.bloom_filter_fp_chance),
        ),
        ("Minimum timestamp", stats.min_timestamp.to_string()),
        ("Maximum timestamp", stats.max_timestamp.to_string()),
        (
            "SSTable min local deletion time",
            stats.min_local_deletion_time.to_string(),
        ),
        (
            "SSTable max local deletion time",
            stats.max_local_deletion_time.to_string(),
        ),
        (
            "Compressor",
            facts.compressor.map_or("-".to_owned(), |name| {
                format!("org.apache.cassandra.io.compress.{name}")
            }),
        ),
        (
            "Compression ratio",
            format!("{:?}", stats.compression_ratio),
        ),
        ("TTL min", stats.min_ttl.to_string()),
        ("TTL max", stats.max_ttl.to_string()),
        ("First token", token(facts.first_token)),
        ("Last token", token(facts.last_token)),
        ("SSTable Level", stats.sstable_level.to_string()),
        ("Repaired at", stats.repaired_at.to_string()),
        (
            "Originating host id",
            facts.originating_host_id.unwrap_or("--".to_owned()),
        ),
        ("totalColumnsSet", stats.total_columns_set.to_string()),
        ("totalRows", stats.total_rows.to_string()),
        ("EncodingStats minTTL", header.min_ttl.to_string()),
        (
            "EncodingStats minLocalDeletionTime",
            header.min_local_deletion_time.to_string(),
        ),
        (
            "EncodingStats minTimestamp",
            header.min_timestamp.to_string(),
        ),
        ("KeyType", header.key_type.clone()),
        (
            "ClusteringTypes",
            format!("[{}]", header.clustering_types.join(", ")),
        ),
        ("StaticColumns", columns(&header.static_columns)),
        ("RegularColumns", columns(&header.regular_columns)),
        (
            "IsTransient",
            stats.is_transient.unwrap_or(false).to_string(),
        ),
    ])
}

/// The value without what only explains it: a date before its number in brackets, a duration or key behind it.
fn expected_value(field: &str, text: &str) -> String {
    let text = text.trim();
    let is_time = field.contains("time") || field.contains("Time");
    if let Some((_, number)) = text.rsplit_once(" (").filter(|_| is_time) {
        return number.trim_end_matches(')').to_owned();
    }
    if field.starts_with("TTL") || field.ends_with("TTL") || field.ends_with("token") {
        return text.split(' ').next().unwrap_or_default().to_owned();
    }
    if field.ends_with("Columns") {
        return sorted_columns(text);
    }
    text.to_owned()
}

/// `sstablemetadata` lists columns in the order of a hash map; vectors have a comma and a blank in their types.
fn sorted_columns(text: &str) -> String {
    let mut columns: Vec<&str> = text.split(", ").collect();
    columns.sort_unstable();
    columns.join(", ")
}

#[test]
fn sstablemetadata_says_the_same() {
    let (mut compared, mut wrong) = (BTreeMap::new(), Vec::new());
    for sstable in folders::own() {
        let name = sstable.path("").display().to_string();
        let Some(text) = beside(&sstable, "sstablemetadata.txt") else {
            println!("skipped: {name}: no sstablemetadata.txt");
            continue;
        };
        let found = metadata(&folders::load(&sstable), &sstable);
        let found_partitioner = found["Partitioner"].clone();
        for line in text.lines() {
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let Some(found) = found.get(field) else {
                continue;
            };
            // The tokens of an index's own table are values of its type, which the tool prints as such.
            if field.ends_with("token") && found_partitioner.ends_with("LocalPartitioner") {
                continue;
            }
            *compared.entry(field.to_owned()).or_insert(0) += 1;
            let expected = expected_value(field, value);
            if *found != expected {
                wrong.push(format!(
                    "{name} {field}: {found}, sstablemetadata {expected}"
                ));
            }
        }
    }
    println!("compared {compared:?}");
    assert_eq!(compared.len(), 25, "each field somewhere");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// One partition, counted.
#[derive(Debug, Default, PartialEq, Clone)]
struct Counted {
    deleted_at: Option<i64>,
    static_rows: usize,
    rows: usize,
    bounds: usize,
    boundaries: usize,
    deleted_rows: usize,
    cells: usize,
    complex_deletions: usize,
}

#[derive(Default)]
struct Complex(usize);

impl CellVisitor for Complex {
    fn complex_deletion(&mut self, _column: usize, deletion: DeletionTime) {
        self.0 += usize::from(!deletion.is_live());
    }
}

fn walked(components: &Memory, version: Version) -> Vec<Counted> {
    let statistics = Statistics::parse(&components["Statistics.db"], version).expect("parses");
    let (layout, data) = DataLayout::of(components, version, Some(&statistics)).expect("a layout");
    let data = Uncompressed::new(data, layout).expect("opens");
    let schema = Arc::new(Schema::new(&statistics.header, version).expect("a schema"));
    let mut walker = Walker::new(schema, Depth::Cells, data, 0);
    let (mut partitions, mut complex) = (Vec::new(), Complex::default());
    let mut now = Counted::default();
    while let Some(event) = walker.next_with(&mut complex).expect("walks") {
        match event {
            Event::Partition(partition) => {
                let deletion = partition.deletion;
                now = Counted {
                    deleted_at: (!deletion.is_live()).then_some(deletion.marked_for_delete_at),
                    ..Counted::default()
                };
            }
            Event::StaticRow(row) => {
                let body = row.body.expect("cells are decoded");
                now.static_rows += usize::from(body.columns > 0);
                now.cells += body.cells as usize;
            }
            Event::Row(row) => {
                let body = row.body.expect("cells are decoded");
                now.rows += 1;
                now.deleted_rows += usize::from(body.deletion.is_some());
                now.cells += body.cells as usize;
            }
            Event::Marker(marker) if marker.kind.is_boundary() => now.boundaries += 1,
            Event::Marker(_) => now.bounds += 1,
            Event::End(_) => {
                now.complex_deletions = std::mem::take(&mut complex.0);
                partitions.push(now.clone());
            }
        }
    }
    partitions
}

fn dumped(partition: &Value) -> Counted {
    let marked = &partition["partition"]["deletion_info"]["marked_deleted"];
    let mut counted = Counted {
        deleted_at: marked
            .as_str()
            .map(|text| text.parse().expect("microseconds")),
        ..Counted::default()
    };
    for row in partition["rows"].as_array().expect("rows") {
        match row["type"].as_str() {
            Some("static_block") => counted.static_rows += 1,
            Some("row") => counted.rows += 1,
            Some("range_tombstone_bound") => counted.bounds += 1,
            Some("range_tombstone_boundary") => counted.boundaries += 1,
            other => panic!("{other:?}"),
        }
        counted.deleted_rows += usize::from(row["deletion_info"].is_object());
        for cell in row["cells"].as_array().into_iter().flatten() {
            if cell["deletion_info"]["marked_deleted"].is_string() {
                counted.complex_deletions += 1
            } else {
                counted.cells += 1
            }
        }
    }
    counted
}

#[test]
fn sstabledump_says_the_same() {
    let (mut partitions, mut keys_only, mut wrong) = (0, 0, Vec::new());
    for sstable in folders::own() {
        let name = sstable.path("").display().to_string();
        let version = Version::known(&sstable.descriptor().format).expect("a known version");
        let components = folders::load(&sstable);
        if let Some(text) = beside(&sstable, "dump.json") {
            let dump: Vec<Value> = serde_json::from_str(&text).expect("a dump");
            let expected: Vec<Counted> = dump.iter().map(dumped).collect();
            let found = walked(&components, version);
            partitions += found.len();
            if found != expected {
                wrong.push(format!("{name}: {found:?}, sstabledump {expected:?}"));
            }
        } else if let Some(text) = beside(&sstable, "keys.json") {
            let keys: Vec<Value> = serde_json::from_str(&text).expect("keys");
            let statistics =
                Statistics::parse(&components["Statistics.db"], version).expect("parses");
            keys_only += keys.len();
            if statistics.partitions() != keys.len() as u64 {
                let found = statistics.partitions();
                wrong.push(format!(
                    "{name}: {found} partitions, sstabledump {}",
                    keys.len()
                ));
            }
        } else {
            println!("skipped: {name}: Cassandra could not dump it");
        }
    }
    println!("{partitions} partitions dumped, {keys_only} by their keys");
    assert!(partitions > 0 && keys_only > 0);
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
