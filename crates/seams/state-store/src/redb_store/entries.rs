//! Entries: read, paged through, and written in transactions.

use std::ops::Bound;

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::inner::{COUNTERS, ENTRIES, Inner, backend, decode};
use crate::write::{self, Encoded};
use crate::{Change, Direction, Entry, Fence, Page, StateError, Write, page};

pub(super) const VERSION: &str = "version";

impl Inner {
    pub fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        let action = "read a value";
        let transaction = self.database.begin_read().map_err(backend(action))?;
        let entries = transaction.open_table(ENTRIES).map_err(backend(action))?;
        let row = entries.get(key).map_err(backend(action))?;
        row.map(|row| entry(key, row.value())).transpose()
    }

    pub fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        let action = "read a page of values";
        page::check_limit(prefix, limit)?;
        let Some((lower, upper)) = page::bounds(prefix, after, direction) else {
            return Ok(Page::default());
        };
        let transaction = self.database.begin_read().map_err(backend(action))?;
        let entries = transaction.open_table(ENTRIES).map_err(backend(action))?;
        let range: (Bound<&str>, Bound<&str>) = (as_str(&lower), as_str(&upper));
        let mut rows = entries.range::<&str>(range).map_err(backend(action))?;
        let mut found = Page::default();
        loop {
            let row = match direction {
                Direction::Ascending => rows.next(),
                Direction::Descending => rows.next_back(),
            };
            let Some(row) = row else { return Ok(found) };
            if found.entries.len() == limit {
                found.more = true;
                return Ok(found);
            }
            let (key, value) = row.map_err(backend(action))?;
            found.entries.push(entry(key.value(), value.value())?);
        }
    }

    pub fn write(&self, writes: Vec<Write>, fence: Option<&Fence>) -> Result<u64, StateError> {
        const ACTION: &str = "write values";
        let writes = write::encode(writes)?;
        self.transaction(ACTION, |transaction| {
            if let Some(fence) = fence {
                self.check_fence(transaction, fence)?;
            }
            check_expected(transaction, &writes)?;
            let version = next_version(transaction)?;
            Ok((version, apply(transaction, writes, version)?))
        })
    }
}

fn as_str(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

fn entry(key: &str, (version, bytes): (u64, &[u8])) -> Result<Entry, StateError> {
    Ok(Entry {
        key: key.to_owned(),
        value: decode(key, bytes)?,
        version,
    })
}

fn check_expected(transaction: &WriteTransaction, writes: &[Encoded]) -> Result<(), StateError> {
    const ACTION: &str = "read what a write expects";
    let entries = transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
    for Encoded { write, .. } in writes {
        let row = entries.get(write.key()).map_err(backend(ACTION))?;
        let found = row.map(|row| row.value().0);
        if !write.expected().is_met_by(found) {
            return Err(StateError::Conflict {
                key: write.key().to_owned(),
            });
        }
    }
    Ok(())
}

fn apply(
    transaction: &WriteTransaction,
    writes: Vec<Encoded>,
    version: u64,
) -> Result<Vec<Change>, StateError> {
    const ACTION: &str = "write a value";
    let mut entries = transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
    let mut changes = Vec::with_capacity(writes.len());
    for Encoded { write, bytes } in writes {
        match write {
            Write::Put { key, value, .. } => {
                let bytes = bytes.expect("every put was encoded before the transaction");
                entries
                    .insert(key.as_str(), (version, bytes.as_slice()))
                    .map_err(backend(ACTION))?;
                changes.push(Change::Put(Entry {
                    key,
                    value,
                    version,
                }));
            }
            Write::Delete { key, .. } => {
                let removed = entries.remove(key.as_str()).map_err(backend(ACTION))?;
                if removed.is_some() {
                    changes.push(Change::Deleted { key });
                }
            }
        }
    }
    Ok(changes)
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
