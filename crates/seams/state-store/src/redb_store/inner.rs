//! The tables and their transactions. Everything here blocks on the disk.

use std::sync::Mutex;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{Change, Clock, Entry, Expected, Fence, KEY_BYTES_MAX, StateError, VALUE_BYTES_MAX};

/// Key to version and JSON text.
const ENTRIES: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("entries");
/// Lease key to JSON text of a [`LeaseRecord`].
const LEASES: TableDefinition<&str, &[u8]> = TableDefinition::new("leases");
/// Counters of the whole store.
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
const VERSION: &str = "version";

/// A lease that is or was held. Stays for its token when nobody holds it.
#[derive(Debug, Serialize, Deserialize)]
struct LeaseRecord {
    token: u64,
    /// Absent when given back.
    holder: Option<String>,
    expires_ms: i64,
}

pub(super) struct Inner {
    pub database: Database,
    pub clock: Clock,
    pub changes: broadcast::Sender<Change>,
    /// Held over a commit and its announcement, so that changes are announced in the order in which they were made.
    pub order: Mutex<()>,
}

pub(super) fn backend<E: Into<redb::Error>>(action: &'static str) -> impl Fn(E) -> StateError {
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

    pub fn end_all_leases(&self) -> Result<(), StateError> {
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

    pub fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
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

    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
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

    pub fn put(
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

    pub fn delete(
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

    pub fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
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

    pub fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
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

    pub fn release(&self, fence: &Fence) -> Result<(), StateError> {
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
