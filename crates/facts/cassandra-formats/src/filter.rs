//! Filter.db: the Bloom filter that excludes partition keys which are certainly not in an SSTable.

mod build;

use crate::FILTER as COMPONENT;
use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;
use crate::version::{Format, Version};
use cassandra_tokens::murmur3;

pub use build::FilterBuilder;

/// The length of the header: hash count and number of words.
const HEADER_LEN: usize = 8;
const WORD_LEN: u64 = 8;
/// The greatest hash count in Cassandra's table (`BloomCalculations`).
const MAX_HASH_COUNT: u32 = 20;
/// Filters up to this size, in bytes, are built, and are read into memory. It is enough for fifty million keys at one
/// percent.
pub const MAX_FILTER_LEN: u64 = 64 << 20;

/// How the bits of the filter are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// Before 4.0 each word of eight bytes was written as a big-endian number of little-endian bytes.
    swapped: bool,
}

impl Layout {
    fn for_version(version: Version) -> Self {
        let swapped = match version.format() {
            Format::Big => !version.has_statistics_checksums(),
            // DSE adopted the new layout with `ba`.
            Format::Bti => version.has_legacy_min_max(),
        };
        Self { swapped }
    }

    /// Offset in the component of the byte that holds a bit.
    fn byte_of(self, bit: u64) -> u64 {
        let byte = bit / 8;
        let stored = if self.swapped { byte ^ 7 } else { byte };
        stored + HEADER_LEN as u64
    }
}

/// The bits that a key sets in a filter of `capacity` bits, which is a multiple of 64 and not 0.
fn bits_of(key: &[u8], hash_count: u32, capacity: u64) -> impl Iterator<Item = u64> {
    let [step, start] = murmur3(key);
    let capacity = i64::try_from(capacity).unwrap_or(i64::MAX);
    (0..i64::from(hash_count)).map(move |nth| {
        let hash = start.wrapping_add(step.wrapping_mul(nth));
        (hash % capacity).unsigned_abs()
    })
}

/// An open Filter.db.
pub struct Filter {
    source: Box<dyn ReadAt>,
    layout: Layout,
    hash_count: u32,
    /// The number of its bits.
    capacity: u64,
}

impl Filter {
    /// Reads the header, and the whole filter if it has at most [`MAX_FILTER_LEN`] bytes. From a larger one each
    /// lookup reads single bytes.
    pub fn open(source: Box<dyn ReadAt>, version: Version) -> Result<Self> {
        let mut header = [0; HEADER_LEN];
        let len = source.len();
        if len < HEADER_LEN as u64 {
            let what = format!("{len} bytes, expected {HEADER_LEN} at least");
            return Err(Damage::whole(COMPONENT, what).into());
        }
        source
            .read_exact_at(0, &mut header)
            .map_err(|error| Error::read(COMPONENT, error))?;
        let [a, b, c, d, words @ ..] = header;
        let hash_count = u32::from_be_bytes([a, b, c, d]);
        let words = u64::from(u32::from_be_bytes(words));
        if !(1..=MAX_HASH_COUNT).contains(&hash_count) {
            let what = format!("hash count is {hash_count}, expected 1 to {MAX_HASH_COUNT}");
            return Err(Damage::at(COMPONENT, 0, what).into());
        }
        let expected = words * WORD_LEN + HEADER_LEN as u64;
        if words == 0 || expected != len {
            let what = format!("{words} words make {expected} bytes, found {len}");
            return Err(Damage::at(COMPONENT, 4, what).into());
        }
        Ok(Self {
            source: held(source)?,
            layout: Layout::for_version(version),
            hash_count,
            capacity: words * 64,
        })
    }

    /// How many bits each key sets.
    pub fn hash_count(&self) -> u32 {
        self.hash_count
    }

    /// The number of its bits.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether Cassandra would look for the key in this SSTable. It must be true for every key that is in it.
    pub fn might_contain(&self, key: &[u8]) -> Result<bool> {
        let mut byte = [0];
        for bit in bits_of(key, self.hash_count, self.capacity) {
            self.source
                .read_exact_at(self.layout.byte_of(bit), &mut byte)
                .map_err(|error| Error::read(COMPONENT, error))?;
            if byte[0] >> (bit % 8) & 1 == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads a source of bounded size into memory.
fn held(source: Box<dyn ReadAt>) -> Result<Box<dyn ReadAt>> {
    let len = source.len();
    if len > MAX_FILTER_LEN {
        return Ok(source);
    }
    let mut bytes = vec![0; len as usize];
    source
        .read_exact_at(0, &mut bytes)
        .map_err(|error| Error::read(COMPONENT, error))?;
    Ok(Box::new(bytes))
}

#[cfg(test)]
mod tests;
