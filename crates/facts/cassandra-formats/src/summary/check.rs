//! Summary.db against Index.db: every sample must be the right entry.

use super::{BASE_SAMPLING_LEVEL, COMPONENT, Summary, is_kept};
use crate::error::{Damage, Result};

/// Compares samples with the entries of Index.db, which are offered in order. The samples must be the entries that
/// the interval and the level select, because Cassandra relies on that when it searches for a key between two
/// samples.
pub struct SummaryCheck {
    summary: Summary,
    /// How many entries were offered.
    entries: u64,
    /// How many samples were found right.
    samples: u32,
    last_key: Vec<u8>,
}

impl SummaryCheck {
    /// Prepares to compare a summary with the entries that are offered.
    pub fn new(summary: Summary) -> Self {
        Self {
            summary,
            entries: 0,
            samples: 0,
            last_key: Vec::new(),
        }
    }

    /// Offers the next entry of Index.db: its key, and its offset there.
    pub fn offer(&mut self, key: &[u8], index_position: u64) -> Result<()> {
        let interval = u64::from(self.summary.min_index_interval);
        let nth = self.entries;
        if nth == 0 && key != self.summary.first_key {
            let what = keys_differ("first key", key, &self.summary.first_key);
            return Err(Damage::whole(COMPONENT, what).into());
        }
        if nth.is_multiple_of(interval) && is_kept(nth / interval, self.summary.sampling_level) {
            self.check_sample(key, index_position)?;
        }
        self.entries += 1;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        Ok(())
    }

    fn check_sample(&mut self, key: &[u8], index_position: u64) -> Result<()> {
        let (nth, entry) = (self.samples, self.entries);
        if nth == self.summary.count {
            let what = format!(
                "{nth} samples, expected another of entry {entry} of Index.db at {index_position}"
            );
            return Err(Damage::at(COMPONENT, 4, what).into());
        }
        let sample = self.summary.sample(nth)?;
        if sample.key != key {
            let what = keys_differ(&format!("key of sample {nth}"), key, &sample.key);
            return Err(Damage::at(COMPONENT, sample.offset, what).into());
        }
        if sample.index_position != index_position {
            let what = format!(
                "sample {nth} claims to be at {} of Index.db, expected {index_position}",
                sample.index_position
            );
            let at = sample.offset + key.len() as u64;
            return Err(Damage::at(COMPONENT, at, what).into());
        }
        self.samples += 1;
        Ok(())
    }

    /// Call it after the last entry of Index.db: compares the counts and the last key.
    pub fn finish(self) -> Result<()> {
        let Self {
            summary, entries, ..
        } = self;
        if self.samples != summary.count {
            let what = format!(
                "{} samples, expected {} for {entries} entries of Index.db, each {}th at level {} of \
                 {BASE_SAMPLING_LEVEL}",
                summary.count, self.samples, summary.min_index_interval, summary.sampling_level
            );
            return Err(Damage::at(COMPONENT, 4, what).into());
        }
        let full = entries.div_ceil(summary.min_index_interval.into());
        if u64::from(summary.size_at_full_sampling) != full {
            let what = format!(
                "size at full sampling is {}, expected {full}",
                summary.size_at_full_sampling
            );
            return Err(Damage::at(COMPONENT, 20, what).into());
        }
        if self.last_key != summary.last_key {
            let what = keys_differ("last key", &self.last_key, &summary.last_key);
            return Err(Damage::whole(COMPONENT, what).into());
        }
        Ok(())
    }
}

fn keys_differ(of: &str, expected: &[u8], found: &[u8]) -> String {
    let hex = |key: &[u8]| -> String {
        let shown = key.iter().take(32).map(|byte| format!("{byte:02x}"));
        let more = if key.len() > 32 { "…" } else { "" };
        shown.collect::<String>() + more
    };
    format!("{of} is {}, expected {}", hex(found), hex(expected))
}
