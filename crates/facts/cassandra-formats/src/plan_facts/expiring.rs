//! How many cells an SSTable holds, and when how many of them expire.

use super::types;
use crate::statistics::Statistics;
use crate::statistics::histogram::{EstimatedHistogram, TombstoneBin};
use crate::statistics::stats::StatsMetadata;
use crate::version::Version;

/// Points that are kept of a histogram.
const POINTS_MAX: usize = 16;
/// Cassandra rounds the times of its histogram up to this: what was deleted just now seems to come a little later.
const ROUNDING_SECONDS: u64 = 60;
/// What versions before the unsigned times have for no deletion at all.
const NO_DELETION_SECONDS: f64 = i32::MAX as f64;

/// Cells and rows that expire at about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiring {
    /// Since 1970.
    pub at_seconds: u64,
    pub cells: u64,
}

/// What expires later than `after_seconds`. Deletions have happened by then, so what the histogram has of later times
/// is cells that have a TTL.
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

/// Neighbours become one at their common mean, in parts of the time that are of one length.
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
    // Only the histogram counts the cells inside of a column, and it rounds up.
    let cells = match columns.any(|column| types::is_multi_cell(&column.type_class)) {
        true => sum(&stats.estimated_cell_per_partition_count),
        false => u64::try_from(stats.total_columns_set).unwrap_or(0),
    };
    cells.saturating_add(u64::try_from(stats.total_rows).unwrap_or(0))
}

fn sum(histogram: &EstimatedHistogram) -> u64 {
    let offsets = histogram.bucket_offsets.iter();
    // What is beyond all offsets counts as the last of them.
    let offsets = offsets.chain(histogram.bucket_offsets.last());
    offsets
        .zip(&histogram.buckets)
        .fold(0, |sum: u64, (offset, count)| {
            let offset = u64::try_from(*offset).unwrap_or(0);
            let count = u64::try_from(*count).unwrap_or(0);
            sum.saturating_add(offset.saturating_mul(count))
        })
}
