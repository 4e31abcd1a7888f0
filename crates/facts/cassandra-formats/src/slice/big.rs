//! Slices of the `big` format: Index.db has the positions of partitions, Summary.db where to begin in Index.db.

use std::ops::Range;

use super::output::Output;
use super::sink::{CreateComponents, Sink};
use super::{Copied, Copying, Cut};
use crate::error::{Damage, Error, Result};
use crate::index::{IndexReader, put_index_entry};
use crate::layout::open;
use crate::summary::{Summary, SummaryBuilder};
use crate::uncompressed::Uncompressed;
use crate::{INDEX, SUMMARY};
use cassandra_tokens::Token;

const COPY_BYTES: usize = 64 << 10;
/// A table's `min_index_interval`, unless it was changed.
const MIN_INDEX_INTERVAL: u32 = 128;

/// Neighbouring partitions of one wanted range.
struct Run {
    /// Positions in uncompressed Data.
    data: Range<u64>,
    /// The offset of the first one's entry in Index.db.
    index_offset: u64,
}

pub(super) fn copy(
    cut: &Cut<'_>,
    mut data: Uncompressed,
    create: &mut dyn CreateComponents,
) -> Result<Copying> {
    let source =
        open(cut.source, INDEX)?.ok_or_else(|| Damage::whole(INDEX, "the component is missing"))?;
    let mut index = IndexReader::new(source);
    let data_end = data.extent().end;
    let mut summary = summary(cut)?;
    let runs = runs(cut, &mut index, &mut summary, data_end)?;
    if runs.is_empty() {
        return Ok(Copying::Nothing);
    }
    if cut.leaves_whole(runs.iter().map(|run| &run.data), data_end) {
        return Ok(Copying::Everything);
    }
    let wanted: u64 = runs.iter().map(|run| run.data.end - run.data.start).sum();
    let share = wanted as f64 / data_end.max(1) as f64;
    let expected = (cut.statistics.partitions() as f64 * share).ceil() as u64;
    let mut output = Output::create(cut, expected, create)?;
    let mut target = Target::create(summary.as_ref(), create)?;
    for run in &runs {
        copy_run(cut, run, &mut index, &mut data, &mut output, &mut target)?;
    }
    let components = target.finish(create)?;
    Ok(Copying::Part(Box::new(Copied {
        output,
        share,
        components,
    })))
}

/// The runs of wanted partitions, ascending.
fn runs(
    cut: &Cut<'_>,
    index: &mut IndexReader,
    summary: &mut Option<Summary>,
    data_end: u64,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for range in cut.ranges.iter() {
        let first = if range.left.is_minimum() {
            first_entry(index)?
        } else {
            after(cut, summary.as_mut(), index, &range.left)?
        };
        let end = if range.right.is_minimum() {
            None
        } else {
            after(cut, summary.as_mut(), index, &range.right)?
        };
        let Some((index_offset, start)) = first else {
            continue;
        };
        let end = end.map_or(data_end, |(_, position)| position);
        if start > end {
            return Err(Damage::at(
                INDEX,
                index_offset,
                format!("positions in Data go from {start} back to {end}"),
            )
            .into());
        }
        if start < end {
            runs.push(Run {
                data: start..end,
                index_offset,
            });
        }
    }
    Ok(runs)
}

/// The summary; without a usable one Index.db is read from its beginning.
fn summary(cut: &Cut<'_>) -> Result<Option<Summary>> {
    let Some(source) = open(cut.source, SUMMARY)? else {
        return Ok(None);
    };
    match Summary::open(source) {
        Ok(summary) => Ok(Some(summary)),
        Err(Error::Damaged(_) | Error::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn first_entry(index: &mut IndexReader) -> Result<Option<(u64, u64)>> {
    index.seek(0);
    Ok(index
        .next_entry()?
        .map(|entry| (entry.offset, entry.data_position)))
}

/// The first entry whose token is above `token`: its offset in Index.db and its position in Data.
fn after(
    cut: &Cut<'_>,
    summary: Option<&mut Summary>,
    index: &mut IndexReader,
    token: &Token,
) -> Result<Option<(u64, u64)>> {
    let start = match summary {
        Some(summary) => summary.scan_position(&cut.partitioner, token)?,
        None => 0,
    };
    index.seek(start);
    while let Some(entry) = index.next_entry()? {
        if cut.partitioner.token(entry.key) > *token {
            return Ok(Some((entry.offset, entry.data_position)));
        }
    }
    Ok(None)
}

struct Target {
    index: Sink,
    position: u64,
    summary: SummaryBuilder,
    buffer: Vec<u8>,
}

impl Target {
    fn create(summary: Option<&Summary>, create: &mut dyn CreateComponents) -> Result<Self> {
        let interval = summary.map_or(MIN_INDEX_INTERVAL, Summary::min_index_interval);
        Ok(Self {
            index: Sink::create(create, INDEX)?,
            position: 0,
            summary: SummaryBuilder::new(interval),
            buffer: Vec::new(),
        })
    }

    /// An entry up to its row index.
    fn begin_entry(&mut self, key: &[u8], data_position: u64, promoted_len: u64) -> Result<()> {
        self.summary.offer(key, self.position);
        self.buffer.clear();
        put_index_entry(&mut self.buffer, key, data_position, promoted_len);
        self.position += self.buffer.len() as u64;
        self.index.put(&self.buffer)
    }

    fn promoted(&mut self, bytes: &[u8]) -> Result<()> {
        self.position += bytes.len() as u64;
        self.index.put(bytes)
    }

    fn finish(mut self, create: &mut dyn CreateComponents) -> Result<Vec<&'static str>> {
        self.index.finish()?;
        let mut components = vec![INDEX];
        // Cassandra rebuilds a summary that would be too large to build here.
        if let Some(summary) = self.summary.finish() {
            Sink::write_whole(create, SUMMARY, &summary)?;
            components.push(SUMMARY);
        }
        Ok(components)
    }
}

/// An entry of the source, kept while the one behind it is read.
struct Held {
    key: Vec<u8>,
    data_position: u64,
    promoted: Range<u64>,
}

fn copy_run(
    cut: &Cut<'_>,
    run: &Run,
    index: &mut IndexReader,
    data: &mut Uncompressed,
    output: &mut Output,
    target: &mut Target,
) -> Result<()> {
    data.seek(run.data.clone())?;
    index.seek(run.index_offset);
    let mut held = next(index, run)?;
    while let Some(entry) = held {
        held = next(index, run)?;
        let end = held
            .as_ref()
            .map_or(run.data.end, |next| next.data_position);
        let key = output.peek_key(data)?;
        if key != entry.key {
            return Err(Damage::at(
                INDEX,
                entry.promoted.start,
                format!(
                    "its entry for {} of Data has another key than the partition there",
                    entry.data_position
                ),
            )
            .into());
        }
        // An index that is out of order can lead to partitions outside the ranges.
        if !cut.ranges.contains(&cut.partitioner.token(key)) {
            let what = format!(
                "its entry for {} of Data lies among others and has a token outside the ranges that are copied",
                entry.data_position
            );
            return Err(Damage::at(INDEX, entry.promoted.start, what).into());
        }
        let position = output.copy(data, end - entry.data_position)?;
        target.begin_entry(
            &entry.key,
            position,
            entry.promoted.end - entry.promoted.start,
        )?;
        copy_promoted(index, entry.promoted, target)?;
    }
    Ok(())
}

/// The next entry of the run.
fn next(index: &mut IndexReader, run: &Run) -> Result<Option<Held>> {
    let entry = index.next_entry()?;
    Ok(entry
        .filter(|entry| entry.data_position < run.data.end)
        .map(|entry| Held {
            key: entry.key.to_vec(),
            data_position: entry.data_position,
            promoted: entry.promoted,
        }))
}

/// Row indexes count from the beginning of their partition, so they are valid at any position.
fn copy_promoted(index: &IndexReader, range: Range<u64>, target: &mut Target) -> Result<()> {
    let mut at = range.start;
    let mut buffer = Vec::new();
    while at < range.end {
        let len = (range.end - at).min(COPY_BYTES as u64) as usize;
        buffer.resize(len, 0);
        index
            .source()
            .read_exact_at(at, &mut buffer)
            .map_err(|source| Error::read(INDEX, source))?;
        target.promoted(&buffer)?;
        at += len as u64;
    }
    Ok(())
}
