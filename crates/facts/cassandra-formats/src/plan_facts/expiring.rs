//! How many cells an SSTable holds, and how many of them expire when.

use super::types;
use crate::statistics::Statistics;
use crate::statistics::histogram::{EstimatedHistogram, TombstoneBin};
use crate::statistics::stats::StatsMetadata;
use crate::version::Version;

/// The most points that are kept of a histogram.
const POINTS_MAX: usize = 16;
/// Cassandra rounds the times of its histogram up to multiples of this, in seconds, so a deletion of just now seems
/// to be a little later.
const ROUNDING_SECONDS: u64 = 60;
/// The local deletion time for no deletion, in versions before unsigned times.
const NO_DELETION_SECONDS: f64 = i32::MAX as f64;

/// Cells and rows that expire at about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiring {
    /// When they expire, in seconds since 1970.
    pub at_seconds: u64,
    /// How many cells and rows.
    pub cells: u64,
}

/// What expires later than `after_seconds`. All deletions have happened by then, so later times in the histogram are
/// those of cells with a TTL.
pub(super) fn expiring(
    stats: &StatsMetadata,
    version: Version,
    after_seconds: u64,
) -> Vec<Expiring> {
    if stats.max_ttl <= 0 {
        return Vec::new();
    }
    let after = after_seconds.saturating_add(ROUNDING_SECONDS) as f64;
    let is_time = |point: f64| version.has_uint_deletion_time() || point < NO_DELETION_SECONDS;
    let mut bins: Vec<TombstoneBin> = stats
        .estimated_tombstone_drop_time
        .bins
        .iter()
        .filter(|bin| bin.point > after && is_time(bin.point) && bin.count > 0)
        .copied()
        .collect();
    bins.sort_by(|a, b| a.point.total_cmp(&b.point));
    merged(&bins)
}

/// Merges neighbours into points at their mean, one for each of equal parts of the whole time.
fn merged(bins: &[TombstoneBin]) -> Vec<Expiring> {
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return Vec::new();
    };
    if bins.len() <= POINTS_MAX {
        return bins
            .iter()
            .map(|bin| Expiring {
                at_seconds: bin.point as u64,
                cells: bin.count.unsigned_abs(),
            })
            .collect();
    }
    let part_seconds = (last.point - first.point) / POINTS_MAX as f64;
    let part = |bin: &TombstoneBin| {
        let index = ((bin.point - first.point) / part_seconds) as usize;
        index.min(POINTS_MAX - 1)
    };
    bins.chunk_by(|a, b| part(a) == part(b))
        .map(|bins| {
            let cells: f64 = bins.iter().map(|bin| bin.count as f64).sum();
            let sum: f64 = bins.iter().map(|bin| bin.point * bin.count as f64).sum();
            Expiring {
                at_seconds: (sum / cells) as u64,
                cells: cells as u64,
            }
        })
        .collect()
}

/// Cells and rows: a row that was inserted with a TTL expires as its cells do.
pub(super) fn cells(statistics: &Statistics) -> u64 {
    let stats = &statistics.stats;
    let header = &statistics.header;
    let mut columns = header.static_columns.iter().chain(&header.regular_columns);
    // Only the histogram counts the cells inside a column, and it rounds up.
    let cells = if columns.any(|column| types::is_multi_cell(&column.type_class)) {
        sum(&stats.estimated_cell_per_partition_count)
    } else {
        u64::try_from(stats.total_columns_set).unwrap_or(0)
    };
    cells.saturating_add(u64::try_from(stats.total_rows).unwrap_or(0))
}

fn sum(histogram: &EstimatedHistogram) -> u64 {
    let offsets = histogram.bucket_offsets.iter();
    // Values above all offsets count as the last offset.
    let offsets = offsets.chain(histogram.bucket_offsets.last());
    offsets
        .zip(&histogram.buckets)
        .fold(0, |sum: u64, (offset, count)| {
            let offset = u64::try_from(*offset).unwrap_or(0);
            let count = u64::try_from(*count).unwrap_or(0);
            sum.saturating_add(offset.saturating_mul(count))
        })
}
