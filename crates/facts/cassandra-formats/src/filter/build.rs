//! Builds a Bloom filter key by key, of the size that Cassandra would choose.

use super::{HEADER_LEN, Layout, MAX_FILTER_LEN, MAX_HASH_COUNT, WORD_LEN, bits_of};
use crate::version::Version;

/// Cassandra adds these bits to every filter.
const EXCESS_BITS: u64 = 20;
const MAX_BITS_PER_KEY: u32 = 20;

/// A filter under construction. Memory is that of the finished filter.
#[derive(Debug)]
pub struct FilterBuilder {
    hash_count: u32,
    /// The component in the new layout, header first.
    component: Vec<u8>,
}

impl FilterBuilder {
    /// For about `keys` keys and the false-positive chance in Statistics.db. `None` if there should be no Filter.db:
    /// for a chance of 1, with which tables have none; and for a chance that no filter reaches or a size above
    /// [`MAX_FILTER_LEN`], because Cassandra builds a missing filter when it loads the SSTable.
    ///
    /// More keys than that only raise the chance of a useless read.
    pub fn new(keys: u64, fp_chance: f64) -> Option<Self> {
        let (bits_per_key, hash_count) = shape(fp_chance)?;
        let bits = keys
            .checked_mul(bits_per_key.into())?
            .checked_add(EXCESS_BITS)?;
        Self::with_shape(hash_count, bits.div_ceil(64))
    }

    pub(super) fn with_shape(hash_count: u32, words: u64) -> Option<Self> {
        let len = words
            .checked_mul(WORD_LEN)?
            .checked_add(HEADER_LEN as u64)?;
        if len > MAX_FILTER_LEN {
            return None;
        }
        let mut component = vec![0; usize::try_from(len).ok()?];
        let (header, _) = component.split_at_mut(HEADER_LEN);
        header[..4].copy_from_slice(&hash_count.to_be_bytes());
        header[4..].copy_from_slice(&u32::try_from(words).ok()?.to_be_bytes());
        Some(Self {
            hash_count,
            component,
        })
    }

    /// Adds a serialized partition key.
    pub fn offer(&mut self, key: &[u8]) {
        let capacity = (self.component.len() - HEADER_LEN) as u64 * 8;
        let layout = Layout { swapped: false };
        for bit in bits_of(key, self.hash_count, capacity) {
            self.component[layout.byte_of(bit) as usize] |= 1 << (bit % 8);
        }
    }

    /// Returns the component in the layout of the version.
    pub fn finish(self, version: Version) -> Vec<u8> {
        let mut component = self.component;
        if Layout::for_version(version).swapped {
            let (words, _) = component[HEADER_LEN..].as_chunks_mut::<{ WORD_LEN as usize }>();
            words.iter_mut().for_each(|word| word.reverse());
        }
        component
    }
}

/// Bits for each key and hash count: the fewest bits that reach the chance, then the fewest hashes that still do.
fn shape(fp_chance: f64) -> Option<(u32, u32)> {
    if !(fp_chance > 0.0 && fp_chance < 1.0) {
        return None;
    }
    (2..=MAX_BITS_PER_KEY).find_map(|bits| {
        let hashes = (1..=MAX_HASH_COUNT).find(|hashes| chance(bits, *hashes) <= fp_chance)?;
        Some((bits, hashes))
    })
}

/// The chance that a key which was not added seems to be there, rounded to three digits as in Cassandra's table; the
/// rounding matters for chances such as 0.001.
fn chance(bits_per_key: u32, hash_count: u32) -> f64 {
    let full = 1.0 - (-f64::from(hash_count) / f64::from(bits_per_key)).exp();
    let exact = full.powi(hash_count as i32);
    let scale = 10_f64.powf(2.0 - exact.log10().floor());
    (exact * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_the_shape_that_cassandra_chooses() {
        for (fp_chance, expected) in [
            (0.01, Some((10, 5))),
            (0.1, Some((5, 3))),
            (0.001, Some((15, 7))),
            (0.2, Some((4, 2))),
            (0.05, Some((7, 3))),
            (0.0001, Some((20, 10))),
            (0.99, Some((2, 1))),
            (1.0, None),
            (0.0, None),
            (0.00001, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(shape(fp_chance), expected, "{fp_chance}");
        }
    }

    #[test]
    fn no_filter_is_built_above_the_limit() {
        let words =
            |keys| FilterBuilder::new(keys, 0.01).map(|b| (b.component.len() - HEADER_LEN) / 8);
        assert_eq!(words(0), Some(1));
        assert_eq!(words(5), Some(2));
        assert_eq!(words(50_000_000), Some(7_812_501));
        assert_eq!(words(60_000_000), None);
        assert_eq!(words(u64::MAX), None);
        assert_eq!(words(u64::MAX / 10), None);
    }
}
