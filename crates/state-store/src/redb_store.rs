//! The embedded backend: one redb file, one process.
//!
//! redb locks the file, so a second process is refused when it opens it. For the same reason whoever held a lease
//! before this process opened the file is gone: opening ends all leases (their tokens stay), and work goes on at once
//! after a crash instead of when a lease has run out.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{Change, Clock, Entry, Expected, Fence, KEY_BYTES_MAX, StateError, StateStore, VALUE_BYTES_MAX};

/// Key to version and JSON text.
const ENTRIES: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("entries");
/// Lease key to JSON text of a [`LeaseRecord`].
const LEASES: TableDefinition<&str, &[u8]> = TableDefinition::new("leases");
/// Counters of the whole store.
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
const VERSION: &str = "version";

/// Pages that redb keeps in memory; the whole state is rarely larger.
const CACHE_BYTES: usize = 16 << 20;
/// Changes that a watcher may lag behind before it misses some.
const WATCH_BACKLOG: usize = 1024;

/// A lease that is or was held. Stays for its token when nobody holds it.
#[derive(Debug, Serialize, Deserialize)]
struct LeaseRecord {
    token: u64,
    /// Absent when given back.
    holder: Option<String>,
    expires_ms: i64,
}

/// State in one redb file, or in memory for tests.
#[derive(Clone)]
pub struct RedbStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    clock: Clock,
    changes: broadcast::Sender<Change>,
    /// Held over a commit and its announcement, so that changes are announced in the order in which they were made.
    order: Mutex<()>,
}

impl RedbStore {
    /// Opens the file, or makes it and its folder.
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
        inner.end_all_leases()?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

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

fn backend<E: Into<redb::Error>>(action: &'static str) -> impl Fn(E) -> StateError {
    move |error| StateError::Backend {
        action,
        source: Box::new(error.into()),
    }
}

fn check_key(key: &str) -> Result<(), StateError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(StateError::BadKey {
            key: key.to_owned(),
            max: KEY_BYTES_MAX,
        });
    }
    Ok(())
}

fn decode<T: serde::de::DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })
}

impl Inner {
    /// Runs a write transaction and announces what it changed once it is on disk.
    fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<(T, Option<Change>), StateError>,
    ) -> Result<T, StateError> {
        let _in_order = self
            .order
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let transaction = self.database.begin_write().map_err(backend(action))?;
        let (answer, change) = work(&transaction)?;
        transaction.commit().map_err(backend(action))?;
        if let Some(change) = change {
            // Nobody watching is no error.
            let _ = self.changes.send(change);
        }
        Ok(answer)
    }

    fn end_all_leases(&self) -> Result<(), StateError> {
        const ACTION: &str = "end the leases of the process before";
        self.write(ACTION, |transaction| {
            // Opened here so that readers always find the tables.
            transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
            transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
            let mut leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
            let mut ended = Vec::new();
            for row in leases.iter().map_err(backend(ACTION))? {
                let (key, bytes) = row.map_err(backend(ACTION))?;
                let mut record: LeaseRecord = decode(key.value(), bytes.value())?;
                record.holder = None;
                ended.push((key.value().to_owned(), record));
            }
            for (key, record) in ended {
                leases
                    .insert(key.as_str(), encode(&key, &record)?.as_slice())
                    .map_err(backend(ACTION))?;
            }
            Ok(((), None))
        })
    }

    fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        let action = "read a value";
        let transaction = self.database.begin_read().map_err(backend(action))?;
        let entries = transaction.open_table(ENTRIES).map_err(backend(action))?;
        let row = entries.get(key).map_err(backend(action))?;
        row.map(|row| {
            let (version, bytes) = row.value();
            entry(key, version, bytes)
        })
        .transpose()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let action = "list values";
        let transaction = self.database.begin_read().map_err(backend(action))?;
        let entries = transaction.open_table(ENTRIES).map_err(backend(action))?;
        let mut found = Vec::new();
        for row in entries.range(prefix..).map_err(backend(action))? {
            let (key, value) = row.map_err(backend(action))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            let (version, bytes) = value.value();
            found.push(entry(key.value(), version, bytes)?);
        }
        Ok(found)
    }

    fn put(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<u64, StateError> {
        const ACTION: &str = "write a value";
        check_key(key)?;
        let bytes = encode(key, &value)?;
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(StateError::ValueTooLarge {
                key: key.to_owned(),
                bytes: bytes.len(),
                max: VALUE_BYTES_MAX,
            });
        }
        self.write(ACTION, |transaction| {
            check_fence(transaction, fence)?;
            let mut entries = transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
            check_expected(&entries, key, expected)?;
            let version = next_version(transaction)?;
            entries
                .insert(key, (version, bytes.as_slice()))
                .map_err(backend(ACTION))?;
            let entry = Entry {
                key: key.to_owned(),
                value,
                version,
            };
            Ok((version, Some(Change::Put(entry))))
        })
    }

    fn delete(
        &self,
        key: &str,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<(), StateError> {
        const ACTION: &str = "delete a value";
        check_key(key)?;
        self.write(ACTION, |transaction| {
            check_fence(transaction, fence)?;
            let mut entries = transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
            check_expected(&entries, key, expected)?;
            let was_there = entries.remove(key).map_err(backend(ACTION))?.is_some();
            let change = was_there.then(|| Change::Deleted {
                key: key.to_owned(),
            });
            Ok(((), change))
        })
    }

    /// Changes a lease's record; what `decide` answers is written.
    fn change_lease(
        &self,
        lease: &str,
        decide: impl FnOnce(Option<LeaseRecord>) -> Result<Option<LeaseRecord>, StateError>,
    ) -> Result<u64, StateError> {
        const ACTION: &str = "write a lease";
        check_key(lease)?;
        self.write(ACTION, |transaction| {
            let found = read_lease(transaction, lease)?;
            let mut token = found.as_ref().map_or(0, |record| record.token);
            if let Some(record) = decide(found)? {
                token = record.token;
                let mut leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
                leases
                    .insert(lease, encode(lease, &record)?.as_slice())
                    .map_err(backend(ACTION))?;
            }
            Ok((token, None))
        })
    }

    fn now_ms(&self) -> i64 {
        (self.clock)().as_millisecond()
    }

    fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        let now_ms = self.now_ms();
        let token = self.change_lease(lease, |found| {
            if let Some(LeaseRecord {
                holder: Some(other),
                expires_ms,
                ..
            }) = &found
                && *expires_ms > now_ms
            {
                return Err(StateError::LeaseHeld {
                    lease: lease.to_owned(),
                    holder: other.clone(),
                });
            }
            Ok(Some(LeaseRecord {
                token: found.map_or(0, |record| record.token) + 1,
                holder: Some(holder.to_owned()),
                expires_ms: expiry(now_ms, ttl),
            }))
        })?;
        Ok(Fence {
            lease: lease.to_owned(),
            token,
        })
    }

    fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        let now_ms = self.now_ms();
        self.change_lease(&fence.lease, |found| match found {
            Some(record) if record.token == fence.token && record.holder.is_some() => {
                Ok(Some(LeaseRecord {
                    expires_ms: expiry(now_ms, ttl),
                    ..record
                }))
            }
            _ => Err(fenced(fence)),
        })?;
        Ok(())
    }

    fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.change_lease(&fence.lease, |found| {
            Ok(found
                .filter(|record| record.token == fence.token)
                .map(|record| LeaseRecord {
                    holder: None,
                    ..record
                }))
        })?;
        Ok(())
    }
}

fn expiry(now_ms: i64, ttl: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}

fn encode<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(value).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })
}

fn entry(key: &str, version: u64, bytes: &[u8]) -> Result<Entry, StateError> {
    Ok(Entry {
        key: key.to_owned(),
        value: decode(key, bytes)?,
        version,
    })
}

fn fenced(fence: &Fence) -> StateError {
    StateError::Fenced {
        lease: fence.lease.clone(),
        token: fence.token,
    }
}

fn read_lease(
    transaction: &WriteTransaction,
    lease: &str,
) -> Result<Option<LeaseRecord>, StateError> {
    const ACTION: &str = "read a lease";
    let leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
    let row = leases.get(lease).map_err(backend(ACTION))?;
    row.map(|row| decode(lease, row.value())).transpose()
}

/// A lease that has run out but that nobody has taken still lets its holder write: there is no other writer to protect.
fn check_fence(transaction: &WriteTransaction, fence: Option<&Fence>) -> Result<(), StateError> {
    let Some(fence) = fence else { return Ok(()) };
    match read_lease(transaction, &fence.lease)? {
        Some(record) if record.token == fence.token && record.holder.is_some() => Ok(()),
        _ => Err(fenced(fence)),
    }
}

fn check_expected(
    entries: &impl ReadableTable<&'static str, (u64, &'static [u8])>,
    key: &str,
    expected: Expected,
) -> Result<(), StateError> {
    let found = entries
        .get(key)
        .map_err(backend("read a value"))?
        .map(|row| row.value().0);
    let as_expected = match expected {
        Expected::Anything => true,
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found == Some(version),
    };
    if as_expected {
        Ok(())
    } else {
        Err(StateError::Conflict {
            key: key.to_owned(),
        })
    }
}

fn next_version(transaction: &WriteTransaction) -> Result<u64, StateError> {
    const ACTION: &str = "count a version";
    let mut counters = transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
    let last = counters
        .get(VERSION)
        .map_err(backend(ACTION))?
        .map_or(0, |row| row.value());
    counters
        .insert(VERSION, last + 1)
        .map_err(backend(ACTION))?;
    Ok(last + 1)
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

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let prefix = prefix.to_owned();
        self.run("list values", move |inner| inner.list(&prefix))
            .await
    }

    async fn put(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<u64, StateError> {
        let (key, fence) = (key.to_owned(), fence.cloned());
        self.run("write a value", move |inner| {
            inner.put(&key, value, expected, fence.as_ref())
        })
        .await
    }

    async fn delete(
        &self,
        key: &str,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<(), StateError> {
        let (key, fence) = (key.to_owned(), fence.cloned());
        self.run("delete a value", move |inner| {
            inner.delete(&key, expected, fence.as_ref())
        })
        .await
    }

    fn watch(&self, prefix: &str) -> BoxStream<'static, Change> {
        let prefix = prefix.to_owned();
        let receiver = self.inner.changes.subscribe();
        stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(change) => Some((change, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some((Change::Missed, receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
        .filter(move |change| futures::future::ready(concerns(change, &prefix)))
        .boxed()
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
