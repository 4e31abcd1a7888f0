//! Statistics.db of versions without checksums: finds values that no writer can have written.

use super::names_of_classes::{damaged_partitioner, damaged_type};
use crate::STATISTICS;
use crate::error::Damage;
use crate::statistics::Statistics;
use crate::statistics::commit_log::CommitLogPosition;
use crate::statistics::header::{Column, DELETION_TIME_EPOCH, TIMESTAMP_EPOCH};
use crate::statistics::histogram::{EstimatedHistogram, TombstoneHistogram};
use crate::statistics::stats::StatsMetadata;
use crate::types::TypeClass;

/// Levelled compaction has levels 0 to 8.
const LEVEL_MAX: i32 = 8;
/// 20 years.
const TTL_MAX: i32 = 20 * 365 * 24 * 60 * 60;
/// Repairs have been recorded since 2013, in milliseconds since 1970.
const FIRST_REPAIR: i64 = 1_356_998_400_000;

/// Reports the first implausible value; `is_compressed` says whether there is a CompressionInfo.db.
pub(super) fn check(statistics: &Statistics, is_compressed: bool) -> Result<(), Damage> {
    let stats = &statistics.stats;
    let wrong = damaged_partitioner(&statistics.validation.partitioner)
        .or_else(|| filter(statistics.validation.bloom_filter_fp_chance))
        .or_else(|| histogram("partition sizes", &stats.estimated_partition_size))
        .or_else(|| histogram("cells", &stats.estimated_cell_per_partition_count))
        .or_else(|| commit_log(stats))
        .or_else(|| bounds(stats))
        .or_else(|| tombstones(&stats.estimated_tombstone_drop_time))
        .or_else(|| states(stats, is_compressed))
        .or_else(|| counts(stats))
        .or_else(|| header(statistics));
    match wrong {
        Some(what) => Err(Damage::whole(STATISTICS, what)),
        None => Ok(()),
    }
}

fn filter(chance: f64) -> Option<String> {
    let is_chance = chance > 0.0 && chance <= 1.0;
    (!is_chance).then(|| format!("the bloom filter's false positive chance is {chance}"))
}

fn histogram(of: &str, histogram: &EstimatedHistogram) -> Option<String> {
    let expected = EstimatedHistogram::new(histogram.bucket_offsets.len());
    let found = histogram.bucket_offsets.iter();
    let (found, expected) = found
        .zip(&expected.bucket_offsets)
        .find(|(found, expected)| found != expected)?;
    Some(format!(
        "a bucket of {of} reaches to {found}, expected {expected}"
    ))
}

fn commit_log(stats: &StatsMetadata) -> Option<String> {
    let upper = stats.commit_log_upper_bound;
    let lower = stats
        .commit_log_lower_bound
        .unwrap_or(CommitLogPosition::NONE);
    if let Some(intervals) = &stats.commit_log_intervals {
        let first = intervals.iter().map(|interval| interval.start).min();
        let last = intervals.iter().map(|interval| interval.end).max();
        let none = CommitLogPosition::NONE;
        let expected = (first.unwrap_or(none), last.unwrap_or(none));
        return ((lower, upper) != expected).then(|| {
            format!("commit log bounds {lower:?} to {upper:?}, their intervals give {expected:?}")
        });
    }
    let is_position = |p: CommitLogPosition| p.segment_id >= -1 && p.position >= 0;
    let sound = is_position(lower) && is_position(upper) && lower <= upper;
    (!sound).then(|| format!("commit log bounds {lower:?} to {upper:?}"))
}

fn bounds(stats: &StatsMetadata) -> Option<String> {
    let (min, max) = (stats.min_ttl, stats.max_ttl);
    // Views mark deleted rows with the greatest TTL.
    let can_be = |ttl| (0..=TTL_MAX).contains(&ttl) || ttl == i32::MAX;
    if min > max || !can_be(min) || !can_be(max) {
        return Some(format!("times to live from {min} to {max}"));
    }
    let (min, max) = (stats.min_timestamp, stats.max_timestamp);
    if min > max {
        return Some(format!("timestamps from {min} to {max}"));
    }
    let (min, max) = (stats.min_local_deletion_time, stats.max_local_deletion_time);
    (min > max).then(|| format!("local deletion times from {min} to {max}"))
}

fn tombstones(histogram: &TombstoneHistogram) -> Option<String> {
    let bins = &histogram.bins;
    if usize::try_from(histogram.max_bin_size).unwrap_or(0) < bins.len() {
        return Some(format!(
            "{} tombstone bins, at most {} are possible",
            bins.len(),
            histogram.max_bin_size
        ));
    }
    let ascend = bins.is_sorted_by(|a, b| a.point < b.point);
    let filled = bins
        .iter()
        .all(|bin| bin.count > 0 && bin.point.is_finite());
    (!ascend || !filled).then(|| "tombstone bins are not in order or empty".to_owned())
}

fn states(stats: &StatsMetadata, is_compressed: bool) -> Option<String> {
    if !(0..=LEVEL_MAX).contains(&stats.sstable_level) {
        return Some(format!("level {}", stats.sstable_level));
    }
    let repaired = stats.repaired_at;
    // A power of two is one bit away from "not repaired", and practically no clock shows exactly that.
    if repaired != 0 && (repaired < FIRST_REPAIR || repaired.count_ones() == 1) {
        return Some(format!("repaired {repaired} ms after 1970"));
    }
    let ratio = stats.compression_ratio;
    // 3.0 wrote -1 for what it compressed, too.
    let sound = ratio == -1.0 || (is_compressed && ratio.is_finite() && ratio > 0.0);
    (!sound).then(|| format!("the compression ratio is {ratio}"))
}

/// Counts, which are estimates in slices, but still limited by each other.
fn counts(stats: &StatsMetadata) -> Option<String> {
    let (rows, columns) = (stats.total_rows, stats.total_columns_set);
    if rows < 0 || columns < 0 {
        return Some(format!("{rows} rows with {columns} columns set"));
    }
    // Some 3.x counted partitions more than once, and slices scale the buckets without emptying any.
    let partitions = stats.estimated_partition_size.count();
    let counted = stats.estimated_cell_per_partition_count.count();
    let most = partitions
        .saturating_add(1)
        .saturating_mul(16)
        .saturating_add(rows);
    (counted > most).then(|| format!("cells of {counted} partitions, sizes of {partitions}"))
}

fn header(statistics: &Statistics) -> Option<String> {
    let (header, stats) = (&statistics.header, &statistics.stats);
    // Rows are differences to the header's minima, which are at most those of the rows, or the epoch if the writer
    // did not know them.
    let minima = [
        (header.min_timestamp, stats.min_timestamp, TIMESTAMP_EPOCH),
        (
            header.min_local_deletion_time,
            stats.min_local_deletion_time,
            DELETION_TIME_EPOCH,
        ),
        // Live cells have the TTL 0, which the header leaves out.
        (header.min_ttl, stats.max_ttl.into(), 0),
    ];
    for (base, min, epoch) in minima {
        if base > min && base != epoch {
            return Some(format!(
                "the header's minimum is {base}, rows begin at {min}"
            ));
        }
    }
    let columns = header.static_columns.iter().chain(&header.regular_columns);
    let types = columns.clone().map(|column| &column.type_class);
    let all = std::iter::once(&header.key_type)
        .chain(&header.clustering_types)
        .chain(types);
    for text in all {
        if let Err(error) = TypeClass::parse(text) {
            return Some(error.to_string());
        }
        if let Some(wrong) = damaged_type(text) {
            return Some(wrong);
        }
    }
    let has_counters = columns
        .clone()
        .any(|column| column.type_class.contains("CounterColumnType"));
    if stats.has_legacy_counter_shards && !has_counters {
        return Some("counter shards in a table without counters".to_owned());
    }
    disorder(&header.static_columns).or_else(|| disorder(&header.regular_columns))
}

/// Names ascend among columns of one cell, and again among those of many.
fn disorder(columns: &[Column]) -> Option<String> {
    let falls = columns
        .windows(2)
        .filter(|pair| pair[0].name >= pair[1].name);
    let empty = columns.iter().any(|column| column.name.is_empty());
    (falls.count() > 1 || empty).then(|| "the header's columns are not in order".to_owned())
}
