//! Counts the bytes of one attempt, which are taken back if it is repeated.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Work;

/// Bytes that one attempt has counted as progress.
pub struct Counter {
    work: Work,
    bytes: AtomicU64,
}

impl Counter {
    pub(super) fn new(work: Work) -> Self {
        Self {
            work,
            bytes: AtomicU64::new(0),
        }
    }

    /// Counts some.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.work.add_bytes(bytes);
    }

    /// What has been counted.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The attempt is repeated: what it counted does not count.
    pub fn take_back(&self) {
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        self.work
            .update(|progress| progress.bytes_done = progress.bytes_done.saturating_sub(bytes));
    }
}
