//! The coordination port: small JSON values under keys, changed by compare-and-swap in transactions, and leases that fence.
//!
//! A value is written only by a caller who has seen its last version, and only while that caller still holds the lease
//! that it names. So two processes that both believe to be in charge can never overwrite each other.
//!
//! - [`StateStore`] is the port; each of its methods says what callers may rely on.
//! - [`open`] opens the backend that a [`StateConfig`] names. [`RedbStore`] keeps everything in one file, for one process;
//!   [`EtcdStore`] keeps it in etcd, for several.
//! - [`transfer`] moves a state from one backend to the other.
//! - The feature `testing` adds the conformance suite that every backend passes, and a clock that tests move.
//!
//! The port promises only what etcd can keep too, so that state can move to a cluster of machines without a change in
//! the callers. Hence the limits: a request to etcd has at most 1.5 MiB, so a value has at most [`VALUE_BYTES_MAX`], and so
//! have all values of a transaction together ([`TRANSACTION_BYTES_MAX`], [`TRANSACTION_OPERATIONS_MAX`]). Bulk data
//! belongs elsewhere.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), state_store::StateError> {
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use serde_json::json;
//! use state_store::{Direction, Expected, RedbStore, StateError, StateStore, Write};
//!
//! let store = RedbStore::in_memory(Arc::new(jiff::Timestamp::now)).await?;
//!
//! // Only the holder of the lease writes.
//! let lease = store.acquire("jobs/1", "worker a", Duration::from_secs(60)).await?;
//! let created = store
//!     .write(
//!         &[
//!             Write::put("jobs/1", json!({"state": "running"}), Expected::Absent),
//!             Write::put("index/running/1", json!(null), Expected::Anything),
//!         ],
//!         Some(&lease),
//!     )
//!     .await?;
//!
//! // A write names the version that it replaces; a second one of the same version is refused.
//! let done = json!({"state": "done"});
//! store.put("jobs/1", done.clone(), Expected::Version(created), Some(&lease)).await?;
//! let late = store.put("jobs/1", done, Expected::Version(created), Some(&lease)).await;
//! assert!(matches!(late, Err(StateError::Conflict { .. })));
//!
//! let newest = store.page("jobs/", None, 10, Direction::Descending).await?;
//! assert_eq!(newest.entries[0].value, json!({"state": "done"}));
//! assert!(!newest.more);
//! store.release(&lease).await
//! # }
//! ```

#![warn(missing_docs)]

mod config;
mod error;
mod etcd_store;
mod page;
mod redb_store;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transfer;
mod write;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub use config::{StateConfig, StateKind, open};
pub use error::StateError;
pub use etcd_store::{EtcdConfig, EtcdStore};
pub use page::{Direction, Page};
pub use redb_store::RedbStore;
pub use store::StateStore;
pub use write::{Expected, Write};

/// The largest value, as JSON text.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// The most JSON text that the values of one transaction may have together.
pub const TRANSACTION_BYTES_MAX: usize = 1 << 20;
/// The most operations of one transaction. etcd allows 128 comparisons, of which a fence takes one.
pub const TRANSACTION_OPERATIONS_MAX: usize = 100;
/// The longest key.
pub const KEY_BYTES_MAX: usize = 512;
/// The most entries of one page.
pub const PAGE_ENTRIES_MAX: usize = 1000;

/// Returns the time. Passed in, so that tests decide when a lease runs out.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A value with the version that its last write gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The whole key, prefix included.
    pub key: String,
    /// What was written last.
    pub value: Value,
    /// Grows over the whole store with each transaction, so a key that was deleted and created again has another. All
    /// values that were put by one transaction have the same.
    pub version: u64,
}

/// A lease as its holder has it; goes along with each write that only the holder may make.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The lease's key.
    pub lease: String,
    /// Grows with each grant of this lease, not necessarily by one.
    pub token: u64,
}

/// Something that happened under a watched prefix.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A value was written.
    Put(Entry),
    /// A key was deleted that was there.
    Deleted {
        /// The key.
        key: String,
    },
    /// Some changes are lost, because the watcher was too slow or the backend no longer has them (etcd compacts its
    /// history). The watch goes on from here: read again what matters.
    Missed,
}
