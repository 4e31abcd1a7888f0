//! Follows the reads of one slice: they count as progress, and end when the work is stopped.

use async_trait::async_trait;
use bucket::ReadWatch;
use chassis::work::{Counter, Work};

/// The reads of one slice.
pub(super) struct SliceReads {
    pub work: Work,
    pub counter: Counter,
}

#[async_trait]
impl ReadWatch for SliceReads {
    async fn stopped(&self) {
        let _ = self.work.or_stop(std::future::pending::<()>()).await;
    }

    fn count(&self, bytes: u64) {
        self.counter.add_bytes(bytes);
    }
}
