//! Long work: how it reports its progress, and how it is asked to stop.

mod counter;
mod gate;
mod parallel;
mod per_task;
mod stream;

use std::sync::Arc;

use api::{ErrorKind, ServiceError};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use counter::Counter;
pub use gate::{Gate, Place};
pub use model::task::Progress;
pub use parallel::for_each;
pub use per_task::PerTask;
pub use stream::stream;

/// The work was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work was stopped because its caller went away")]
pub struct Stopped;

impl ServiceError for Stopped {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Cancelled
    }

    fn reason(&self) -> &'static str {
        "STOPPED"
    }
}

/// What long work is given: where to report progress, and whether to go on.
#[derive(Clone)]
pub struct Work {
    progress: Arc<watch::Sender<Progress>>,
    stop: CancellationToken,
}

impl Work {
    /// The handle for the work, its progress, and what stops it.
    pub fn new() -> (Self, watch::Receiver<Progress>, CancellationToken) {
        let (sender, receiver) = watch::channel(Progress::default());
        let stop = CancellationToken::new();
        let work = Self {
            progress: Arc::new(sender),
            stop: stop.clone(),
        };
        (work, receiver, stop)
    }

    /// Work that reports its progress as part of this, and can be stopped on its own.
    pub fn child(&self) -> Self {
        Self {
            progress: self.progress.clone(),
            stop: self.stop.child_token(),
        }
    }

    /// Changes the progress.
    pub fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// Replaces the progress as a whole.
    pub fn report(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }

    /// Adds to the bytes that are done.
    pub fn add_bytes(&self, bytes: u64) {
        self.update(|progress| progress.bytes_done += bytes);
    }

    /// Counts bytes that may be taken back.
    pub fn counter(&self) -> Counter {
        Counter::new(self.clone())
    }

    /// Says what is being worked on now.
    pub fn note(&self, note: impl Into<String>) {
        self.update(|progress| progress.note = note.into());
    }

    /// To be called at every safe point.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Stops this work when the guard is dropped.
    pub fn stop_when_dropped(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Waits for something that may be abandoned at any moment.
    pub async fn or_stop<T>(&self, wait: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped),
            value = wait => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopped_work_does_not_wait() {
        let (work, _progress, stop) = Work::new();
        stop.cancel();
        assert_eq!(
            work.or_stop(std::future::pending::<()>()).await,
            Err(Stopped)
        );
        assert_eq!(work.check(), Err(Stopped));
    }
}
