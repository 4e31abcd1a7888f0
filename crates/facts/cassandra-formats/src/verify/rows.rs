//! Decodes every row and cell, and compares the whole index with them.

use std::sync::Arc;

use super::Verification;
use super::index::key_shape;
use super::order::OrderCheck;
use super::seen::Seen;
use crate::big_check::check_big;
use crate::bti::{BlockCheck, IndexCheck, Partitions, RowIndexEntry, Rows};
use crate::data::{self, Depth, Event, Schema, Walker};
use crate::error::{Damage, Error, Result};
use crate::index::IndexReader;
use crate::layout::{DataLayout, open};
use crate::statistics::Statistics;
use crate::uncompressed::Uncompressed;
use crate::{INDEX, PARTITIONS};

impl Verification<'_> {
    /// Decodes all rows, together with the whole index.
    pub(super) fn rows(&mut self) -> Result<()> {
        let Some(statistics) = self.statistics.clone() else {
            return Ok(());
        };
        let schema = Schema::new(&statistics.header, self.version).map_err(Error::from);
        let Some(schema) = self.note(schema)? else {
            return Ok(());
        };
        let ambiguous = schema.user_types_are_ambiguous();
        let mut walked = self.walk(schema, &statistics);
        if ambiguous && matches!(walked, Err(Error::Damaged(_))) {
            // Some 3.x wrote frozen user types like unfrozen ones; the schema that decodes to the end is the right one.
            let frozen = Schema::with_frozen_user_types(&statistics.header, self.version)?;
            let again = self.walk(frozen, &statistics);
            if again.is_ok() {
                walked = again;
            }
        }
        if let Some(seen) = self.note(walked)? {
            let checked = seen.check(&statistics).map_err(Error::from);
            self.note(checked)?;
        }
        Ok(())
    }

    fn walk(&self, schema: Schema, statistics: &Statistics) -> Result<Seen> {
        let (layout, data) = DataLayout::of(self.components, self.version, Some(statistics))?;
        let mut data = Uncompressed::new(data, layout)?;
        let covered = statistics.covered().unwrap_or(data.extent());
        data.seek(covered.clone())?;
        let walker = Walker::new(Arc::new(schema), Depth::Cells, data, covered.start);
        let seen = Seen::new(statistics, self.version.has_statistics_checksums());
        if self.version.is_bti() {
            let is_slice = statistics.covered().is_some();
            self.walk_bti(walker, covered, is_slice, statistics, seen)
        } else {
            self.walk_big(walker, seen)
        }
    }

    fn walk_big(&self, mut walker: Walker<Uncompressed>, mut seen: Seen) -> Result<Seen> {
        let index = open(self.components, INDEX)?
            .ok_or_else(|| Damage::whole(INDEX, "the component is missing"))?;
        check_big(&mut walker, &mut IndexReader::new(index), &mut seen)?;
        Ok(seen)
    }

    fn walk_bti(
        &self,
        mut walker: Walker<Uncompressed>,
        covered: std::ops::Range<u64>,
        is_slice: bool,
        statistics: &Statistics,
        mut seen: Seen,
    ) -> Result<Seen> {
        let partitioner = statistics.partitioner();
        let (partitions, rows) = self.open_bti()?;
        let mut index = IndexCheck::new(&partitions, &rows, covered.end);
        if is_slice {
            index = index.within(covered.clone());
        }
        let mut order = OrderCheck::new(PARTITIONS, partitioner.clone(), None, covered.start);
        loop {
            let deletion;
            let (position, entry) = match walker.next_with(&mut seen)? {
                None => break,
                Some(Event::Partition(partition)) => {
                    order.entry(partition.position, partition.key, partition.position)?;
                    let shape = key_shape(partitioner.as_ref(), partition.key);
                    let entry = index.partition(partition.position, partition.key, &shape)?;
                    deletion = partition.deletion;
                    if let Some(entry) = &entry {
                        check_deletion(entry, partition.deletion)?;
                    }
                    (partition.position, entry)
                }
                // The walker returns a partition before its content.
                Some(_) => continue,
            };
            seen.deletion(deletion);
            walk_partition(&mut walker, position, entry.as_ref(), &rows, &mut seen)?;
        }
        index.finish()?;
        Ok(seen)
    }

    fn open_bti(&self) -> Result<(Partitions, Rows)> {
        let component = |name| {
            open(self.components, name)?
                .ok_or_else(|| Error::from(Damage::whole(name, "the component is missing")))
        };
        let rows = Rows::open(component(crate::ROWS)?, self.version);
        Ok((Partitions::open(component(PARTITIONS)?)?, rows))
    }
}

/// Decodes the rest of a partition, and compares it with its row index if it has one.
fn walk_partition(
    walker: &mut Walker<Uncompressed>,
    start: u64,
    entry: Option<&RowIndexEntry>,
    rows: &Rows,
    seen: &mut Seen,
) -> Result<()> {
    let mut blocks = match entry {
        Some(entry) => Some(BlockCheck::new(rows, entry)?),
        None => None,
    };
    loop {
        let open = walker.open().and_then(bti_deletion);
        let Some(event) = walker.next_with(seen)? else {
            return Ok(());
        };
        seen.event(&event);
        match event {
            Event::Row(data::Row { position, .. })
            | Event::Marker(data::Marker { position, .. }) => {
                if let Some(blocks) = &mut blocks {
                    blocks.unfiltered(position - start, open)?;
                }
            }
            Event::End(end) => {
                if let Some(blocks) = blocks {
                    // The offset of the byte that ends the partition.
                    blocks.finish((end.end - start).saturating_sub(1))?;
                }
                return Ok(());
            }
            Event::Partition(_) | Event::StaticRow(_) => {}
        }
    }
}

fn check_deletion(entry: &RowIndexEntry, expected: data::DeletionTime) -> Result<(), Damage> {
    let expected = bti_deletion(expected);
    if entry.deletion == expected {
        return Ok(());
    }
    Err(Damage::at(
        crate::ROWS,
        entry.position,
        format!(
            "a partition's deletion is {:?} here and {expected:?} in Data",
            entry.deletion
        ),
    ))
}

/// A deletion as the index of a trie format has it.
fn bti_deletion(deletion: data::DeletionTime) -> Option<crate::bti::DeletionTime> {
    (!deletion.is_live()).then_some(crate::bti::DeletionTime {
        marked_for_delete_at: deletion.marked_for_delete_at,
        // The low 32 bits are what is stored, signed or not.
        local_deletion_time: deletion.local_deletion_time as u32,
    })
}
