//! The database file and its transactions. Everything here blocks on the disk.

use std::sync::{Mutex, PoisonError};

use redb::{Database, TableDefinition, WriteTransaction};
use tokio::sync::broadcast;

use crate::{Change, Clock, StateError};

/// Key to version and JSON text.
pub(super) const ENTRIES: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("entries");
/// Lease key to JSON text of a lease record.
pub(super) const LEASES: TableDefinition<&str, &[u8]> = TableDefinition::new("leases");
/// Counters of the whole store.
pub(super) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");

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

pub(super) fn decode<T: serde::de::DeserializeOwned>(
    key: &str,
    bytes: &[u8],
) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })
}

impl Inner {
    /// Runs a write transaction, and announces what it changed once that is on disk.
    pub fn transaction<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<(T, Vec<Change>), StateError>,
    ) -> Result<T, StateError> {
        let _in_order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = self.database.begin_write().map_err(backend(action))?;
        let (result, changes) = work(&transaction)?;
        transaction.commit().map_err(backend(action))?;
        for change in changes {
            // A change that has no watcher is no error.
            let _ = self.changes.send(change);
        }
        Ok(result)
    }

    /// Creates the tables, so that readers always find them.
    pub fn create_tables(&self) -> Result<(), StateError> {
        const ACTION: &str = "create the tables of the state";
        self.transaction(ACTION, |transaction| {
            transaction.open_table(ENTRIES).map_err(backend(ACTION))?;
            transaction.open_table(LEASES).map_err(backend(ACTION))?;
            transaction.open_table(COUNTERS).map_err(backend(ACTION))?;
            Ok(((), Vec::new()))
        })
    }

    /// Read inside of a transaction, so that time does not pass between a check and the write that relies on it.
    pub fn now_ms(&self) -> i64 {
        (self.clock)().as_millisecond()
    }
}
