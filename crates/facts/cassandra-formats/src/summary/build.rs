//! Builds a Summary.db from the entries of an Index.db that is being written.

use super::{BASE_SAMPLING_LEVEL, OFFSET_LEN, POSITION_LEN, is_kept};

/// The most bytes of keys and positions that are held.
const MAX_ENTRIES_LEN: usize = 64 << 20;
/// A table's `max_index_interval`, unless it was changed: Cassandra discards a summary whose samples are further apart.
const MAX_INDEX_INTERVAL: u32 = 2048;

/// Takes every n-th of the keys that are offered, and thins them out as Cassandra does if they need too much memory.
pub struct SummaryBuilder {
    min_index_interval: u32,
    sampling_level: u32,
    max_entries_len: usize,
    keys: u64,
    /// The offsets of the samples in [`Self::entries`].
    offsets: Vec<u32>,
    /// The samples as they are stored: key, position.
    entries: Vec<u8>,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    /// Whether even the thinnest summary would need too much memory.
    too_large: bool,
}

impl SummaryBuilder {
    /// For the table's `min_index_interval`, as the source's own summary has it; Cassandra discards a summary with
    /// another.
    pub fn new(min_index_interval: u32) -> Self {
        Self::with_limit(min_index_interval, MAX_ENTRIES_LEN)
    }

    pub(super) fn with_limit(min_index_interval: u32, max_entries_len: usize) -> Self {
        Self {
            min_index_interval: min_index_interval.max(1),
            sampling_level: BASE_SAMPLING_LEVEL,
            max_entries_len,
            keys: 0,
            offsets: Vec::new(),
            entries: Vec::new(),
            first_key: Vec::new(),
            last_key: Vec::new(),
            too_large: false,
        }
    }

    /// Offers the next entry of Index.db: its key, and its offset there.
    pub fn offer(&mut self, key: &[u8], index_position: u64) {
        let interval = u64::from(self.min_index_interval);
        if self.keys == 0 {
            self.first_key = key.to_vec();
        }
        if self.keys.is_multiple_of(interval) {
            self.offer_sample(self.keys / interval, key, index_position);
        }
        self.keys += 1;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
    }

    fn offer_sample(&mut self, nth: u64, key: &[u8], index_position: u64) {
        let len = key.len() + POSITION_LEN as usize;
        while !self.too_large
            && is_kept(nth, self.sampling_level)
            && self.entries.len() + len > self.max_entries_len
        {
            self.thin_out();
        }
        if self.too_large || !is_kept(nth, self.sampling_level) {
            return;
        }
        match u32::try_from(self.entries.len()) {
            Ok(offset) => self.offsets.push(offset),
            Err(_) => return self.give_up(),
        }
        self.entries.extend_from_slice(key);
        self.entries
            .extend_from_slice(&index_position.to_le_bytes());
    }

    /// Halves the level, which drops every second sample.
    fn thin_out(&mut self) {
        let level = self.sampling_level / 2;
        let interval = self.min_index_interval.saturating_mul(BASE_SAMPLING_LEVEL);
        if level == 0 || interval.div_ceil(level) > MAX_INDEX_INTERVAL {
            return self.give_up();
        }
        self.sampling_level = level;
        let (mut samples, mut len) = (0, 0);
        for index in (0..self.offsets.len()).step_by(2) {
            let start = self.offsets[index] as usize;
            let end = match self.offsets.get(index + 1) {
                Some(end) => *end as usize,
                None => self.entries.len(),
            };
            self.entries.copy_within(start..end, len);
            self.offsets[samples] = u32::try_from(len).expect("nothing moves up");
            samples += 1;
            len += end - start;
        }
        self.offsets.truncate(samples);
        self.entries.truncate(len);
    }

    fn give_up(&mut self) {
        self.too_large = true;
        self.offsets = Vec::new();
        self.entries = Vec::new();
    }

    /// Returns the component; `None` if there should be no Summary.db, because no key was offered or there were too
    /// many. Cassandra then builds one when it loads the SSTable.
    pub fn finish(self) -> Option<Vec<u8>> {
        let count = u32::try_from(self.offsets.len())
            .ok()
            .filter(|count| *count > 0)?;
        let full = self.keys.div_ceil(self.min_index_interval.into());
        let base = count.checked_mul(OFFSET_LEN as u32)?;
        let size = u64::from(base) + self.entries.len() as u64;
        let mut out = Vec::new();
        out.extend_from_slice(&self.min_index_interval.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(&self.sampling_level.to_be_bytes());
        out.extend_from_slice(&u32::try_from(full).ok()?.to_be_bytes());
        for offset in self.offsets {
            out.extend_from_slice(&offset.checked_add(base)?.to_le_bytes());
        }
        out.extend_from_slice(&self.entries);
        for key in [self.first_key, self.last_key] {
            out.extend_from_slice(&u32::try_from(key.len()).ok()?.to_be_bytes());
            out.extend_from_slice(&key);
        }
        Some(out)
    }
}
