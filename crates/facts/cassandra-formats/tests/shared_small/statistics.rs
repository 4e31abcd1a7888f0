//! Statistics.db of real SSTables: fields, bytes, checksums, sketches and histograms.

use cassandra_formats::statistics::Statistics;
use cassandra_formats::statistics::histogram::EstimatedHistogram;
use cassandra_formats::statistics::sketch::Sketch;

use crate::fixtures::shared;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A class without its package.
fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

#[test]
fn statistics_agree_with_what_is_known_about_the_sstable() {
    for sstable in shared("statistics_agree_with_what_is_known_about_the_sstable") {
        let Statistics {
            validation,
            stats,
            header,
            ..
        } = sstable.statistics();
        let name = sstable.name();
        let partitioner = short(&validation.partitioner);
        assert_eq!(partitioner, sstable.text("partitioner"), "{name}");
        assert_eq!(stats.min_timestamp, sstable.number("min_ts"), "{name}");
        assert_eq!(stats.max_timestamp, sstable.number("max_ts"), "{name}");
        let level = i64::from(stats.sstable_level);
        assert_eq!(level, sstable.number("level"), "{name}");
        assert_eq!(stats.repaired_at, sstable.number("repaired_at"), "{name}");
        assert_eq!(stats.total_rows, sstable.number("rows"), "{name}");
        let host = stats.originating_host_id.map(|id| hex(&id));
        assert_eq!(host.as_deref(), sstable.facts["host"].as_str(), "{name}");
        let zero_copy = stats
            .dse
            .as_ref()
            .is_some_and(|dse| dse.zero_copy.is_some());
        assert_eq!(
            Some(zero_copy),
            sstable.facts["zero_copy"].as_bool(),
            "{name}"
        );
        if let Some(range) = &stats.key_range {
            assert_eq!(hex(&range.first_key), sstable.text("first_key"), "{name}");
            assert_eq!(hex(&range.last_key), sstable.text("last_key"), "{name}");
        }
        let key_type = header
            .key_type
            .replace("org.apache.cassandra.db.marshal.", "");
        assert_eq!(key_type, sstable.text("key_type"), "{name}");
        let mut columns: Vec<String> = [&header.static_columns, &header.regular_columns]
            .into_iter()
            .flatten()
            .map(|column| String::from_utf8_lossy(&column.name).into_owned())
            .collect();
        columns.sort();
        let mut expected: Vec<String> =
            serde_json::from_value(sstable.facts["columns"].clone()).expect("names");
        expected.sort();
        assert_eq!(columns, expected, "{name}");
        // A histogram counts each partition once, and a slice those of its origin.
        if !zero_copy {
            let partitions = sstable.number("partitions");
            assert_eq!(stats.estimated_partition_size.count(), partitions, "{name}");
        }
    }
}

#[test]
fn statistics_read_back_byte_for_byte() {
    for sstable in shared("statistics_read_back_byte_for_byte") {
        let bytes = sstable.read("Statistics.db").expect("it is always there");
        let statistics = sstable.statistics();
        let encoded = statistics.encode(sstable.version());
        assert!(encoded == bytes, "{}", sstable.name());
        let sketch = statistics.sketch().expect("whole");
        assert!(
            sketch.encode() == statistics.cardinality,
            "{}",
            sstable.name()
        );
    }
}

#[test]
fn flipped_bits_and_cut_ends_of_statistics_are_damage() {
    for sstable in shared("flipped_bits_and_cut_ends_of_statistics_are_damage") {
        let version = sstable.version();
        let mut bytes = sstable.read("Statistics.db").expect("it is always there");
        let whole = bytes.len() < 6_000;
        // The checksums of large ones take their time: there, a sample with an odd step.
        let step = if whole { 1 } else { 97 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = Statistics::parse(&bytes, version);
            let reported = found.is_err() || !version.has_statistics_checksums();
            assert!(reported, "{} bit {bit}", sstable.name());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for len in (0..bytes.len()).step_by(step) {
            let found = Statistics::parse(&bytes[..len], version);
            assert!(found.is_err(), "{} length {len}", sstable.name());
        }
    }
}

#[test]
fn a_sketch_of_an_sstables_keys_is_the_one_it_has() {
    let mut compared = 0;
    for sstable in shared("a_sketch_of_an_sstables_keys_is_the_one_it_has") {
        let Some(index) = sstable.index() else {
            continue;
        };
        let mut sketch = Sketch::new();
        index.iter().for_each(|(key, _)| sketch.offer(key));
        let expected = sstable.statistics().cardinality;
        assert!(sketch.encode() == expected, "{}", sstable.name());
        compared += 1;
        println!("compared: {} keys of {}", index.len(), sstable.name());
    }
    println!("{compared} sketches compared");
}

#[test]
fn histograms_of_partition_sizes_are_those_of_the_index() {
    for sstable in shared("histograms_of_partition_sizes_are_those_of_the_index") {
        let Some(index) = sstable.index() else {
            continue;
        };
        let stats = sstable.statistics().stats;
        let offsets = stats.estimated_partition_size.bucket_offsets.len();
        let mut histogram = EstimatedHistogram::new(offsets);
        assert_eq!(histogram, stats.estimated_partition_size.emptied());
        let end = match sstable.compression_info() {
            Some(info) => info.data_length,
            None => sstable.number("data_bytes") as u64,
        };
        let starts = index.iter().map(|(_, position)| *position);
        let ends = starts.clone().skip(1).chain([end]);
        for (start, end) in starts.zip(ends) {
            histogram.add((end - start) as i64);
        }
        let name = sstable.name();
        assert_eq!(histogram, stats.estimated_partition_size, "{name}");
    }
}
