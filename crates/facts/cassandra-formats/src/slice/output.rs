//! What slices of both formats have in common: Data, and what is counted while partitions are copied.

use super::data::DataWriter;
use super::sink::{CreateComponents, Sink};
use super::{Cut, Slice, rewrite};
use crate::error::{Damage, Result};
use crate::filter::FilterBuilder;
use crate::statistics::histogram::EstimatedHistogram;
use crate::statistics::sketch::Sketch;
use crate::uncompressed::Uncompressed;
use crate::{DATA, FILTER, STATISTICS};
use cassandra_tokens::Token;

/// Receives partitions one by one.
pub(super) struct Output {
    data: DataWriter,
    filter: Option<FilterBuilder>,
    sketch: Sketch,
    sizes: EstimatedHistogram,
    partitions: u64,
    first_key: Vec<u8>,
    key: Vec<u8>,
}

pub(super) struct Finished {
    pub slice: Slice,
    pub components: Vec<&'static str>,
}

impl Output {
    /// `partitions` is roughly how many are expected.
    pub fn create(
        cut: &Cut<'_>,
        partitions: u64,
        create: &mut dyn CreateComponents,
    ) -> Result<Self> {
        Ok(Self {
            data: DataWriter::create(create, cut.version, cut.compression.as_ref())?,
            filter: FilterBuilder::new(
                partitions,
                cut.statistics.validation.bloom_filter_fp_chance,
            ),
            sketch: Sketch::new(),
            sizes: cut.statistics.stats.estimated_partition_size.emptied(),
            partitions: 0,
            first_key: Vec::new(),
            key: Vec::new(),
        })
    }

    /// The key of the partition at which `data` is positioned.
    pub fn peek_key(&mut self, data: &mut Uncompressed) -> Result<&[u8]> {
        let mut len = [0; 2];
        data.read_exactly(&mut len)?;
        self.key.resize(usize::from(u16::from_be_bytes(len)), 0);
        data.read_exactly(&mut self.key)?;
        Ok(&self.key)
    }

    /// Copies the partition whose key was just [peeked at](Self::peek_key), `len` bytes from its beginning. Returns
    /// its new position.
    pub fn copy(&mut self, data: &mut Uncompressed, len: u64) -> Result<u64> {
        let head = 2 + self.key.len() as u64;
        let mut left = len.checked_sub(head).ok_or_else(|| {
            Damage::at(
                DATA,
                data.position(),
                format!("a partition of {len} bytes with a key of {head}"),
            )
        })?;
        let position = self.data.position();
        let key_len = u16::try_from(self.key.len()).expect("it was read behind a two-byte length");
        self.data.write(&key_len.to_be_bytes())?;
        self.data.write(&self.key)?;
        while left > 0 {
            let bytes = data.fill()?;
            if bytes.is_empty() {
                return Err(Damage::at(
                    DATA,
                    data.position(),
                    format!(
                        "{left} bytes of a partition are missing from its uncompressed content"
                    ),
                )
                .into());
            }
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            self.data.write(&bytes[..take])?;
            data.consume(take);
            left -= take as u64;
        }
        if self.partitions == 0 {
            self.first_key.clone_from(&self.key);
        }
        self.partitions += 1;
        if let Some(filter) = &mut self.filter {
            filter.offer(&self.key);
        }
        self.sketch.offer(&self.key);
        self.sizes.add(i64::try_from(len).unwrap_or(i64::MAX));
        Ok(position)
    }

    pub fn key(&self) -> &[u8] {
        &self.key
    }

    pub fn first_key(&self) -> &[u8] {
        &self.first_key
    }

    /// Writes the remaining components except TOC.txt. `share` is the fraction of the source's partitions that was
    /// copied.
    pub fn finish(
        self,
        cut: &Cut<'_>,
        share: f64,
        create: &mut dyn CreateComponents,
    ) -> Result<Finished> {
        let uncompressed_bytes = self.data.position();
        let (mut components, data_bytes) = self.data.finish(create)?;
        if let Some(filter) = self.filter {
            Sink::write_whole(create, FILTER, &filter.finish(cut.version))?;
            components.push(FILTER);
        }
        let statistics = rewrite::statistics(
            cut,
            rewrite::Counted {
                share,
                first_key: &self.first_key,
                last_key: &self.key,
                sketch: self.sketch,
                sizes: self.sizes,
                compression_ratio: data_bytes as f64 / uncompressed_bytes.max(1) as f64,
            },
        );
        Sink::write_whole(create, STATISTICS, &statistics)?;
        components.push(STATISTICS);
        let token = |key: &[u8]| -> Token { cut.partitioner.token(key) };
        Ok(Finished {
            slice: Slice {
                partitions: self.partitions,
                data_bytes,
                uncompressed_bytes,
                first_token: token(&self.first_key),
                last_token: token(&self.key),
                components: Vec::new(),
            },
            components,
        })
    }
}
