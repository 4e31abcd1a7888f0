//! Each line of `sstables.jsonl`, which an independent reader wrote, against what is found here.

use std::collections::BTreeMap;

use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::verify::{Depth, verify};
use cassandra_formats::{Version, inspect};
use serde_json::{Value, json};

use crate::folders::{self, Memory};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The chunks of the whole SSTable: a slice of DSE has the CompressionInfo.db of its original.
fn compression(components: &Memory, version: Version, of: &mut BTreeMap<&str, Value>) {
    let Some(bytes) = components.get("CompressionInfo.db") else {
        of.insert("compression", Value::Null);
        return;
    };
    let data_len = components["Data.db"].len() as u64;
    let statistics = Statistics::parse(&components["Statistics.db"], version).expect("parses");
    let slice = statistics.stats.dse.and_then(|dse| dse.zero_copy);
    let source = Box::new(bytes.clone());
    let info = match slice {
        None => CompressionInfo::open(source, version, data_len),
        Some(slice) => {
            let covered = slice.data_start..slice.data_end;
            CompressionInfo::open_slice(source, version, data_len, covered)
        }
    };
    let info = info.expect("opens");
    of.insert("compression", json!(info.compressor.name()));
    of.insert("chunk_length", json!(info.chunk_length));
    of.insert("chunks", json!(info.chunk_count));
    of.insert("uncompressed", json!(info.data_length));
}

/// All facts of this crate, by the names of the golden facts.
fn found(sstable: &sstable_files::SstableFiles) -> BTreeMap<&'static str, Value> {
    let components = folders::load(sstable);
    let descriptor = sstable.descriptor();
    let version = Version::known(&descriptor.format).expect("a known version");
    let facts = inspect(&components, descriptor).expect("inspects");
    let statistics = Statistics::parse(&components["Statistics.db"], version).expect("parses");
    let data = &components["Data.db"];
    let columns = statistics.header.static_columns.iter();
    let columns = columns.chain(&statistics.header.regular_columns);
    let columns: Vec<_> = columns
        .map(|column| String::from_utf8_lossy(&column.name).into_owned())
        .collect();
    let partitions = statistics.partitions();
    let slice = statistics.stats.dse.and_then(|dse| dse.zero_copy);
    let host = facts.originating_host_id.map(|id| id.replace('-', ""));
    let mut of = BTreeMap::from([
        ("sstable", json!(descriptor.to_string())),
        ("format", json!(descriptor.format.format)),
        ("version", json!(descriptor.format.version)),
        ("data_bytes", json!(data.len())),
        ("data_crc32", json!(crc32fast::hash(data))),
        ("first_key", json!(facts.first_key.map(|key| hex(&key)))),
        ("last_key", json!(facts.last_key.map(|key| hex(&key)))),
        ("first_token", json!(facts.first_token)),
        ("last_token", json!(facts.last_token)),
        ("host", json!(host)),
        (
            "key_type",
            json!(statistics.header.key_type.rsplit('.').next()),
        ),
        ("level", json!(facts.level)),
        ("min_ts", json!(facts.min_timestamp)),
        ("max_ts", json!(facts.max_timestamp)),
        ("partitioner", json!(facts.partitioner)),
        ("repaired_at", json!(facts.repaired_at)),
        ("rows", json!(facts.rows)),
        ("columns", json!(columns)),
        ("zero_copy", json!(slice.is_some())),
    ]);
    if slice.is_none() {
        // A slice's index is that of its original.
        of.insert("index_first_token", of["first_token"].clone());
        of.insert("partitions", json!(partitions));
    }
    if let Some(crc) = components.get("CRC.db") {
        let length = crc
            .first_chunk::<4>()
            .map(|bytes| u32::from_be_bytes(*bytes));
        of.insert("crc_chunk", json!(length));
    }
    compression(&components, version, &mut of);
    let report = verify(&components, descriptor, Depth::Extended, &mut |_| ()).expect("verifies");
    of.insert("damage", json!(report.damage.len()));
    let files: BTreeMap<_, _> = components.iter().map(|(name, b)| (name, b.len())).collect();
    of.insert("files", json!(files));
    of
}

/// Tokens are numbers there and text here.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(as_text).collect();
            items.sort();
            items.join(",")
        }
        other => other.to_string(),
    }
}

#[test]
fn every_golden_fact_is_found() {
    let test = "every_golden_fact_is_found";
    let Some(lines) = shared_fixtures::text(test, "sstables.jsonl") else {
        return;
    };
    let shared = folders::shared(test);
    let (mut compared, mut skipped, mut wrong) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in lines.lines() {
        let golden: Value = serde_json::from_str(line).expect("a line of JSON");
        let name = format!(
            "{}/{}",
            as_text(&golden["dir"]),
            as_text(&golden["sstable"])
        );
        let sstable = shared.iter().find(|sstable| {
            sstable.descriptor().to_string() == golden["sstable"]
                && sstable.folder().ends_with(as_text(&golden["dir"]))
        });
        let Some(sstable) = sstable.filter(|_| golden["prerelease"] != json!(true)) else {
            println!("skipped: {name}: not there, or of a version that was not released");
            continue;
        };
        let found = found(sstable);
        for (fact, expected) in golden.as_object().expect("an object") {
            match found.get(fact.as_str()) {
                None => *skipped.entry(fact.clone()).or_insert(0) += 1,
                Some(found) => {
                    *compared.entry(fact.clone()).or_insert(0) += 1;
                    if as_text(found) != as_text(expected) {
                        wrong.push(format!("{name} {fact}: {found}, golden {expected}"));
                    }
                }
            }
        }
        // Indexes that TOC.txt names and that are not there are a warning here.
        let is_sound = golden["checks"].as_object().is_some_and(|checks| {
            let mut checks = checks.iter();
            checks.all(|(name, check)| name == "toc_complete" || *check != json!(false))
        });
        if is_sound != (found["damage"] == json!(0)) {
            wrong.push(format!(
                "{name}: damage {}, golden {}",
                found["damage"], golden["checks"]
            ));
        }
    }
    println!("compared {compared:?}\nnot known to this crate {skipped:?}");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
