//! The embedded backend: one redb file, one process.
//!
//! redb locks the file, so a second process is refused when it opens it. For the same reason the holder of every lease
//! from before this process opened the file is gone: opening ends all leases (their tokens stay), so that work goes on at
//! once after a crash instead of when a lease has run out.

mod entries;
mod inner;
mod leases;
mod transfer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use redb::{Database, DatabaseError};
use tokio::sync::broadcast;

use crate::{Change, Clock, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use inner::{Inner, backend};

/// Pages that redb keeps in memory; the whole state is rarely larger.
const CACHE_BYTES: usize = 16 << 20;
/// Changes that a watcher may lag behind before it misses some.
const WATCH_BACKLOG: usize = 1024;

/// State in one redb file, or in memory for tests.
#[derive(Clone)]
pub struct RedbStore {
    inner: Arc<Inner>,
}

impl RedbStore {
    /// Opens the file; creates it and its folder if absent. The clock decides when leases run out.
    pub async fn open(path: &Path, clock: Clock) -> Result<Self, StateError> {
        let path = path.to_owned();
        blocking("open the state", move || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|source| StateError::Open {
                    path: path.clone(),
                    source: source.into(),
                })?;
            }
            let database = Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create(&path)
                .map_err(|error| match error {
                    DatabaseError::DatabaseAlreadyOpen => StateError::InUse { path: path.clone() },
                    error => StateError::Open {
                        path: path.clone(),
                        source: error.into(),
                    },
                })?;
            Self::start(database, clock)
        })
        .await
    }

    /// A state that ends with the process.
    pub async fn in_memory(clock: Clock) -> Result<Self, StateError> {
        blocking("open the state in memory", move || {
            let database = Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(redb::backends::InMemoryBackend::new())
                .map_err(backend("open the state in memory"))?;
            Self::start(database, clock)
        })
        .await
    }

    fn start(database: Database, clock: Clock) -> Result<Self, StateError> {
        let (changes, _) = broadcast::channel(WATCH_BACKLOG);
        let inner = Inner {
            database,
            clock,
            changes,
            order: Mutex::new(()),
        };
        inner.create_tables()?;
        inner.end_all_leases()?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A number that no version and no token was above so far.
    pub(crate) async fn floor(&self) -> Result<u64, StateError> {
        self.run("read the version of the state", Inner::floor)
            .await
    }

    /// Makes all later versions and tokens higher than the floor.
    pub(crate) async fn raise(&self, floor: u64) -> Result<(), StateError> {
        self.run("raise the versions of the state", move |inner| {
            inner.raise(floor)
        })
        .await
    }

    /// A call that is dropped is carried out all the same: work on a blocking thread cannot be stopped.
    async fn run<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let inner = self.inner.clone();
        blocking(action, move || work(&inner)).await
    }
}

/// redb blocks on the disk, so nothing of it runs on a thread of the runtime.
async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| StateError::Backend {
            action,
            source: source.into(),
        })?
}

fn concerns(change: &Change, prefix: &str) -> bool {
    match change {
        Change::Put(entry) => entry.key.starts_with(prefix),
        Change::Deleted { key } => key.starts_with(prefix),
        Change::Missed => true,
    }
}

#[async_trait]
impl StateStore for RedbStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        let key = key.to_owned();
        self.run("read a value", move |inner| inner.get(&key)).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.run("read a page of values", move |inner| {
            inner.page(&prefix, after.as_deref(), limit, direction)
        })
        .await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        let (writes, fence) = (writes.to_vec(), fence.cloned());
        self.run("write values", move |inner| {
            inner.write(writes, fence.as_ref())
        })
        .await
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        let prefix = prefix.to_owned();
        let receiver = self.inner.changes.subscribe();
        let changes = stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(change) => Some((change, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some((Change::Missed, receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        });
        let mine = move |change: &Change| futures::future::ready(concerns(change, &prefix));
        Ok(changes.filter(mine).boxed())
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        let (lease, holder) = (lease.to_owned(), holder.to_owned());
        self.run("take a lease", move |inner| {
            inner.acquire(&lease, &holder, ttl)
        })
        .await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        let fence = fence.clone();
        self.run("renew a lease", move |inner| inner.renew(&fence, ttl))
            .await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        let fence = fence.clone();
        self.run("release a lease", move |inner| inner.release(&fence))
            .await
    }
}
