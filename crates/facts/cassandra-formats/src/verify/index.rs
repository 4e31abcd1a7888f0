//! The index, by itself and compared with Data at some partitions or at all.

use super::Verification;
use super::order::OrderCheck;
use crate::bti::{IndexCheck, KeyShape, Partitions, Rows, check_index, token_prefix};
use crate::error::{Damage, Result};
use crate::index::IndexReader;
use crate::layout::open;
use crate::summary::{Summary, SummaryCheck};
use crate::uncompressed::{Uncompressed, key_at};
use crate::{INDEX, PARTITIONS, ROWS, SUMMARY};
use cassandra_tokens::{Partitioner, Token, murmur3};

/// How many partitions of an SSTable are compared with Data, if not all are.
const SAMPLES: u64 = 64;

/// Chooses partitions at even distances of Data.
struct Samples {
    step: u64,
    next: u64,
}

impl Samples {
    fn new(data_len: u64) -> Self {
        Self {
            step: (data_len / SAMPLES).max(1),
            next: 0,
        }
    }

    fn wants(&mut self, position: u64) -> bool {
        let wants = position >= self.next;
        if wants {
            self.next = position.saturating_add(self.step);
        }
        wants
    }
}

impl Verification<'_> {
    fn partitioner(&self) -> Option<Partitioner> {
        self.statistics.as_ref()?.partitioner()
    }

    pub(super) fn big_index(&mut self, data: &mut Uncompressed) -> Result<()> {
        let Some(source) = open(self.components, INDEX)? else {
            return Ok(());
        };
        let mut index = IndexReader::new(source);
        let mut order = OrderCheck::new(INDEX, self.partitioner(), Some(data.extent().end), 0);
        let mut summary = self.summary()?;
        let checked = check_big_index(&mut index, &mut order, data, summary.as_mut());
        if self.note(checked)?.is_some()
            && let Some(summary) = summary
        {
            self.note(summary.finish())?;
        }
        Ok(())
    }

    pub(super) fn summary(&mut self) -> Result<Option<SummaryCheck>> {
        let Some(source) = open(self.components, SUMMARY)? else {
            return Ok(None);
        };
        let summary = self.note(Summary::open(source))?;
        Ok(summary.map(SummaryCheck::new))
    }

    pub(super) fn bti_index(&mut self, data: &mut Uncompressed) -> Result<()> {
        let Some((partitions, rows)) = self.bti()? else {
            return Ok(());
        };
        let partitioner = self.partitioner();
        let extent = data.extent();
        let mut check = IndexCheck::new(&partitions, &rows, extent.end);
        let is_slice = self
            .statistics
            .as_ref()
            .is_some_and(|statistics| statistics.covered().is_some());
        if is_slice {
            check = check.within(extent.clone());
        }
        let mut samples = Samples::new(extent.end - extent.start);
        let checked = check_index(check, |position| {
            if !samples.wants(position) {
                return Ok(None);
            }
            let key = key_at(data, position)?;
            let shape = key_shape(partitioner.as_ref(), &key);
            Ok(Some((key, shape)))
        });
        self.note(checked)?;
        Ok(())
    }

    pub(super) fn bti(&mut self) -> Result<Option<(Partitions, Rows)>> {
        let (Some(partitions), Some(rows)) = (
            open(self.components, PARTITIONS)?,
            open(self.components, ROWS)?,
        ) else {
            return Ok(None);
        };
        let partitions = self.note(Partitions::open(partitions))?;
        Ok(partitions.map(|partitions| (partitions, Rows::open(rows, self.version))))
    }
}

/// The expected shape of a key's leaf.
pub(super) fn key_shape(partitioner: Option<&Partitioner>, key: &[u8]) -> KeyShape {
    let prefix = match partitioner.map(|partitioner| partitioner.token(key)) {
        Some(Token::Murmur3(token)) => Some(token_prefix(token)),
        _ => None,
    };
    KeyShape {
        hash: Some(murmur3(key)[1].to_be_bytes()[7]),
        prefix,
    }
}

fn check_big_index(
    index: &mut IndexReader,
    order: &mut OrderCheck,
    data: &mut Uncompressed,
    mut summary: Option<&mut SummaryCheck>,
) -> Result<()> {
    let mut samples = Samples::new(data.extent().end);
    let mut last: Option<(u64, Vec<u8>, u64)> = None;
    while let Some(entry) = index.next_entry()? {
        order.entry(entry.offset, entry.key, entry.data_position)?;
        if let Some(summary) = &mut summary {
            summary.offer(entry.key, entry.offset)?;
        }
        if samples.wants(entry.data_position) {
            check_key(data, entry.offset, entry.key, entry.data_position)?;
        }
        let (offset, key, position) = last.get_or_insert_default();
        (*offset, *position) = (entry.offset, entry.data_position);
        key.clear();
        key.extend_from_slice(entry.key);
    }
    match last {
        Some((offset, key, position)) => check_key(data, offset, &key, position),
        None => Err(Damage::whole(INDEX, "it has no entries").into()),
    }
}

fn check_key(data: &mut Uncompressed, offset: u64, key: &[u8], position: u64) -> Result<()> {
    let found = key_at(data, position)?;
    if found == key {
        return Ok(());
    }
    Err(Damage::at(
        INDEX,
        offset,
        format!("has another key than the partition at {position} of Data"),
    )
    .into())
}
