//! Cassandra's histograms: partition sizes, cells per partition, and when tombstones can be dropped.

use crate::bytes::Cursor;
use crate::error::Damage;

/// How many values are in buckets whose bounds grow by a fifth each (`EstimatedHistogram` of Cassandra).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstimatedHistogram {
    /// The upper bounds of the buckets, ascending. A value belongs to the first bound that is not less than it.
    pub bucket_offsets: Vec<i64>,
    /// The count of each bucket, one more than there are offsets: the last one counts values above all of them.
    pub buckets: Vec<i64>,
}

impl EstimatedHistogram {
    /// An empty histogram with `buckets` offsets from 1 on.
    pub fn new(buckets: usize) -> Self {
        let next = |last: &i64| {
            // As Java rounds.
            let grown = (*last as f64 * 1.2 + 0.5).floor() as i64;
            Some(grown.max(last.saturating_add(1)))
        };
        let bucket_offsets: Vec<i64> = std::iter::successors(Some(1), next)
            .take(buckets.max(1))
            .collect();
        Self::empty(bucket_offsets)
    }

    /// An empty histogram with the same offsets.
    pub fn emptied(&self) -> Self {
        Self::empty(self.bucket_offsets.clone())
    }

    fn empty(bucket_offsets: Vec<i64>) -> Self {
        Self {
            buckets: vec![0; bucket_offsets.len() + 1],
            bucket_offsets,
        }
    }

    /// Counts a value.
    pub fn add(&mut self, value: i64) {
        let index = self
            .bucket_offsets
            .partition_point(|offset| *offset < value);
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket = bucket.saturating_add(1);
        }
    }

    /// How many values were added.
    pub fn count(&self) -> i64 {
        self.buckets
            .iter()
            .fold(0, |sum, bucket| sum.saturating_add(*bucket))
    }

    pub(super) fn parse(cursor: &mut Cursor<'_>, of: &str) -> Result<Self, Damage> {
        let start = cursor.clone();
        let count = cursor.count(16, of)?;
        if count < 2 {
            return Err(start.damage(format!("{count} buckets of {of}, expected two or more")));
        }
        let mut histogram = Self {
            bucket_offsets: Vec::with_capacity(count - 1),
            buckets: Vec::with_capacity(count),
        };
        for index in 0..count {
            let at = cursor.clone();
            let offset = cursor.i64("offset of a bucket")?;
            let bucket = cursor.i64("bucket")?;
            let last = histogram.bucket_offsets.last().copied();
            // The first offset is written twice, because there is one bucket more than offsets.
            let in_order = match index {
                0 => true,
                1 => last == Some(offset),
                _ => last < Some(offset),
            };
            if !in_order || bucket < 0 {
                let what =
                    format!("a bucket of {of} up to {offset} with {bucket} values behind {last:?}");
                return Err(at.damage(what));
            }
            if index != 1 {
                histogram.bucket_offsets.push(offset);
            }
            histogram.buckets.push(bucket);
        }
        Ok(histogram)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.buckets.len() as u32).to_be_bytes());
        let offsets = self.bucket_offsets.first().into_iter();
        for (offset, bucket) in offsets.chain(&self.bucket_offsets).zip(&self.buckets) {
            out.extend_from_slice(&offset.to_be_bytes());
            out.extend_from_slice(&bucket.to_be_bytes());
        }
    }
}

/// How many tombstones reach their deletion time when (`TombstoneHistogram` of Cassandra).
#[derive(Debug, Clone, PartialEq)]
pub struct TombstoneHistogram {
    /// How many bins the writer kept at most.
    pub max_bin_size: i32,
    /// The bins, ascending by their points.
    pub bins: Vec<TombstoneBin>,
}

/// Tombstones that reach their deletion time at about the same time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TombstoneBin {
    /// In seconds since 1970; old releases merged bins at fractions of seconds.
    pub point: f64,
    /// How many tombstones.
    pub count: i64,
}

impl TombstoneHistogram {
    /// Points as doubles and counts as longs.
    pub(super) fn parse_legacy(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Self::parse(cursor, 16, |cursor| {
            Ok(TombstoneBin {
                point: cursor.f64("point of a tombstone bin")?,
                count: cursor.i64("count of a tombstone bin")?,
            })
        })
    }

    /// Points as longs and counts as ints.
    pub(super) fn parse_five(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Self::parse(cursor, 12, |cursor| {
            let start = cursor.clone();
            let point = cursor.i64("point of a tombstone bin")?;
            // A double holds any number of seconds exactly.
            if point.unsigned_abs() >= 1 << 53 {
                return Err(start.damage(format!("a tombstone bin at {point} seconds")));
            }
            Ok(TombstoneBin {
                point: point as f64,
                count: cursor.i32("count of a tombstone bin")?.into(),
            })
        })
    }

    fn parse(
        cursor: &mut Cursor<'_>,
        bin_len: usize,
        bin: impl Fn(&mut Cursor<'_>) -> Result<TombstoneBin, Damage>,
    ) -> Result<Self, Damage> {
        let max_bin_size = cursor.i32("maximum number of tombstone bins")?;
        let count = cursor.count(bin_len, "tombstone bins")?;
        let mut bins: Vec<TombstoneBin> = Vec::with_capacity(count);
        for _ in 0..count {
            let at = cursor.clone();
            let next = bin(cursor)?;
            if next.point.is_nan() {
                return Err(at.damage("the point of a tombstone bin is not a number"));
            }
            bins.push(next);
        }
        Ok(Self { max_bin_size, bins })
    }

    pub(super) fn encode_legacy(&self, out: &mut Vec<u8>) {
        self.encode_counts(out);
        for bin in &self.bins {
            out.extend_from_slice(&bin.point.to_be_bytes());
            out.extend_from_slice(&bin.count.to_be_bytes());
        }
    }

    pub(super) fn encode_five(&self, out: &mut Vec<u8>) {
        self.encode_counts(out);
        for bin in &self.bins {
            out.extend_from_slice(&(bin.point as i64).to_be_bytes());
            out.extend_from_slice(&(bin.count as i32).to_be_bytes());
        }
    }

    fn encode_counts(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.max_bin_size.to_be_bytes());
        out.extend_from_slice(&(self.bins.len() as u32).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_grow_by_a_fifth_and_at_least_by_one() {
        let offsets = EstimatedHistogram::new(155).bucket_offsets;
        let expected = [
            1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60, 72,
        ];
        assert_eq!(offsets[..20], expected);
        // The last bucket of partition sizes in Cassandra 5.0.
        assert_eq!(offsets.last(), Some(&3_520_571_548_412));
    }

    #[test]
    fn a_value_falls_in_the_first_bucket_that_reaches_it() {
        #[track_caller]
        fn check(value: i64, bucket: usize) {
            let mut histogram = EstimatedHistogram::new(10);
            histogram.add(value);
            assert_eq!(histogram.buckets[bucket], 1, "{value}");
            assert_eq!(histogram.count(), 1);
        }
        check(0, 0);
        check(1, 0);
        check(2, 1);
        check(9, 8);
        check(10, 8);
        check(12, 9);
        check(13, 10);
        check(i64::MAX, 10);
    }

    #[test]
    fn histograms_read_back_as_written() {
        let mut histogram = EstimatedHistogram::new(118);
        [1, 5, 5, 7_000, i64::MAX]
            .iter()
            .for_each(|value| histogram.add(*value));
        let mut bytes = Vec::new();
        histogram.encode(&mut bytes);
        let cursor = &mut Cursor::new("Statistics.db", &bytes);
        let parsed = EstimatedHistogram::parse(cursor, "cells").expect("whole");
        assert_eq!(parsed, histogram);
        assert_eq!(parsed.emptied(), EstimatedHistogram::new(118));
    }
}
