//! Everything that is checked of rows while they are decoded once.

use super::cell_order::CellOrder;
use super::filter::FilterCheck;
use super::row_order::RowOrder;
use super::seen::Seen;
use crate::DATA;
use crate::big_check::{BigVisitor, Hex, IndexedPartition};
use crate::data::{Cell, CellPath, CellVisitor, DeletionTime, Event, PrefixOrder};
use crate::error::{Damage, Error, Result};
use crate::filter::Filter;
use crate::statistics::Statistics;

pub(super) struct RowChecks<'a> {
    seen: Seen,
    rows: RowOrder,
    cells: CellOrder,
    filter: Option<FilterCheck<'a>>,
    /// The current partition's key.
    key: Vec<u8>,
    is_within_partition: bool,
}

/// What the checks found.
pub(super) struct Checked {
    pub(super) damage: Vec<Damage>,
    pub(super) not_checked: Vec<String>,
}

impl<'a> RowChecks<'a> {
    pub(super) fn new(
        statistics: &Statistics,
        has_checksums: bool,
        filter: Option<&'a Filter>,
    ) -> Result<Self, Damage> {
        let header = &statistics.header;
        Ok(Self {
            seen: Seen::new(statistics, has_checksums),
            rows: RowOrder::new(PrefixOrder::new(header)?),
            cells: CellOrder::new(header),
            filter: filter.map(FilterCheck::new),
            key: Vec::new(),
            is_within_partition: false,
        })
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        self.seen.event(event);
        match event {
            Event::Partition(partition) => {
                self.key.clear();
                self.key.extend_from_slice(partition.key);
                self.is_within_partition = true;
                self.rows.partition();
                if let Some(filter) = &mut self.filter {
                    filter.partition(partition.key, partition.position);
                }
            }
            Event::Row(row) => self.rows.next(&self.key, row.position, row.clustering),
            Event::Marker(marker) => self.rows.next(&self.key, marker.position, marker.bound),
            Event::StaticRow(_) => {}
            Event::End(_) => self.is_within_partition = false,
        }
    }

    /// Names the partition that an error of the walk is in.
    pub(super) fn within_partition(&self, error: Error) -> Error {
        match error {
            Error::Damaged(mut damage) if damage.component == DATA && self.is_within_partition => {
                damage.what += &format!("; in the partition with the key {}", Hex(&self.key));
                Error::Damaged(damage)
            }
            error => error,
        }
    }

    /// All that was found; `statistics` are compared with the rows if those were walked to the end.
    pub(super) fn finish(self, statistics: Option<&Statistics>) -> Result<Checked> {
        let (mut damage, rows) = self.rows.finish();
        let (of_cells, cells) = self.cells.finish();
        damage.extend(of_cells);
        if let Some(filter) = self.filter {
            damage.extend(filter.finish()?);
        }
        if let Some(statistics) = statistics {
            damage.extend(self.seen.check(statistics).err());
        }
        Ok(Checked {
            damage,
            not_checked: rows.into_iter().chain(cells).collect(),
        })
    }
}

impl CellVisitor for RowChecks<'_> {
    #[inline]
    fn cell(&mut self, cell: &Cell) {
        self.seen.cell(cell);
    }

    fn complex_deletion(&mut self, column: usize, deletion: DeletionTime) {
        self.seen.complex_deletion(column, deletion);
    }

    fn wants_paths(&self) -> bool {
        true
    }

    fn path(&mut self, path: &CellPath<'_>) {
        self.cells.next(&self.key, path);
    }
}

impl BigVisitor for RowChecks<'_> {
    fn event(&mut self, event: &Event<'_>) {
        RowChecks::event(self, event);
    }

    fn partition(&mut self, partition: &IndexedPartition<'_>) -> Result<(), Error> {
        self.seen.partition(partition);
        Ok(())
    }
}
