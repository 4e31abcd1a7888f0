//! A clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// A clock that stands still until it is moved; all its clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// The clock to open a store with.
    pub fn clock(&self) -> Clock {
        let now_ms = self.0.clone();
        Arc::new(move || {
            Timestamp::from_millisecond(now_ms.load(Ordering::SeqCst))
                .expect("a clock that starts in 1970 stays within its range")
        })
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("tests move the time by less than ages");
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}
