//! The small components of real SSTables: each is read whole, and agrees with what others found in it.

use std::fs;
use std::path::PathBuf;

use cassandra_formats::Version;
use cassandra_formats::codec::Codec;
use cassandra_formats::compression_info::CompressionInfo;
use cassandra_formats::compression_info::writer::CompressionInfoWriter;
use cassandra_formats::crc::CrcFile;
use cassandra_formats::digest::{encode_digest, parse_digest};
use cassandra_formats::statistics::Statistics;
use cassandra_formats::statistics::histogram::EstimatedHistogram;
use cassandra_formats::statistics::sketch::Sketch;
use cassandra_formats::toc::{encode_toc, parse_toc};
use serde_json::Value;

/// One SSTable, and what an independent reader found in it.
struct Shared {
    folder: PathBuf,
    facts: Value,
}

impl Shared {
    fn name(&self) -> String {
        format!("{}/{}", self.facts["dir"], self.facts["sstable"])
    }

    fn version(&self) -> Version {
        let text = format!("{}-{}", self.text("format"), self.text("version"));
        Version::known(&text.parse().expect("a format version")).expect("known")
    }

    fn text(&self, fact: &str) -> &str {
        self.facts[fact].as_str().unwrap_or_default()
    }

    fn number(&self, fact: &str) -> i64 {
        self.facts[fact]
            .as_i64()
            .unwrap_or_else(|| panic!("{fact}"))
    }

    fn read(&self, component: &str) -> Option<Vec<u8>> {
        let name = format!("{}-{component}", self.text("sstable"));
        fs::read(self.folder.join(name)).ok()
    }

    fn statistics(&self) -> Statistics {
        let bytes = self.read("Statistics.db").expect("it is always there");
        Statistics::parse(&bytes, self.version())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }

    /// The bytes of the whole SSTable's Data.db that a slice of DSE was cut for.
    fn covered(&self) -> Option<std::ops::Range<u64>> {
        let zero_copy = self.statistics().stats.dse?.zero_copy?;
        Some(zero_copy.data_start..zero_copy.data_end)
    }

    fn compression_info(&self) -> Option<CompressionInfo> {
        let source = Box::new(self.read("CompressionInfo.db")?);
        let data_len = self.number("data_bytes") as u64;
        let opened = match self.covered() {
            Some(covered) => CompressionInfo::open_slice(source, self.version(), data_len, covered),
            None => CompressionInfo::open(source, self.version(), data_len),
        };
        Some(opened.unwrap_or_else(|error| panic!("{}: {error}", self.name())))
    }

    /// Keys with their positions in Data.db, from an Index.db.
    fn index(&self) -> Option<Vec<(Vec<u8>, u64)>> {
        let bytes = self.read("Index.db")?;
        let mut rest = bytes.as_slice();
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let len = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            let key = rest[2..2 + len].to_vec();
            rest = &rest[2 + len..];
            let position = take_uvint(&mut rest);
            let promoted = take_uvint(&mut rest) as usize;
            rest = &rest[promoted..];
            entries.push((key, position));
        }
        Some(entries)
    }
}

fn take_uvint(bytes: &mut &[u8]) -> u64 {
    let extra = bytes[0].leading_ones() as usize;
    let head = u64::from(bytes[0]) & (0x7f >> extra.min(7));
    let value = bytes[1..=extra]
        .iter()
        .fold(head, |value, byte| (value << 8) | u64::from(*byte));
    *bytes = &bytes[extra + 1..];
    value
}

/// All shared SSTables; none, told by name, where they are missing.
fn shared(test: &str) -> Vec<Shared> {
    let near = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures");
    let root = std::env::var_os("RINGKEEP_FIXTURES").map_or_else(|| near.into(), PathBuf::from);
    let Ok(facts) = fs::read_to_string(root.join("sstables.jsonl")) else {
        println!("skipped: {test}: no shared fixtures");
        return Vec::new();
    };
    let all: Vec<Shared> = facts
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of facts"))
        .map(|facts: Value| Shared {
            folder: root
                .join("sstables")
                .join(facts["dir"].as_str().expect("dir")),
            facts,
        })
        .collect();
    assert!(!all.is_empty());
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A class without its package.
fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

#[test]
fn statistics_say_what_is_known_of_the_sstable() {
    for sstable in shared("statistics_say_what_is_known_of_the_sstable") {
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
        let columns: Vec<String> = [&header.static_columns, &header.regular_columns]
            .into_iter()
            .flatten()
            .map(|column| String::from_utf8_lossy(&column.name).into_owned())
            .collect();
        let expected: Vec<String> =
            serde_json::from_value(sstable.facts["columns"].clone()).expect("names");
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
            let told = found.is_err() || !version.has_statistics_checksums();
            assert!(told, "{} bit {bit}", sstable.name());
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

#[test]
fn chunks_lie_where_compression_info_says() {
    for sstable in shared("chunks_lie_where_compression_info_says") {
        let name = sstable.name();
        let Some(mut info) = sstable.compression_info() else {
            assert!(sstable.facts["compression"].is_null(), "{name}");
            continue;
        };
        assert_eq!(
            info.compressor.name(),
            sstable.text("compression"),
            "{name}"
        );
        let chunk_length = i64::from(info.chunk_length);
        assert_eq!(chunk_length, sstable.number("chunk_length"), "{name}");
        assert_eq!(info.chunk_count as i64, sstable.number("chunks"), "{name}");
        assert_eq!(
            info.data_length as i64,
            sstable.number("uncompressed"),
            "{name}"
        );
        info.check_all()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let data = sstable.read("Data.db").expect("it is always there");
        let mut codec = Codec::new(&info.compressor, &info.parameters).expect("known");
        let mut again = Codec::new(&info.compressor, &info.parameters).expect("known");
        let (mut out, mut compressed, mut back) = (Vec::new(), Vec::new(), Vec::new());
        for index in info.chunks.clone() {
            let chunk = info.chunk(index).expect("checked");
            let start = chunk.offset as usize;
            let end = start + chunk.stored_len as usize;
            let stored = &data[start..end];
            let checksum = u32::from_be_bytes(data[end..end + 4].try_into().expect("four"));
            assert_eq!(crc32fast::hash(stored), checksum, "{name} chunk {index}");
            info.uncompress(&mut codec, &chunk, stored, &mut out)
                .unwrap_or_else(|what| panic!("{name} chunk {index}: {what}"));
            again.compress(&out, &mut compressed).expect("compresses");
            again
                .decompress(&compressed, &mut back, out.len())
                .unwrap_or_else(|what| panic!("{name} chunk {index}: {what}"));
            assert!(back == out, "{name} chunk {index}");
        }
    }
}

#[test]
fn compression_info_reads_back_byte_for_byte() {
    for sstable in shared("compression_info_reads_back_byte_for_byte") {
        let Some(bytes) = sstable.read("CompressionInfo.db") else {
            continue;
        };
        if sstable.covered().is_some() {
            continue;
        }
        let mut info = sstable.compression_info().expect("it is there");
        let mut writer = CompressionInfoWriter::new(
            std::io::Cursor::new(Vec::new()),
            sstable.version(),
            &info.compressor,
            &info.parameters,
            info.chunk_length,
            info.max_compressed_length,
        )
        .expect("memory");
        for index in info.chunks.clone() {
            let chunk = info.chunk(index).expect("whole");
            writer.add_offset(chunk.offset).expect("memory");
        }
        let written = writer.finish(info.data_length).expect("memory");
        assert!(written.into_inner() == bytes, "{}", sstable.name());
    }
}

#[test]
fn crc_files_hold_the_checksums_of_datas_chunks() {
    for sstable in shared("crc_files_hold_the_checksums_of_datas_chunks") {
        let Some(bytes) = sstable.read("CRC.db") else {
            continue;
        };
        let (name, data) = (sstable.name(), sstable.read("Data.db").expect("there"));
        if sstable.read("CompressionInfo.db").is_some() {
            continue;
        }
        let (source, len) = (Box::new(bytes), data.len() as u64);
        let opened = match sstable.covered() {
            Some(covered) => CrcFile::open_slice(source, len, covered),
            None => CrcFile::open(source, len),
        };
        let mut file = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (index, chunk) in data.chunks(file.chunk_length as usize).enumerate() {
            let checksum = file.checksum(index as u64).expect("checked");
            assert_eq!(checksum, crc32fast::hash(chunk), "{name} chunk {index}");
        }
    }
}

#[test]
fn digests_are_the_checksums_of_data() {
    for sstable in shared("digests_are_the_checksums_of_data") {
        let Some(bytes) = sstable.read("Digest.crc32") else {
            continue;
        };
        let digest = parse_digest(&bytes).expect("whole");
        assert_eq!(i64::from(digest), sstable.number("data_crc32"));
        assert_eq!(encode_digest(digest), bytes);
    }
}

#[test]
fn tables_of_contents_name_the_components() {
    for sstable in shared("tables_of_contents_name_the_components") {
        let bytes = sstable.read("TOC.txt").expect("it is always there");
        let names = parse_toc(&bytes).expect("whole");
        assert_eq!(encode_toc(names.iter().map(String::as_str)), bytes);
        let files = sstable.facts["files"].as_object().expect("files");
        let complete = files.keys().all(|file| names.contains(file))
            && names.iter().all(|name| files.contains_key(name));
        let expected = sstable.facts["checks"]["toc_complete"].as_bool();
        assert_eq!(Some(complete), expected, "{}", sstable.name());
    }
}
