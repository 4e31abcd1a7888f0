//! Leases: a key that is put with a lease of etcd, so that it is gone when that has run out. Its token is the revision at
//! which it was created.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client::Repeat;
use super::entries::fenced;
use super::lease_calls::{grant, keep_alive, revoke};
use super::pb::{
    KeyValue, LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, RangeRequest,
    TxnRequest,
};
use super::transaction::{compare_created, delete, first_found, get_key, put, range_of, txn};
use super::{Inner, error};
use crate::write::check_key;
use crate::{Fence, StateError};

/// What is kept under the key of a lease.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    holder: String,
    /// Of etcd's lease, which is renewed for the same time only.
    ttl_seconds: i64,
}

impl Inner {
    pub async fn acquire(
        &self,
        lease: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Fence, StateError> {
        const ACTION: &str = "take a lease";
        check_key(lease)?;
        // First, so that runners that only look whether a lease is free write nothing.
        if let Some(found) = self.lease(ACTION, lease).await? {
            return Err(self.held_by(lease, &found));
        }
        let ttl_seconds = whole_seconds(ttl);
        let id = self.grant(ACTION, ttl_seconds).await?;
        let held = Held {
            holder: holder.to_owned(),
            ttl_seconds,
        };
        let key = self.keys.lease(lease);
        let request = TxnRequest {
            compare: vec![self.compare_meta(), compare_created(key.clone(), 0)],
            success: vec![put(key, encode(lease, &held)?, id)],
            failure: vec![get_key(self.keys.meta())],
        };
        let reply = self.client.call(ACTION, Repeat::Never, request, txn).await;
        match reply {
            Ok(Ok(reply)) if reply.succeeded => Ok(Fence {
                lease: lease.to_owned(),
                token: self.number(reply.header.unwrap_or_default().revision)?,
            }),
            reply => {
                // Also if the reply was lost: then the key, which nothing would renew, is gone at once, or is never put.
                self.revoke(id).await;
                match reply {
                    Ok(Ok(refused)) => {
                        self.check_meta(first_found(refused).as_ref())?;
                        match self.lease(ACTION, lease).await? {
                            Some(found) => Err(self.held_by(lease, &found)),
                            // Its holder has released it again.
                            None => Err(held_error(lease, "another, until a moment ago")),
                        }
                    }
                    Ok(Err(status)) => Err(error::of(ACTION, status)),
                    Err(error) => Err(error),
                }
            }
        }
    }

    pub async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), StateError> {
        const ACTION: &str = "renew a lease";
        let found = self.lease(ACTION, &fence.lease).await?;
        let Some(found) = found.filter(|found| self.is_of(found, fence)) else {
            return Err(fenced(fence));
        };
        let held = self.decode(&fence.lease, &found);
        let seconds = whole_seconds(ttl);
        match held {
            Ok(held) if held.ttl_seconds == seconds && found.lease != 0 => {
                self.keep_alive(ACTION, fence, found.lease).await
            }
            held => {
                let holder = held.map(|held| held.holder).unwrap_or_default();
                self.grant_again(ACTION, fence, found.lease, holder, seconds)
                    .await
            }
        }
    }

    pub async fn release(&self, fence: &Fence) -> Result<(), StateError> {
        const ACTION: &str = "release a lease";
        let found = self.lease(ACTION, &fence.lease).await?;
        let Some(found) = found.filter(|found| self.is_of(found, fence)) else {
            return Ok(());
        };
        let key = self.keys.lease(&fence.lease);
        let request = TxnRequest {
            compare: vec![compare_created(key.clone(), found.create_revision)],
            success: vec![delete(key)],
            failure: Vec::new(),
        };
        let reply = self.client.call(ACTION, Repeat::Elsewhere, request, txn);
        reply.await?.map_err(|status| error::of(ACTION, status))?;
        self.revoke(found.lease).await;
        Ok(())
    }

    /// The leases that are held now, with their holders: a few.
    pub async fn held_leases(&self) -> Result<Vec<(String, String)>, StateError> {
        const ACTION: &str = "read which leases are held";
        let (key, range_end) = self.keys.leases();
        let request = RangeRequest {
            key,
            range_end,
            limit: 100,
            ..RangeRequest::default()
        };
        let reply = self
            .client
            .call(ACTION, Repeat::Elsewhere, request, range_of)
            .await?;
        let reply = reply.map_err(|status| error::of(ACTION, status))?;
        let leases = reply.kvs.iter().map(|found| {
            let lease = self.keys.of_lease(&found.key)?;
            let holder = self.decode(&lease, found).map(|held| held.holder);
            Ok((lease, holder.unwrap_or_default()))
        });
        leases.collect()
    }

    async fn lease(
        &self,
        action: &'static str,
        lease: &str,
    ) -> Result<Option<KeyValue>, StateError> {
        let request = RangeRequest {
            key: self.keys.lease(lease),
            ..RangeRequest::default()
        };
        let reply = self
            .client
            .call(action, Repeat::Elsewhere, request, range_of)
            .await?;
        let reply = reply.map_err(|status| error::of(action, status))?;
        Ok(reply.kvs.into_iter().next())
    }

    fn is_of(&self, found: &KeyValue, fence: &Fence) -> bool {
        self.revision(fence.token) == Some(found.create_revision)
    }

    fn decode(&self, lease: &str, found: &KeyValue) -> Result<Held, StateError> {
        serde_json::from_slice(&found.value).map_err(|source| StateError::NotJson {
            key: lease.to_owned(),
            source,
        })
    }

    /// A key without a lease of etcd would never run out, so it is not what this store has written.
    fn held_by(&self, lease: &str, found: &KeyValue) -> StateError {
        match self.decode(lease, found) {
            Ok(held) if found.lease != 0 => held_error(lease, &held.holder),
            Err(error) => error,
            Ok(_) => StateError::Foreign {
                key: String::from_utf8_lossy(&found.key).into_owned(),
                what: "it is a lease that never runs out".to_owned(),
            },
        }
    }

    async fn grant(&self, action: &'static str, ttl_seconds: i64) -> Result<i64, StateError> {
        let request = LeaseGrantRequest {
            ttl: ttl_seconds,
            // etcd chooses one.
            id: 0,
        };
        let reply = self
            .client
            .call(action, Repeat::Elsewhere, request, grant)
            .await?;
        let reply = reply.map_err(|status| error::of(action, status))?;
        if reply.id == 0 || reply.ttl < ttl_seconds || !reply.error.is_empty() {
            let why = format!(
                "etcd granted a lease of {} s instead of {ttl_seconds} s {}",
                reply.ttl, reply.error
            );
            return Err(StateError::Backend {
                action,
                source: why.into(),
            });
        }
        Ok(reply.id)
    }

    /// Best effort: a lease that is not revoked runs out.
    async fn revoke(&self, id: i64) {
        if id == 0 {
            return;
        }
        let request = LeaseRevokeRequest { id };
        let revoked = self
            .client
            .call("revoke a lease", Repeat::Elsewhere, request, revoke);
        if let Err(error) = revoked.await {
            tracing::debug!(error = %error, "lease of etcd not revoked");
        }
    }

    async fn keep_alive(
        &self,
        action: &'static str,
        fence: &Fence,
        id: i64,
    ) -> Result<(), StateError> {
        let request = LeaseKeepAliveRequest { id };
        let reply = self
            .client
            .call(action, Repeat::Elsewhere, request, keep_alive)
            .await?;
        match reply {
            Ok(reply) if reply.ttl > 0 => Ok(()),
            Ok(_) => Err(fenced(fence)),
            Err(status) if error::is_without_lease(&status) => Err(fenced(fence)),
            Err(status) => Err(error::of(action, status)),
        }
    }

    /// Gives a lease another length: its key keeps its token and gets another lease of etcd.
    async fn grant_again(
        &self,
        action: &'static str,
        fence: &Fence,
        old: i64,
        holder: String,
        ttl_seconds: i64,
    ) -> Result<(), StateError> {
        let id = self.grant(action, ttl_seconds).await?;
        let held = Held {
            holder,
            ttl_seconds,
        };
        let key = self.keys.lease(&fence.lease);
        let created = self.revision_or_never(fence.token);
        let request = TxnRequest {
            compare: vec![self.compare_meta(), compare_created(key.clone(), created)],
            success: vec![put(key, encode(&fence.lease, &held)?, id)],
            failure: vec![get_key(self.keys.meta())],
        };
        let reply = self.client.call(action, Repeat::Never, request, txn).await;
        match reply {
            Ok(Ok(reply)) if reply.succeeded => {
                // The key no longer hangs on it.
                self.revoke(old).await;
                Ok(())
            }
            Ok(Ok(refused)) => {
                self.revoke(id).await;
                self.check_meta(first_found(refused).as_ref())?;
                Err(fenced(fence))
            }
            // The key may hang on either, so both are left to run out.
            Ok(Err(status)) => Err(error::of(action, status)),
            Err(error) => Err(error),
        }
    }
}

fn held_error(lease: &str, holder: &str) -> StateError {
    StateError::LeaseHeld {
        lease: lease.to_owned(),
        holder: holder.to_owned(),
    }
}

fn encode(lease: &str, held: &Held) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(held).map_err(|source| StateError::NotJson {
        key: lease.to_owned(),
        source,
    })
}

/// etcd counts in seconds; a lease may last longer, never shorter.
fn whole_seconds(ttl: Duration) -> i64 {
    let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
    i64::try_from(seconds.max(1)).unwrap_or(i64::MAX)
}
