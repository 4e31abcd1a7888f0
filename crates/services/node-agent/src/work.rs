//! Long work: how it tells of its progress, how it is asked to stop, and that one thing is worked on only once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{ErrorKind, ServiceError};
use futures::StreamExt;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How far a piece of work is. Totals of 0 mean: not known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub bytes_done: u64,
    pub bytes_total: u64,
    pub items_done: u64,
    pub items_total: u64,
    /// What is being worked on now, for people.
    pub note: String,
}

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

/// What long work is given: where to tell of progress, and whether to go on.
#[derive(Clone)]
pub struct Work {
    progress: Arc<watch::Sender<Progress>>,
    stop: CancellationToken,
}

impl Work {
    pub fn new() -> (Self, watch::Receiver<Progress>, CancellationToken) {
        let (sender, receiver) = watch::channel(Progress::default());
        let stop = CancellationToken::new();
        let work = Self {
            progress: Arc::new(sender),
            stop: stop.clone(),
        };
        (work, receiver, stop)
    }

    /// Work that tells of its progress as this does, and can be stopped apart.
    pub fn child(&self) -> Self {
        Self {
            progress: self.progress.clone(),
            stop: self.stop.child_token(),
        }
    }

    pub fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    pub fn add_bytes(&self, bytes: u64) {
        self.update(|progress| progress.bytes_done += bytes);
    }

    /// Counts bytes that may be taken back.
    pub fn counter(&self) -> Counter {
        Counter {
            work: self.clone(),
            bytes: AtomicU64::new(0),
        }
    }

    pub fn note(&self, note: impl Into<String>) {
        self.update(|progress| progress.note = note.into());
    }

    /// To be asked at every safe point.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Stops this work when what is answered is dropped.
    pub fn stop_when_dropped(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Waits for something that may be given up at any moment.
    pub async fn or_stop<T>(&self, wait: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped),
            value = wait => Ok(value),
        }
    }
}

/// Runs something for each item, `parallel` at a time, and answers when all have ended. The first error stops the others
/// at their next safe point: none is cut off in the middle of what it writes. `run` must work under `children`.
pub async fn for_each<Item, T, E, Run>(
    children: &Work,
    parallel: usize,
    items: Vec<Item>,
    run: impl Fn(Item) -> Run,
    mut ended: impl FnMut(T),
) -> Result<(), E>
where
    Run: Future<Output = Result<T, E>>,
{
    let mut running = futures::stream::iter(items)
        .map(run)
        .buffer_unordered(parallel.max(1));
    let mut first_error = None;
    while let Some(result) = running.next().await {
        match result {
            Ok(value) => ended(value),
            Err(error) => {
                children.stop.cancel();
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

/// Bytes that one try has counted as progress.
pub struct Counter {
    work: Work,
    bytes: AtomicU64,
}

impl Counter {
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.work.add_bytes(bytes);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The try is made again: what it counted does not count.
    pub fn take_back(&self) {
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        self.work
            .update(|progress| progress.bytes_done = progress.bytes_done.saturating_sub(bytes));
    }
}

/// Locks by name: one piece of work at a time on each snapshot, restore or node.
#[derive(Clone, Default)]
pub struct Locks {
    named: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Locks {
    /// Waits until nobody else works on it.
    pub async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds or waits for are forgotten here, so the map stays as small as the work at hand.
            named.retain(|_, lock| Arc::strong_count(lock) > 1);
            named.entry(name.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_is_locked_once_and_others_are_free() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        let _other = locks.lock("b").await;
        let again = tokio::spawn({
            let locks = locks.clone();
            async move {
                locks.lock("a").await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!again.is_finished());
        drop(first);
        again.await.unwrap();
    }

    #[tokio::test]
    async fn an_error_stops_the_others_and_waits_for_them() {
        let (work, ..) = Work::new();
        let children = work.child();
        let ended = std::cell::RefCell::new(Vec::new());
        let run = |item: u32| {
            let (children, ended) = (children.clone(), &ended);
            async move {
                if item == 2 {
                    return Err(item);
                }
                let stopped = children.or_stop(std::future::pending::<()>()).await;
                tokio::task::yield_now().await;
                ended.borrow_mut().push(item);
                stopped.map_err(|_| item)
            }
        };
        let result = for_each(&children, 2, vec![1, 2, 3], run, |()| {}).await;
        assert_eq!(result, Err(2));
        ended.borrow_mut().sort();
        assert_eq!(*ended.borrow(), [1, 3]);
        assert_eq!(work.check(), Ok(()), "the work itself may go on");
    }

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
