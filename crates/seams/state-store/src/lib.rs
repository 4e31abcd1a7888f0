//! The coordination port: small JSON values under keys, changed by compare-and-swap, and leases that fence.
//!
//! A value is written only by who has seen its last version, and only while its writer still holds the lease that it
//! says it holds: so two processes that both believe to be in charge can never overwrite each other. [`RedbStore`]
//! keeps everything in one file for one process; a backend for many processes passes the same conformance suite, which the feature `testing` adds.
//! Values are small on purpose ([`VALUE_BYTES_MAX`]): bulk data has no business here.

mod error;
mod redb_store;
#[cfg(feature = "testing")]
pub mod testing;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;

pub use error::StateError;
pub use redb_store::RedbStore;

/// The largest value, as JSON text.
pub const VALUE_BYTES_MAX: usize = 8 << 20;
/// The longest key.
pub const KEY_BYTES_MAX: usize = 512;

/// Tells the time. Passed in, so that tests decide when a lease runs out.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A value with the version that its last write gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub value: Value,
    /// Grows over the whole store with each write, so a key that was deleted and made again has another.
    pub version: u64,
}

/// What a writer expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Absent,
    Version(u64),
    /// Whatever is there, nothing included.
    Anything,
}

/// A lease as its holder has it; goes along with each write that only the holder may make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The lease's key.
    pub lease: String,
    /// Grows with each grant of this lease.
    pub token: u64,
}

/// Something that happened under a watched prefix.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Put(Entry),
    Deleted {
        key: String,
    },
    /// The watcher was too slow and some changes are lost: list again.
    Missed,
}

/// The port.
///
/// Every write is atomic and on disk when it is answered; a write that failed has either happened wholly or not at all.
/// Reads see all writes that were answered before. Keys are compared as bytes.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError>;

    /// All entries whose keys start with the prefix, by key.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError>;

    /// Writes a value and answers its version. Refused with [`StateError::Conflict`] where something else than expected
    /// is there, and with [`StateError::Fenced`] where the fence is no longer the lease's.
    async fn put(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<u64, StateError>;

    /// Deletes a key under the same conditions as [`StateStore::put`]. Where nothing is there and nothing was expected,
    /// nothing happens.
    async fn delete(
        &self,
        key: &str,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<(), StateError>;

    /// Changes from now on, in the order in which they were made. The watch stands when this returns: a list made after
    /// it misses nothing.
    fn watch(&self, prefix: &str) -> BoxStream<'static, Change>;

    /// Takes a lease that nobody holds or whose time has run out, with a token higher than all before. The same holder
    /// gets no second one: refused with [`StateError::LeaseHeld`] like everybody else.
    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError>;

    /// Lets the lease last for `ttl` from now. A lease whose time has run out can be renewed as long as nobody else has
    /// taken it; else [`StateError::Fenced`].
    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError>;

    /// Gives a lease back: its token fences from now on. Succeeds where it is lost already.
    async fn release(&self, fence: &Fence) -> Result<(), StateError>;
}
