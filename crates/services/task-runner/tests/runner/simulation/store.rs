//! A state in memory that several runners share.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use serde_json::Value;
use state_store::{Change, Direction, Entry, Expected, Fence, Page, StateError, StateStore, Write};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::oracle;

struct Lease {
    token: u64,
    holder: String,
    until: Instant,
}

/// What is on the disk.
#[derive(Default)]
pub struct Kept {
    pub entries: BTreeMap<String, (Value, u64)>,
    version: u64,
    leases: HashMap<String, Lease>,
    token: u64,
    watchers: Vec<(String, UnboundedSender<Change>)>,
    /// What must never be and was.
    pub violations: Vec<String>,
    /// Writes after which a backup and a restore share a cluster, and by which a task waits for another.
    pub shared: u64,
    pub waited: u64,
}

/// A state in memory. It never fails.
#[derive(Default)]
pub struct SharedState(Mutex<Kept>);

impl SharedState {
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn check_fence(&self, fence: &Fence) -> Result<(), StateError> {
        let lease = self.leases.get(&fence.lease);
        let holds =
            lease.is_some_and(|lease| lease.token == fence.token && lease.until > Instant::now());
        match holds {
            true => Ok(()),
            false => Err(StateError::Fenced {
                lease: fence.lease.clone(),
                token: fence.token,
            }),
        }
    }

    fn check_expected(&self, write: &Write) -> Result<(), StateError> {
        let found = self.entries.get(write.key()).map(|(_, version)| *version);
        let is_met = match write.expected() {
            Expected::Anything => true,
            Expected::Absent => found.is_none(),
            Expected::Version(version) => found == Some(version),
        };
        match is_met {
            true => Ok(()),
            false => Err(StateError::Conflict {
                key: write.key().to_owned(),
            }),
        }
    }

    fn apply(&mut self, writes: &[Write]) -> u64 {
        let version = self.version + 1;
        for write in writes {
            let change = match write {
                Write::Put { key, value, .. } => {
                    self.entries.insert(key.clone(), (value.clone(), version));
                    Change::Put(Entry {
                        key: key.clone(),
                        value: value.clone(),
                        version,
                    })
                }
                Write::Delete { key, .. } => {
                    if self.entries.remove(key).is_none() {
                        continue;
                    }
                    Change::Deleted { key: key.clone() }
                }
            };
            self.version = version;
            let key = write.key();
            self.watchers.retain(|(prefix, watcher)| {
                !key.starts_with(prefix.as_str()) || watcher.send(change.clone()).is_ok()
            });
        }
        let waits = |write: &Write| match write {
            Write::Put { key, value, .. } => {
                key.starts_with("tasks/") && value["waiting"]["task"].is_string()
            }
            Write::Delete { .. } => false,
        };
        self.waited += u64::from(writes.iter().any(waits));
        if writes
            .iter()
            .any(|write| write.key().starts_with("claims/"))
        {
            let found = oracle::unsound_claims(&self.entries);
            self.violations.extend(found);
            self.shared += u64::from(oracle::is_shared(&self.entries));
        }
        self.version
    }
}

#[async_trait]
impl StateStore for SharedState {
    async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        let found = self.kept().entries.get(key).cloned();
        Ok(found.map(|(value, version)| Entry {
            key: key.to_owned(),
            value,
            version,
        }))
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        let kept = self.kept();
        let entry = |(key, (value, version)): (&String, &(Value, u64))| Entry {
            key: key.clone(),
            value: value.clone(),
            version: *version,
        };
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let all = kept.entries.range::<str, _>(from);
        let all = all.take_while(|(key, _)| key.starts_with(prefix));
        let mut found: Vec<Entry> = match direction {
            Direction::Ascending => all
                .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
                .take(limit + 1)
                .map(entry)
                .collect(),
            Direction::Descending => {
                let mut all: Vec<Entry> = all
                    .filter(|(key, _)| after.is_none_or(|after| key.as_str() < after))
                    .map(entry)
                    .collect();
                all.reverse();
                all
            }
        };
        let more = found.len() > limit;
        found.truncate(limit);
        Ok(Page {
            entries: found,
            more,
        })
    }

    async fn write(&self, writes: &[Write], fence: Option<&Fence>) -> Result<u64, StateError> {
        let mut kept = self.kept();
        if let Some(fence) = fence {
            kept.check_fence(fence)?;
        }
        for write in writes {
            kept.check_expected(write)?;
        }
        Ok(kept.apply(writes))
    }

    async fn watch(&self, prefix: &str) -> Result<BoxStream<'static, Change>, StateError> {
        let (sender, changes) = unbounded_channel();
        self.kept().watchers.push((prefix.to_owned(), sender));
        Ok(UnboundedReceiverStream::new(changes).boxed())
    }

    async fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        let mut kept = self.kept();
        if let Some(held) = kept.leases.get(lease)
            && held.until > Instant::now()
        {
            return Err(StateError::LeaseHeld {
                lease: lease.to_owned(),
                holder: held.holder.clone(),
            });
        }
        kept.token += 1;
        let token = kept.token;
        let granted = Lease {
            token,
            holder: holder.to_owned(),
            until: Instant::now() + ttl,
        };
        kept.leases.insert(lease.to_owned(), granted);
        Ok(Fence {
            lease: lease.to_owned(),
            token,
        })
    }

    async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        let mut kept = self.kept();
        kept.check_fence(fence)?;
        if let Some(lease) = kept.leases.get_mut(&fence.lease) {
            lease.until = Instant::now() + ttl;
        }
        Ok(())
    }

    async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        let mut kept = self.kept();
        if kept.check_fence(fence).is_ok() {
            kept.leases.remove(&fence.lease);
        }
        Ok(())
    }
}
