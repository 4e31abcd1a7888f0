//! Leases: granted, renewed, released, and checked by the writes that they fence.

use std::time::Duration;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::inner::{Inner, LEASES, backend, decode};
use super::transfer::token_floor;
use crate::write::check_key;
use crate::{Fence, StateError};

/// A lease that is or was held. It stays after its release, for its token.
#[derive(Debug, Serialize, Deserialize)]
struct LeaseRecord {
    token: u64,
    /// Absent after a release.
    holder: Option<String>,
    expires_ms: i64,
}

impl LeaseRecord {
    fn is_held(&self, now_ms: i64) -> bool {
        self.holder.is_some() && self.expires_ms > now_ms
    }

    fn is_held_by(&self, fence: &Fence, now_ms: i64) -> bool {
        self.token == fence.token && self.is_held(now_ms)
    }
}

impl Inner {
    /// Releases what the process before has held.
    pub fn end_all_leases(&self) -> Result<(), StateError> {
        const ACTION: &str = "end the leases of the process before";
        self.transaction(ACTION, |transaction| {
            let leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
            let mut ended = Vec::new();
            for row in leases.iter().map_err(backend(ACTION))? {
                let (key, bytes) = row.map_err(backend(ACTION))?;
                let mut record: LeaseRecord = decode(key.value(), bytes.value())?;
                record.holder = None;
                ended.push((key.value().to_owned(), record));
            }
            drop(leases);
            for (key, record) in ended {
                save(transaction, &key, &record)?;
            }
            Ok(((), Vec::new()))
        })
    }

    pub fn acquire(&self, lease: &str, holder: &str, ttl: Duration) -> Result<Fence, StateError> {
        check_key(lease)?;
        self.transaction("take a lease", |transaction| {
            let now_ms = self.now_ms();
            let found = load(transaction, lease)?;
            if let Some(held) = found.as_ref().filter(|record| record.is_held(now_ms)) {
                return Err(StateError::LeaseHeld {
                    lease: lease.to_owned(),
                    holder: held.holder.clone().unwrap_or_default(),
                });
            }
            let last = found.map_or(0, |record| record.token);
            let token = last.max(token_floor(transaction)?) + 1;
            let granted = LeaseRecord {
                token,
                holder: Some(holder.to_owned()),
                expires_ms: expiry(now_ms, ttl),
            };
            save(transaction, lease, &granted)?;
            let fence = Fence {
                lease: lease.to_owned(),
                token,
            };
            Ok((fence, Vec::new()))
        })
    }

    pub fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        self.transaction("renew a lease", |transaction| {
            let now_ms = self.now_ms();
            let mut held = held(transaction, fence, now_ms)?;
            held.expires_ms = expiry(now_ms, ttl);
            save(transaction, &fence.lease, &held)?;
            Ok(((), Vec::new()))
        })
    }

    pub fn release(&self, fence: &Fence) -> Result<(), StateError> {
        self.transaction("release a lease", |transaction| {
            let found = load(transaction, &fence.lease)?;
            if let Some(mut record) = found.filter(|record| record.token == fence.token) {
                record.holder = None;
                save(transaction, &fence.lease, &record)?;
            }
            Ok(((), Vec::new()))
        })
    }

    /// Refuses a lease that has run out although it was not taken since: in etcd it no longer exists.
    pub fn check_fence(
        &self,
        transaction: &WriteTransaction,
        fence: &Fence,
    ) -> Result<(), StateError> {
        held(transaction, fence, self.now_ms())?;
        Ok(())
    }
}

/// The token of a lease, held or not, from how it is kept.
pub(super) fn token_of(lease: &str, bytes: &[u8]) -> Result<u64, StateError> {
    let record: LeaseRecord = decode(lease, bytes)?;
    Ok(record.token)
}

fn expiry(now_ms: i64, ttl: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}

fn held(
    transaction: &WriteTransaction,
    fence: &Fence,
    now_ms: i64,
) -> Result<LeaseRecord, StateError> {
    let found = load(transaction, &fence.lease)?;
    found
        .filter(|record| record.is_held_by(fence, now_ms))
        .ok_or_else(|| StateError::Fenced {
            lease: fence.lease.clone(),
            token: fence.token,
        })
}

fn load(transaction: &WriteTransaction, lease: &str) -> Result<Option<LeaseRecord>, StateError> {
    const ACTION: &str = "read a lease";
    let leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
    let row = leases.get(lease).map_err(backend(ACTION))?;
    row.map(|row| decode(lease, row.value())).transpose()
}

fn save(
    transaction: &WriteTransaction,
    lease: &str,
    record: &LeaseRecord,
) -> Result<(), StateError> {
    const ACTION: &str = "write a lease";
    let bytes = serde_json::to_vec(record).map_err(|source| StateError::NotJson {
        key: lease.to_owned(),
        source,
    })?;
    let mut leases = transaction.open_table(LEASES).map_err(backend(ACTION))?;
    leases
        .insert(lease, bytes.as_slice())
        .map_err(backend(ACTION))?;
    Ok(())
}
