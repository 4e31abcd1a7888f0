//! Slices of the trie-indexed formats: prefixes and row indexes are copied, positions are new.
//!
//! A prefix that distinguishes a partition from all neighbours also distinguishes it from fewer, so no key has to be
//! converted into its byte-comparable form. A slice of `da` stays `da`: a node that reads it may be one that does not
//! read `oa` (Cassandra 5.0 in compatibility mode), while every node that wrote `da` reads it.

use std::ops::Range;

use super::output::Output;
use super::sink::{CreateComponents, Sink};
use super::{Copied, Copying, Cut};
use crate::bti::{
    PartitionEntry, Partitions, PartitionsWriter, RowIndexEntry, Rows, RowsCopy, Target,
    token_prefix,
};
use crate::error::{Damage, Result};
use crate::layout::open;
use crate::uncompressed::{Uncompressed, key_at};
use crate::{PARTITIONS, ROWS};
use cassandra_tokens::Token;

/// Neighbouring partitions of one wanted range.
struct Run {
    /// Positions in uncompressed Data.
    data: Range<u64>,
    /// The bound from which the trie is walked to reach the first one.
    bound: Vec<u8>,
}

pub(super) fn copy(
    cut: &Cut<'_>,
    mut data: Uncompressed,
    create: &mut dyn CreateComponents,
) -> Result<Copying> {
    let component = |name| {
        open(cut.source, name)?
            .ok_or_else(|| crate::Error::from(Damage::whole(name, "the component is missing")))
    };
    let partitions = Partitions::open(component(PARTITIONS)?)?;
    let rows = Rows::open(component(ROWS)?, cut.version);
    let source = Source {
        partitions: &partitions,
        rows: &rows,
    };
    let data_end = data.extent().end;
    let runs = source.runs(cut, &mut data)?;
    if runs.is_empty() {
        return Ok(Copying::Nothing);
    }
    if cut.leaves_whole(runs.iter().map(|run| &run.data), data_end) {
        return Ok(Copying::Everything);
    }
    let wanted: u64 = runs.iter().map(|run| run.data.end - run.data.start).sum();
    let share = wanted as f64 / data_end.max(1) as f64;
    let expected = (partitions.count() as f64 * share).ceil() as u64;
    let mut output = Output::create(cut, expected, create)?;
    let mut new_partitions = PartitionsWriter::new(Sink::create(create, PARTITIONS)?);
    let mut new_rows = RowsCopy::new(&rows, Sink::create(create, ROWS)?);
    for run in &runs {
        source.copy_run(
            run,
            &mut data,
            &mut output,
            &mut new_partitions,
            &mut new_rows,
        )?;
    }
    new_rows.finish()?.0.finish()?;
    let (mut sink, _) = new_partitions.finish(output.first_key(), output.key())?;
    sink.finish()?;
    Ok(Copying::Part(Box::new(Copied {
        output,
        share,
        components: vec![PARTITIONS, ROWS],
    })))
}

struct Source<'a> {
    partitions: &'a Partitions,
    rows: &'a Rows,
}

/// A leaf of the source, kept while the next one is read.
struct Held {
    prefix: Vec<u8>,
    hash: Option<u8>,
    data_position: u64,
    row_index: Option<RowIndexEntry>,
}

impl Source<'_> {
    fn held(&self, entry: &PartitionEntry<'_>) -> Result<Held> {
        let (data_position, row_index) = match entry.target {
            Target::Data(position) => (position, None),
            Target::Rows(position) => {
                let row_index = self.rows.entry(position)?;
                (row_index.data_position, Some(row_index))
            }
        };
        Ok(Held {
            prefix: entry.prefix.to_vec(),
            hash: entry.hash,
            data_position,
            row_index,
        })
    }

    /// The runs of wanted partitions, ascending.
    fn runs(&self, cut: &Cut<'_>, data: &mut Uncompressed) -> Result<Vec<Run>> {
        let data_end = data.extent().end;
        let mut runs = Vec::new();
        for range in cut.ranges.iter() {
            let first = if range.left.is_minimum() {
                Some((Vec::new(), 0))
            } else {
                self.after(cut, data, &range.left)?
            };
            let end = if range.right.is_minimum() {
                None
            } else {
                self.after(cut, data, &range.right)?
            };
            let Some((bound, start)) = first else {
                continue;
            };
            let end = end.map_or(data_end, |(_, position)| position);
            if start > end {
                return Err(Damage::whole(
                    PARTITIONS,
                    format!("positions in Data go from {start} back to {end}"),
                )
                .into());
            }
            if start < end {
                runs.push(Run {
                    data: start..end,
                    bound,
                });
            }
        }
        Ok(runs)
    }

    /// The first partition whose token is above `token`: its prefix, and its position in Data. If a prefix is shorter
    /// than the token, the key in Data decides.
    fn after(
        &self,
        cut: &Cut<'_>,
        data: &mut Uncompressed,
        token: &Token,
    ) -> Result<Option<(Vec<u8>, u64)>> {
        let bound = match token {
            Token::Murmur3(token) => token_prefix(*token).to_vec(),
            // Tokens of other partitioners are compared through their keys.
            _ => Vec::new(),
        };
        let mut walk = self.partitions.walk_from(&bound);
        while let Some(entry) = walk.next()? {
            let held = self.held(&entry)?;
            let key = key_at(data, held.data_position)?;
            if cut.partitioner.token(&key) > *token {
                return Ok(Some((held.prefix, held.data_position)));
            }
        }
        Ok(None)
    }

    fn copy_run(
        &self,
        run: &Run,
        data: &mut Uncompressed,
        output: &mut Output,
        partitions: &mut PartitionsWriter<Sink>,
        rows: &mut RowsCopy<'_, Sink>,
    ) -> Result<()> {
        data.seek(run.data.clone())?;
        let mut walk = self.partitions.walk_from(&run.bound);
        let mut next = || -> Result<Option<Held>> {
            let Some(entry) = walk.next()? else {
                return Ok(None);
            };
            let held = self.held(&entry)?;
            Ok(Some(held).filter(|held| held.data_position < run.data.end))
        };
        let mut held = next()?;
        if let Some(first) = &held
            && first.data_position != run.data.start
        {
            return Err(Damage::whole(
                PARTITIONS,
                format!(
                    "the partition at {} of Data is reached where the one at {} was",
                    first.data_position, run.data.start
                ),
            )
            .into());
        }
        while let Some(entry) = held {
            held = next()?;
            let end = held
                .as_ref()
                .map_or(run.data.end, |next| next.data_position);
            let len = end.checked_sub(entry.data_position).ok_or_else(|| {
                Damage::whole(
                    PARTITIONS,
                    format!(
                        "positions in Data go from {} back to {end}",
                        entry.data_position
                    ),
                )
            })?;
            output.peek_key(data)?;
            let position = output.copy(data, len)?;
            let target = match &entry.row_index {
                None => Target::Data(position),
                Some(row_index) => Target::Rows(rows.copy(row_index, position)?),
            };
            partitions.push(&entry.prefix, entry.hash, target)?;
        }
        Ok(())
    }
}
