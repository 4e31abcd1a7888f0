//! Statistics.db of a slice: exact if it was counted while copying, else the source's value if that is a bound for
//! the slice too.

use super::Cut;
use crate::statistics::Statistics;
use crate::statistics::commit_log::CommitLogPosition;
use crate::statistics::histogram::EstimatedHistogram;
use crate::statistics::sketch::Sketch;
use crate::statistics::stats::{KeyRange, StatsMetadata};
use cassandra_tokens::{Token, TokenRange};

/// The facts that were counted while the partitions were copied.
pub(super) struct Counted<'a> {
    /// The fraction of the source's partitions that was copied, 0 to 1.
    pub share: f64,
    pub first_key: &'a [u8],
    pub last_key: &'a [u8],
    pub sketch: Sketch,
    pub sizes: EstimatedHistogram,
    pub compression_ratio: f64,
}

/// Times, TTLs, clusterings and tombstones keep the source's bounds, which are bounds for any part of it. The header
/// is kept, because rows are differences to its minima.
pub(super) fn statistics(cut: &Cut<'_>, counted: Counted<'_>) -> Vec<u8> {
    let Statistics {
        validation, header, ..
    } = cut.statistics.clone();
    let mut stats = cut.statistics.stats.clone();
    let share = counted.share;
    scale(&mut stats.estimated_cell_per_partition_count, share);
    stats.total_columns_set = scaled(stats.total_columns_set, share);
    stats.total_rows = scaled(stats.total_rows, share);
    stats.estimated_partition_size = counted.sizes;
    if cut.compression.is_some() {
        stats.compression_ratio = counted.compression_ratio;
    }
    if stats.key_range.is_some() {
        stats.key_range = Some(KeyRange {
            first_key: counted.first_key.to_vec(),
            last_key: counted.last_key.to_vec(),
        });
    }
    if stats.token_space_coverage.is_some() {
        let first = cut.partitioner.token(counted.first_key);
        let last = cut.partitioner.token(counted.last_key);
        stats.token_space_coverage = Some(coverage(cut, &first, &last));
    }
    forget_origin(&mut stats);
    let statistics = Statistics {
        validation,
        cardinality: counted.sketch.encode(),
        stats,
        header,
    };
    statistics.encode(cut.version)
}

/// A slice is new to its target node: it overlaps other SSTables there, so it begins at level 0; it belongs to no
/// repair session; and it must not make the node skip mutations when it replays its commit log.
fn forget_origin(stats: &mut StatsMetadata) {
    stats.sstable_level = 0;
    stats.pending_repair = None;
    stats.commit_log_upper_bound = CommitLogPosition::NONE;
    if let Some(lower) = &mut stats.commit_log_lower_bound {
        *lower = CommitLogPosition::NONE;
    }
    if let Some(intervals) = &mut stats.commit_log_intervals {
        intervals.clear();
    }
}

fn scale(histogram: &mut EstimatedHistogram, share: f64) {
    for count in &mut histogram.buckets {
        *count = scaled(*count, share);
    }
}

/// Scales a count, but never to 0 if it was above 0.
fn scaled(count: i64, share: f64) -> i64 {
    match count {
        0 => 0,
        count => ((count as f64 * share).round() as i64).clamp(1, count.max(1)),
    }
}

/// The fraction of the ring that the wanted ranges cover between the first and the last token; NaN, which Cassandra
/// takes for unknown, if tokens of the partitioner cannot be measured.
fn coverage(cut: &Cut<'_>, first: &Token, last: &Token) -> f64 {
    let &Token::Murmur3(first) = first else {
        return f64::NAN;
    };
    let &Token::Murmur3(last) = last else {
        return f64::NAN;
    };
    let covered: f64 = cut
        .ranges
        .iter()
        .filter_map(|range| {
            let (left, right) = ends(range)?;
            let (from, to) = (left.max(first.saturating_sub(1)), right.min(last));
            (from < to).then_some(to as f64 - from as f64)
        })
        .sum();
    // Cassandra expects more than 0 even for an SSTable of one partition.
    (covered / 2_f64.powi(64)).max(f64::MIN_POSITIVE)
}

fn ends(range: &TokenRange) -> Option<(i64, i64)> {
    match (&range.left, &range.right) {
        (Token::Murmur3(left), Token::Murmur3(i64::MIN)) => Some((*left, i64::MAX)),
        (Token::Murmur3(left), Token::Murmur3(right)) => Some((*left, *right)),
        _ => None,
    }
}
