//! Decodes every row and cell, and compares the whole index and the filter with them.

use std::sync::Arc;

use super::Verification;
use super::index::key_shape;
use super::order::OrderCheck;
use super::row_checks::{Checked, RowChecks};
use crate::big_check::check_big;
use crate::bti::{BlockCheck, IndexCheck, Partitions, RowIndexEntry, Rows};
use crate::data::{self, Depth, Event, Schema, Walker};
use crate::error::{Damage, Error, Result};
use crate::filter::{Filter, MAX_FILTER_LEN};
use crate::index::IndexReader;
use crate::layout::{DataLayout, open};
use crate::statistics::Statistics;
use crate::uncompressed::Uncompressed;
use crate::{FILTER, INDEX, PARTITIONS};

/// What came of decoding all rows.
struct Walked {
    /// Why the rows were not decoded to their end.
    end: Result<()>,
    checked: Checked,
}

impl Walked {
    fn is_sound(&self) -> bool {
        self.end.is_ok() && self.checked.damage.is_empty()
    }
}

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
        let filter = self.filter()?;
        let is_ambiguous = schema.user_types_are_ambiguous();
        let mut walked = self.walk(schema, &statistics, filter.as_ref())?;
        if is_ambiguous && !walked.is_sound() {
            // Some 3.x wrote frozen user types like unfrozen ones; the schema that decodes to the end is the right one.
            let frozen = Schema::with_frozen_user_types(&statistics.header, self.version)?;
            let again = self.walk(frozen, &statistics, filter.as_ref())?;
            if again.end.is_ok() {
                walked = again;
            }
        }
        self.note(walked.end)?;
        for damage in walked.checked.damage {
            self.note::<()>(Err(damage.into()))?;
        }
        self.report.warnings.extend(walked.checked.not_checked);
        Ok(())
    }

    /// The filter, if there is one that can be held in memory.
    fn filter(&mut self) -> Result<Option<Filter>> {
        let Some(source) = open(self.components, FILTER)? else {
            return Ok(None);
        };
        if source.len() > MAX_FILTER_LEN {
            let what = format!(
                "{FILTER}: keys are not looked up in it: it has {} bytes, at most {MAX_FILTER_LEN} are held",
                source.len()
            );
            self.report.warnings.push(what);
            return Ok(None);
        }
        self.note(Filter::open(source, self.version))
    }

    /// The only errors are those of a source.
    fn walk(
        &self,
        schema: Schema,
        statistics: &Statistics,
        filter: Option<&Filter>,
    ) -> Result<Walked> {
        let has_checksums = self.version.has_statistics_checksums();
        let mut checks = RowChecks::new(statistics, has_checksums, filter)?;
        let end = match self.walk_with(schema, statistics, &mut checks) {
            Err(error @ Error::Damaged(_)) => Err(checks.within_partition(error)),
            Err(error @ Error::Read { .. }) => return Err(error),
            end => end,
        };
        let to_the_end = end.is_ok().then_some(statistics);
        let checked = checks.finish(to_the_end)?;
        Ok(Walked { end, checked })
    }

    fn walk_with(
        &self,
        schema: Schema,
        statistics: &Statistics,
        checks: &mut RowChecks<'_>,
    ) -> Result<()> {
        let (layout, data) = DataLayout::of(self.components, self.version, Some(statistics))?;
        let mut data = Uncompressed::new(data, layout)?;
        let covered = statistics.covered().unwrap_or(data.extent());
        data.seek(covered.clone())?;
        let walker = Walker::new(Arc::new(schema), Depth::Cells, data, covered.start);
        if self.version.is_bti() {
            self.walk_bti(walker, covered, statistics, checks)
        } else {
            self.walk_big(walker, checks)
        }
    }

    fn walk_big(&self, mut walker: Walker<Uncompressed>, checks: &mut RowChecks<'_>) -> Result<()> {
        let index = open(self.components, INDEX)?
            .ok_or_else(|| Damage::whole(INDEX, "the component is missing"))?;
        check_big(&mut walker, &mut IndexReader::new(index), checks).map(drop)
    }

    fn walk_bti(
        &self,
        mut walker: Walker<Uncompressed>,
        covered: std::ops::Range<u64>,
        statistics: &Statistics,
        checks: &mut RowChecks<'_>,
    ) -> Result<()> {
        let partitioner = statistics.partitioner();
        let (partitions, rows) = self.open_bti()?;
        let mut index = IndexCheck::new(&partitions, &rows, covered.end);
        if statistics.covered().is_some() {
            index = index.within(covered.clone());
        }
        let mut order = OrderCheck::new(PARTITIONS, partitioner.clone(), None, covered.start);
        while let Some(event) = walker.next_with(checks)? {
            checks.event(&event);
            // The walker returns a partition before its content.
            let Event::Partition(partition) = event else {
                continue;
            };
            let (position, key) = (partition.position, partition.key);
            order.entry(position, key, position)?;
            let shape = key_shape(partitioner.as_ref(), key);
            let entry = index.partition(position, key, &shape)?;
            if let Some(entry) = &entry {
                check_deletion(entry, partition.deletion)?;
            }
            walk_partition(&mut walker, position, entry.as_ref(), &rows, checks)?;
        }
        index.finish()
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
    checks: &mut RowChecks<'_>,
) -> Result<()> {
    let mut blocks = match entry {
        Some(entry) => Some(BlockCheck::new(rows, entry)?),
        None => None,
    };
    loop {
        let open = walker.open().and_then(bti_deletion);
        let Some(event) = walker.next_with(checks)? else {
            return Ok(());
        };
        checks.event(&event);
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
