use super::clustering::{ClusteringBound, ClusteringValue, CoveredClustering};
use super::commit_log::{CommitLogInterval, CommitLogPosition};
use super::header::Column;
use super::histogram::{EstimatedHistogram, TombstoneBin, TombstoneHistogram};
use super::stats::{KeyRange, NO_DELETION_TIME};
use super::zero_copy::{ColumnValueLength, DseMetadata, ZeroCopyMetadata};
use super::*;

const VERSIONS: [&str; 17] = [
    "big-ma", "big-mb", "big-mc", "big-md", "big-me", "big-na", "big-nb", "big-oa", "bti-aa",
    "bti-ac", "bti-ad", "bti-ba", "bti-bb", "bti-ca", "bti-cb", "bti-cc", "bti-da",
];

fn versions() -> impl Iterator<Item = Version> {
    VERSIONS
        .iter()
        .map(|name| Version::known(&name.parse().expect("a format version")).expect("known"))
}

fn histogram(buckets: usize) -> EstimatedHistogram {
    let mut histogram = EstimatedHistogram::new(buckets);
    histogram.add(3);
    histogram
}

fn position(segment_id: i64) -> CommitLogPosition {
    let position = 17;
    CommitLogPosition {
        segment_id,
        position,
    }
}

fn covered(version: Version) -> CoveredClustering {
    if version.has_legacy_min_max() {
        let (min, max) = (vec![b"a".to_vec()], vec![b"z".to_vec()]);
        return CoveredClustering::Values { min, max };
    }
    CoveredClustering::Slice {
        types: vec!["org.apache.cassandra.db.marshal.UTF8Type".to_owned()],
        start: ClusteringBound {
            kind: 1,
            values: vec![ClusteringValue::Bytes(b"a".to_vec())],
        },
        end: ClusteringBound {
            kind: 6,
            values: Vec::new(),
        },
    }
}

fn dse() -> DseMetadata {
    DseMetadata {
        zero_copy: Some(ZeroCopyMetadata {
            data_start: 65_536,
            data_end: 100_000,
            chunk_size: 65_536,
            estimated_keys: 5,
            first_key: b"first".to_vec(),
            last_key: b"last".to_vec(),
        }),
        max_nodesync_timestamp: -1,
        max_column_value_lengths: vec![ColumnValueLength {
            column: b"val".to_vec(),
            max_length: 12,
        }],
    }
}

/// A value in every field that the version has.
fn stats(version: Version) -> StatsMetadata {
    StatsMetadata {
        estimated_partition_size: histogram(5),
        estimated_cell_per_partition_count: histogram(4),
        commit_log_upper_bound: position(9),
        min_timestamp: 1_445_008_632_875_000,
        max_timestamp: 1_445_008_633_342_000,
        min_local_deletion_time: 1_445_008_632,
        max_local_deletion_time: NO_DELETION_TIME,
        min_ttl: 0,
        max_ttl: 864_000,
        compression_ratio: 0.25,
        estimated_tombstone_drop_time: TombstoneHistogram {
            max_bin_size: 100,
            bins: vec![TombstoneBin {
                point: 1_445_008_640.0,
                count: 2,
            }],
        },
        sstable_level: 3,
        repaired_at: 1_445_008_633_000,
        covered_clustering: covered(version),
        has_legacy_counter_shards: false,
        total_columns_set: 500,
        total_rows: 250,
        commit_log_lower_bound: version.has_commit_log_lower_bound().then(|| position(8)),
        commit_log_intervals: version.has_commit_log_intervals().then(|| {
            let (start, end) = (position(8), position(9));
            vec![CommitLogInterval { start, end }]
        }),
        pending_repair: version.has_pending_repair().then_some([0xa5; 16]),
        dse: version.has_zero_copy().then(dse),
        is_transient: version.has_is_transient().then_some(false),
        originating_host_id: version.has_originating_host_id().then_some([0x5a; 16]),
        has_partition_level_deletions: version.has_partition_level_deletions().then_some(true),
        key_range: version.has_key_range().then(|| KeyRange {
            first_key: b"30".to_vec(),
            last_key: b"34".to_vec(),
        }),
        token_space_coverage: version.has_token_space_coverage().then_some(0.5),
    }
}

fn sample(version: Version) -> Statistics {
    let column = |name: &[u8]| Column {
        name: name.to_vec(),
        type_class: "UTF8Type".to_owned(),
    };
    let mut sketch = Sketch::new();
    sketch.offer(b"30");
    Statistics {
        validation: ValidationMetadata {
            partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
            bloom_filter_fp_chance: 0.01,
        },
        cardinality: sketch.encode(),
        stats: stats(version),
        header: SerializationHeader {
            min_timestamp: 1_445_008_632_875_000,
            min_local_deletion_time: 1_445_008_632,
            min_ttl: 0,
            key_type: "UTF8Type".to_owned(),
            clustering_types: vec!["UTF8Type".to_owned()],
            static_columns: vec![column(b"s")],
            regular_columns: vec![column(b"val")],
        },
    }
}

#[test]
fn statistics_of_every_version_read_back_as_written() {
    for version in versions() {
        let statistics = sample(version);
        let bytes = statistics.encode(version);
        let parsed = Statistics::parse(&bytes, version).expect("whole");
        assert_eq!(parsed, statistics, "{version}");
        assert_eq!(parsed.encode(version), bytes, "{version}");
    }
}

#[test]
fn truncation_at_every_length_is_damage() {
    for version in versions() {
        let bytes = sample(version).encode(version);
        for len in 0..bytes.len() {
            let found = Statistics::parse(&bytes[..len], version);
            assert!(matches!(found, Err(Error::Damaged(_))), "{version} {len}");
        }
        let longer = [bytes, vec![0]].concat();
        let found = Statistics::parse(&longer, version);
        assert!(matches!(found, Err(Error::Damaged(_))), "{version} longer");
    }
}

#[test]
fn a_flipped_bit_is_damage_or_without_checksums_another_value() {
    for version in versions() {
        let mut bytes = sample(version).encode(version);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            match Statistics::parse(&bytes, version) {
                Err(Error::Damaged(_)) => {}
                Ok(parsed) if !version.has_statistics_checksums() => {
                    assert_ne!(parsed, sample(version), "{version} bit {bit}");
                }
                other => panic!("{version} bit {bit}: {other:?}"),
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// What the checksums cannot see: a writer that went wrong before it computed them.
#[test]
fn a_flipped_bit_behind_a_right_checksum_is_damage_or_another_value() {
    for version in versions() {
        let bytes = sample(version).encode(version);
        let parts = envelope::split(&bytes, version).expect("whole");
        let parts = parts.map(|part| part.rest().to_vec());
        for (index, part) in parts.iter().enumerate() {
            for bit in 0..part.len() * 8 {
                let mut flipped = parts.clone();
                flipped[index][bit / 8] ^= 1 << (bit % 8);
                let bytes = envelope::join(&flipped, version);
                match Statistics::parse(&bytes, version) {
                    Err(Error::Damaged(_)) => {}
                    Ok(parsed) => {
                        assert_ne!(parsed, sample(version), "{version} {index} bit {bit}");
                        let _ = parsed.sketch();
                    }
                    other => panic!("{version} {index} bit {bit}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn damage_is_reported_at_the_checksum() {
    let version = versions().find(|version| version.to_string() == "big-nb");
    let version = version.expect("it is listed");
    let bytes = sample(version).encode(version);
    #[track_caller]
    fn check(bytes: &[u8], version: Version, flipped: usize, expected: &str) {
        let mut bytes = bytes.to_vec();
        bytes[flipped] ^= 1;
        let error = Statistics::parse(&bytes, version).expect_err("damaged");
        let what = error.to_string();
        assert!(what.starts_with(expected), "{what}");
    }
    let place = "Statistics.db at byte";
    check(
        &bytes,
        version,
        3,
        &format!("{place} 4: the checksum of the number of parts is"),
    );
    check(
        &bytes,
        version,
        11,
        &format!("{place} 40: the checksum of the table of contents is"),
    );
    let validation = 44 + 2 + 43 + 8;
    check(
        &bytes,
        version,
        50,
        &format!("{place} {validation}: the checksum of VALIDATION is"),
    );
    let last = bytes.len() - 4;
    check(
        &bytes,
        version,
        last - 1,
        &format!("{place} {last}: the checksum of HEADER is"),
    );
}

#[test]
fn no_deletion_time_is_the_same_in_all_versions() {
    for version in versions() {
        let mut statistics = sample(version);
        statistics.stats.min_local_deletion_time = NO_DELETION_TIME;
        let bytes = statistics.encode(version);
        let parsed = Statistics::parse(&bytes, version).expect("whole");
        assert_eq!(parsed.stats.min_local_deletion_time, NO_DELETION_TIME);
    }
}
