//! Summary.db: a sample of the keys of Index.db and where their entries are.
//!
//! Cassandra rewrites it during the life of an SSTable, with more or fewer samples. If it is missing, or its interval
//! is not the table's, Cassandra rebuilds it from Index.db.

mod build;
mod check;

use std::sync::Arc;

use crate::SUMMARY as COMPONENT;
use crate::bytes::Cursor;
use crate::error::{Damage, Error, Result};
use crate::read_ahead::ReadAhead;
use crate::source::ReadAt;
use cassandra_tokens::{Partitioner, Token};

pub use build::SummaryBuilder;
pub use check::SummaryCheck;

const HEADER_LEN: u64 = 24;
const OFFSET_LEN: u64 = 4;
/// The length of the position in Index.db behind each key.
const POSITION_LEN: u64 = 8;
/// The sampling level at which every sample is kept.
pub const BASE_SAMPLING_LEVEL: u32 = 128;

/// Whether the sample that is `index`-th at full sampling is kept at a level. Cassandra thins out evenly: of each 128
/// samples it first drops every second one, last to first in the order of the reversed bits of their numbers.
fn is_kept(index: u64, level: u32) -> bool {
    let reversed = (index as u8 & 0x7f).reverse_bits() >> 1;
    u32::from(reversed) < level
}

/// A key in the summary, and its entry in Index.db.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The serialized partition key.
    pub key: Vec<u8>,
    /// Where the key's entry begins in Index.db.
    pub index_position: u64,
    /// The offset of the sample in Summary.db.
    pub offset: u64,
}

/// An open Summary.db, read piece by piece.
pub struct Summary {
    offsets: ReadAhead,
    entries: ReadAhead,
    /// The length of offsets and entries together.
    size: u64,
    min_index_interval: u32,
    count: u32,
    sampling_level: u32,
    size_at_full_sampling: u32,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
}

impl Summary {
    /// Reads the header and the two keys, and checks that lengths and counts agree.
    pub fn open(source: Box<dyn ReadAt>) -> Result<Self> {
        let source: Arc<dyn ReadAt> = Arc::from(source);
        let mut window = ReadAhead::new(COMPONENT, Box::new(Arc::clone(&source)));
        let mut header = Cursor::new(COMPONENT, window.get(0, HEADER_LEN as usize)?);
        let min_index_interval = positive(&mut header, "min index interval")?;
        let count = positive(&mut header, "count of samples")?;
        let size = size(&mut header, count, source.len())?;
        let level_at = header.clone();
        let sampling_level = positive(&mut header, "sampling level")?;
        if sampling_level > BASE_SAMPLING_LEVEL {
            let what = format!(
                "sampling level is {sampling_level}, expected {BASE_SAMPLING_LEVEL} at most"
            );
            return Err(level_at.damage(what).into());
        }
        let size_at_full_sampling = positive(&mut header, "size at full sampling")?;
        let (first_key, end) = key(&mut window, HEADER_LEN + size, "first key")?;
        let (last_key, end) = key(&mut window, end, "last key")?;
        if end != source.len() {
            let what = format!("{} bytes are left behind the last key", source.len() - end);
            return Err(Damage::at(COMPONENT, end, what).into());
        }
        let mut summary = Self {
            offsets: ReadAhead::new(COMPONENT, Box::new(source)),
            entries: window,
            size,
            min_index_interval,
            count,
            sampling_level,
            size_at_full_sampling,
            first_key,
            last_key,
        };
        summary.check_byte_order()?;
        Ok(summary)
    }

    /// Before 5.0 offsets and positions are in the byte order of the writer's machine.
    fn check_byte_order(&mut self) -> Result<()> {
        let first = self.offset(0)?;
        let expected = u64::from(self.count) * OFFSET_LEN;
        if first == expected {
            return Ok(());
        }
        if u64::from((first as u32).swap_bytes()) == expected {
            let what = "written by a big-endian machine";
            return Err(Error::unsupported(COMPONENT, what));
        }
        let what = format!("the first sample is at {first}, expected {expected}");
        Err(Damage::at(COMPONENT, HEADER_LEN, what).into())
    }

    /// How many keys each sample stands for at full sampling: the table's `min_index_interval` when it was written.
    pub fn min_index_interval(&self) -> u32 {
        self.min_index_interval
    }

    /// How many samples are stored.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many of each [`BASE_SAMPLING_LEVEL`] samples are kept.
    pub fn sampling_level(&self) -> u32 {
        self.sampling_level
    }

    /// How many samples there would be at full sampling.
    pub fn size_at_full_sampling(&self) -> u32 {
        self.size_at_full_sampling
    }

    /// The first key of the SSTable, serialized.
    pub fn first_key(&self) -> &[u8] {
        &self.first_key
    }

    /// The last key of the SSTable, serialized.
    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// The sample at `index`, below [`Self::count`]. Going forward is cheap.
    pub fn sample(&mut self, index: u32) -> Result<Sample> {
        let start = self.offset(index)?;
        let end = match index.checked_add(1) {
            Some(next) if next < self.count => self.offset(next)?,
            _ => self.size,
        };
        let at = HEADER_LEN + u64::from(index) * OFFSET_LEN;
        let samples = u64::from(self.count) * OFFSET_LEN;
        let key_len = end
            .checked_sub(start)
            .and_then(|len| len.checked_sub(POSITION_LEN))
            .filter(|len| *len <= u64::from(u16::MAX) && start >= samples && end <= self.size);
        let Some(key_len) = key_len else {
            let what = format!(
                "sample {index} is from {start} to {end}, which cannot be a key and a position"
            );
            return Err(Damage::at(COMPONENT, at, what).into());
        };
        let offset = HEADER_LEN + start;
        let bytes = self
            .entries
            .get(offset, (key_len + POSITION_LEN) as usize)?;
        let (key, position) = bytes.split_at(key_len as usize);
        let position = u64::from_le_bytes(position.try_into().expect("eight bytes were requested"));
        Ok(Sample {
            key: key.to_vec(),
            index_position: position,
            offset,
        })
    }

    /// The offset in Index.db from which to search for the first key whose token is above `token`.
    pub fn scan_position(&mut self, partitioner: &Partitioner, token: &Token) -> Result<u64> {
        let (mut position, mut low, mut high) = (0, 0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let sample = self.sample(middle)?;
            if &partitioner.token(&sample.key) <= token {
                position = sample.index_position;
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(position)
    }

    fn offset(&mut self, index: u32) -> Result<u64> {
        let at = HEADER_LEN + u64::from(index) * OFFSET_LEN;
        if index >= self.count {
            let what = format!("sample {index} of {} is requested", self.count);
            return Err(Damage::at(COMPONENT, at, what).into());
        }
        let bytes = self.offsets.get(at, OFFSET_LEN as usize)?;
        let offset = u32::from_le_bytes(bytes.try_into().expect("four bytes were requested"));
        Ok(offset.into())
    }
}

fn positive(header: &mut Cursor<'_>, of: &str) -> Result<u32, Damage> {
    let at = header.clone();
    let value = header.i32(of)?;
    match u32::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(at.damage(format!("{of} is {value}, expected 1 at least"))),
    }
}

/// The length of offsets and entries, which must fit the component and be enough for the count.
fn size(header: &mut Cursor<'_>, count: u32, len: u64) -> Result<u64, Damage> {
    let at = header.clone();
    let size = header.i64("size")?;
    let least = u64::from(count) * (OFFSET_LEN + POSITION_LEN);
    // Both keys are written behind their lengths.
    let most = len.saturating_sub(HEADER_LEN + 8);
    match u64::try_from(size) {
        Ok(size) if (least..=most).contains(&size) => Ok(size),
        _ => Err(at.damage(format!(
            "size is {size}, expected {least} to {most} for {count} samples in {len} bytes"
        ))),
    }
}

/// A key that is written behind its length, and the offset behind the key.
fn key(window: &mut ReadAhead, offset: u64, of: &str) -> Result<(Vec<u8>, u64)> {
    let len = Cursor::at(COMPONENT, window.get(offset, 4)?, offset).i32(of)?;
    let Ok(len) = u16::try_from(len) else {
        let what = format!("length of the {of} is {len}, expected 0 to {}", u16::MAX);
        return Err(Damage::at(COMPONENT, offset, what).into());
    };
    let key = window.get(offset + 4, len.into())?.to_vec();
    Ok((key, offset + 4 + u64::from(len)))
}

#[cfg(test)]
mod tests;
