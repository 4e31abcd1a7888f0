//! The backend for several processes: etcd.
//!
//! A version is an etcd revision and a fencing token the revision at which a lease's key was created, both plus an offset
//! that is kept beside the state: it makes them grow also over a move to another etcd, whose revisions start from 1.
//! A transaction is one etcd transaction with a comparison for each expectation and one for the fence.
//!
//! - [`config`]: the settings. [`keys`]: where everything is in etcd.
//! - [`client`]: calls, their time limits, the login, and which endpoint is called. [`error`]: what their errors mean.
//! - [`entries`], [`leases`] with [`lease_calls`], [`watch`]: the port's methods. [`transaction`]: what they send.
//! - [`meta`]: the form of the state and its offset.

mod client;
mod config;
mod entries;
mod error;
mod keys;
mod lease_calls;
mod leases;
mod meta;
mod transaction;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{Change, Direction, Entry, Fence, Page, StateError, StateStore, Write};
use client::Client;
use keys::Keys;

pub use config::EtcdConfig;

/// What is used of etcd's API.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
mod pb {
    tonic::include_proto!("etcdserverpb");
}

/// State in etcd, for any number of processes.
#[derive(Clone)]
pub struct EtcdStore {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    keys: Keys,
    /// Added to each revision. Changes only when state is imported, with no task-runner running.
    offset: AtomicU64,
    /// The revision at which the description of the state was last changed. Every transaction compares it: a process that
    /// has opened the state before an import must not write into what was imported, nor hold a lease of it.
    meta_revision: AtomicI64,
}

impl EtcdStore {
    /// Connects, logs in, and reads the form of the state; writes it if there is no state under the prefix yet.
    pub async fn open(config: &EtcdConfig) -> Result<Self, StateError> {
        let inner = Inner::new(config)?;
        let is_whole = inner.read_or_make_meta().await?;
        Self::if_whole(inner, is_whole)
    }

    /// The same, but none if there is no state under the prefix: it is not made.
    pub(crate) async fn open_existing(config: &EtcdConfig) -> Result<Option<Self>, StateError> {
        let inner = Inner::new(config)?;
        match inner.read_meta().await? {
            Some(is_whole) => Self::if_whole(inner, is_whole).map(Some),
            None => Ok(None),
        }
    }

    /// The same as [`open`](Self::open), also if an import was cut short.
    pub(crate) async fn open_for_import(config: &EtcdConfig) -> Result<Self, StateError> {
        let inner = Inner::new(config)?;
        inner.read_or_make_meta().await?;
        Self::if_whole(inner, true)
    }

    fn if_whole(inner: Inner, is_whole: bool) -> Result<Self, StateError> {
        if !is_whole {
            return Err(StateError::HalfImported);
        }
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A page of all entries as they were at this version.
    pub(crate) async fn page_at(
        &self,
        version: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StateError> {
        self.inner.page_at(version, after, limit).await
    }

    /// A number that no version and no token was above so far.
    pub(crate) async fn floor(&self) -> Result<u64, StateError> {
        self.inner.floor().await
    }

    /// Leases that are held now, with their holders: a few.
    pub(crate) async fn held_leases(&self) -> Result<Vec<(String, String)>, StateError> {
        self.inner.held_leases().await
    }

    /// Deletes all entries, makes all later versions and tokens higher than the floor, and lets no process open the state.
    pub(crate) async fn begin_import(&self, floor: u64) -> Result<(), StateError> {
        self.inner.begin_import(floor).await
    }

    /// Lets processes open the state again.
    pub(crate) async fn finish_import(&self) -> Result<(), StateError> {
        self.inner.finish_import().await
    }
}

impl Inner {
    fn new(config: &EtcdConfig) -> Result<Self, StateError> {
        config.check()?;
        Ok(Self {
            client: Client::new(config)?,
            keys: Keys::new(&config.prefix),
            offset: AtomicU64::new(0),
            meta_revision: AtomicI64::new(0),
        })
    }

    /// A revision of etcd as a version or token of the port.
    fn number(&self, revision: i64) -> Result<u64, StateError> {
        let offset = self.offset.load(Ordering::Acquire);
        let revision = u64::try_from(revision).ok().filter(|it| *it > 0);
        let number = revision.and_then(|revision| revision.checked_add(offset));
        number.ok_or_else(|| StateError::Foreign {
            key: self.keys.meta_text(),
            what: "etcd replied without a revision".to_owned(),
        })
    }

    /// The revision of a version or token; none if etcd has never had it.
    fn revision(&self, number: u64) -> Option<i64> {
        let revision = number.checked_sub(self.offset.load(Ordering::Acquire))?;
        i64::try_from(revision).ok().filter(|it| *it > 0)
    }
}

#[async_trait]
impl StateStore for EtcdStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        self.inner.get(key).await
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        self.inner.page(prefix, after, limit, direction).await
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        self.inner.write(writes.to_vec(), fence).await
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        watch::watch(self.inner.clone(), prefix).await
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        self.inner.acquire(lease, holder, ttl).await
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.inner.renew(fence, ttl).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.inner.release(fence).await
    }
}
