//! The port itself.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::{Change, Direction, Entry, Expected, Fence, Page, StateError, Write};

/// How many entries [`StateStore::list`] reads at a time: bounds a reply, whose values may be large.
const LIST_PAGE_ENTRIES: usize = 100;

/// Small JSON values under keys, changed in transactions, and leases that fence.
///
/// Every method may be called from many tasks at once. Keys are compared as bytes. Reads see every write whose call
/// returned before the read began.
///
/// **Errors.** A refusal ([`StateError::Conflict`], [`StateError::Fenced`] and the like) means that nothing was written.
/// [`StateError::Backend`] means that it is not known: the reply may have been lost. Read before repeating such a write:
/// a repetition that expects a version may meet the result of the first try and be refused.
///
/// **Dropped futures.** A call whose future is dropped, like one whose reply was lost, is carried out wholly or not at all,
/// and perhaps later than calls that follow it. A caller who must not be overtaken by a dropped write writes with
/// [`Expected::Version`]: then the later of the two is refused.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// The entry of a key, if there is one.
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError>;

    /// The first entries with the prefix, in the direction, whose keys come after `after` in it; all of one moment. `after`
    /// need not exist. `limit` is from 1 to [`PAGE_ENTRIES_MAX`](crate::PAGE_ENTRIES_MAX); choose it by the size of
    /// the values. An empty prefix is all keys.
    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError>;

    /// All entries with the prefix, by key: for prefixes with few entries. It is read in pages, so an entry that is put or
    /// deleted meanwhile may be in the list or not; every other is, once.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map(|entry| entry.key.clone());
            let page = self
                .page(
                    prefix,
                    after.as_deref(),
                    LIST_PAGE_ENTRIES,
                    Direction::Ascending,
                )
                .await?;
            entries.extend(page.entries);
            if !page.more {
                return Ok(entries);
            }
        }
    }

    /// Carries out all operations, or none: a transaction. Returns the version that all its values have now. It is higher
    /// than that of every transaction before, unless this one changed nothing.
    ///
    /// Nothing is written and the reason returned unless, in one moment with the writing,
    /// - the fence's lease is held with its token and has not run out ([`StateError::Fenced`]),
    /// - every operation finds what it expects ([`StateError::Conflict`] names the first key that does not).
    ///
    /// From 1 to [`TRANSACTION_OPERATIONS_MAX`](crate::TRANSACTION_OPERATIONS_MAX) operations, on different keys, with
    /// values of at most [`TRANSACTION_BYTES_MAX`](crate::TRANSACTION_BYTES_MAX) together. When this returns, the
    /// transaction is durable and visible to every reader, who sees all of it or nothing. After
    /// [`StateError::Backend`], or if the future is dropped, it has happened, will happen or will never happen, always
    /// as a whole.
    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError>;

    /// Writes one value and returns its version: a [`write`](Self::write) of one operation.
    async fn put(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<u64, StateError> {
        self.write(&[Write::put(key, value, expected)], fence).await
    }

    /// Deletes one key: a [`write`](Self::write) of one operation. If nothing is there and that is as expected, nothing
    /// happens.
    async fn delete(
        &self,
        key: &str,
        expected: Expected,
        fence: Option<&Fence>,
    ) -> Result<(), StateError> {
        self.write(&[Write::delete(key, expected)], fence).await?;
        Ok(())
    }

    /// Changes under the prefix from now on, in the order in which they were made; those of one transaction follow one
    /// another, in the order of its operations.
    ///
    /// Everything that is written after this has returned is reported, or [`Change::Missed`] is in its place. So watch
    /// first and then read: nothing is missed. Changes from just before may be reported too.
    ///
    /// The stream ends when the backend can no longer watch: the connection is gone and could not be set up again, or the
    /// store was closed. Changes may be lost then; watch again and read again. If a backend can continue after a broken
    /// connection where it was, it does, and reports [`Change::Missed`] if it cannot tell what happened in between. A
    /// stream that is dropped ends the watch.
    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError>;

    /// Takes a lease that is free or has run out, with a token higher than all before. Any other is refused with
    /// [`StateError::LeaseHeld`], also if its holder is the same.
    ///
    /// It lasts for `ttl` from now; a backend may let it last a little longer, never shorter. After
    /// [`StateError::Backend`], or if the future is dropped, the lease may be held without a holder that knows it, until it
    /// runs out.
    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError>;

    /// Lets the lease last for `ttl` from now. A lease that has run out cannot be renewed, whether or not it was taken
    /// since: [`StateError::Fenced`]. After [`StateError::Backend`], or if the future is dropped, the lease may last as
    /// before or from now; renewing again is safe.
    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError>;

    /// Releases a lease: its token is refused from now on. Succeeds if it is lost already; a later holder keeps it.
    /// After [`StateError::Backend`], or if the future is dropped, the lease may be held until it runs out; releasing again
    /// is safe.
    async fn release(&self, fence: &Fence) -> Result<(), StateError>;
}
