//! What the rows have, compared with what Statistics.db says about all of them.

use crate::STATISTICS;
use crate::big_check::IndexedPartition;
use crate::data::{Cell, CellVisitor, DeletionTime, Event};
use crate::error::Damage;
use crate::statistics::Statistics;
use crate::statistics::histogram::EstimatedHistogram;
use crate::statistics::sketch::Sketch;

/// The smallest and the greatest of some values.
#[derive(Debug)]
struct Range {
    min: i64,
    max: i64,
}

impl Range {
    const EMPTY: Self = Self {
        min: i64::MAX,
        max: i64::MIN,
    };

    #[inline]
    fn note(&mut self, value: i64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Bounds that are too wide only make readers search in vain, bounds that are too narrow make them miss rows.
    fn check(&self, of: &str, min: i64, max: i64) -> Result<(), Damage> {
        if self.min > self.max || (min <= self.min && self.max <= max) {
            return Ok(());
        }
        Err(Damage::whole(
            STATISTICS,
            format!(
                "{of} are from {min} to {max} here, rows have {} to {}",
                self.min, self.max
            ),
        ))
    }
}

/// Keys and sizes, compared only for versions whose Statistics.db has no checksums.
struct Partitions {
    sketch: Sketch,
    sizes: EstimatedHistogram,
}

pub(super) struct Seen {
    timestamps: Range,
    local_deletion_times: Range,
    times_to_live: Range,
    partitions: Option<Box<Partitions>>,
}

impl Seen {
    pub(super) fn new(statistics: &Statistics, has_checksums: bool) -> Self {
        let sizes = &statistics.stats.estimated_partition_size;
        let partitions = Partitions {
            sketch: Sketch::new(),
            sizes: sizes.emptied(),
        };
        Self {
            timestamps: Range::EMPTY,
            local_deletion_times: Range::EMPTY,
            times_to_live: Range::EMPTY,
            partitions: (!has_checksums).then(|| Box::new(partitions)),
        }
    }

    pub(super) fn deletion(&mut self, deletion: DeletionTime) {
        if !deletion.is_live() {
            self.timestamps.note(deletion.marked_for_delete_at);
            self.local_deletion_times.note(deletion.local_deletion_time);
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Partition(partition) => self.deletion(partition.deletion),
            Event::Row(row) | Event::StaticRow(row) => {
                let Some(body) = &row.body else {
                    return;
                };
                if let Some(liveness) = body.liveness {
                    self.timestamps.note(liveness.timestamp);
                    self.local_deletion_times
                        .note(liveness.local_expiration_time);
                    self.times_to_live.note(liveness.ttl.into());
                }
                if let Some(deletion) = body.deletion {
                    self.deletion(deletion);
                }
            }
            Event::Marker(marker) => {
                for deletion in [marker.ends, marker.starts].into_iter().flatten() {
                    self.deletion(deletion);
                }
            }
            Event::End(_) => {}
        }
    }

    pub(super) fn check(self, statistics: &Statistics) -> Result<(), Damage> {
        let stats = &statistics.stats;
        let (min, max) = (stats.min_timestamp, stats.max_timestamp);
        self.timestamps.check("timestamps", min, max)?;
        let Some(partitions) = self.partitions else {
            return Ok(());
        };
        let (min, max) = (stats.min_local_deletion_time, stats.max_local_deletion_time);
        self.local_deletion_times
            .check("local deletion times", min, max)?;
        let (min, max) = (stats.min_ttl.into(), stats.max_ttl.into());
        self.times_to_live.check("times to live", min, max)?;
        if partitions.sizes != stats.estimated_partition_size {
            let what = "the histogram of partition sizes is not that of the partitions";
            return Err(Damage::whole(STATISTICS, what));
        }
        if partitions.sketch.encode() != statistics.cardinality {
            let what = "the sketch of the keys is not that of the partitions' keys";
            return Err(Damage::whole(STATISTICS, what));
        }
        Ok(())
    }
}

impl Seen {
    /// A partition whose index entry and data agree.
    pub(super) fn partition(&mut self, partition: &IndexedPartition<'_>) {
        if let Some(partitions) = &mut self.partitions {
            partitions.sketch.offer(partition.key);
            let size = partition.end.saturating_sub(partition.data_position);
            partitions
                .sizes
                .add(i64::try_from(size).unwrap_or(i64::MAX));
        }
    }
}

impl CellVisitor for Seen {
    #[inline]
    fn cell(&mut self, cell: &Cell) {
        self.timestamps.note(cell.timestamp);
        self.local_deletion_times.note(cell.local_deletion_time);
        self.times_to_live.note(cell.ttl.into());
    }

    fn complex_deletion(&mut self, _column: usize, deletion: DeletionTime) {
        self.deletion(deletion);
    }
}
