//! The form of the state in etcd, and the offset of its versions.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use tonic::Status;

use super::client::Repeat;
use super::pb::{Compare, KeyValue, RangeRequest, RequestOp, TxnRequest};
use super::transaction::{compare_changed, compare_created, delete_range, put, range_of, txn};
use super::{Inner, error};
use crate::StateError;

/// The form that this version writes and reads.
const FORM: u32 = 1;

const OPEN: &str = "open the state in etcd";

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    form: u32,
    /// Added to each revision of etcd.
    offset: u64,
    /// Whether an import is not finished.
    #[serde(default)]
    importing: bool,
}

impl Inner {
    /// Reads what is kept of the state as a whole; returns whether the state is whole, and none if there is no state.
    pub async fn read_meta(&self) -> Result<Option<bool>, StateError> {
        let found = self.meta(OPEN).await?;
        found.map(|found| self.use_meta(&found)).transpose()
    }

    /// The same; if there is no state, the first of several processes writes that there is.
    pub async fn read_or_make_meta(&self) -> Result<bool, StateError> {
        if let Some(is_whole) = self.read_meta().await? {
            return Ok(is_whole);
        }
        let made = Meta {
            form: FORM,
            offset: 0,
            importing: false,
        };
        let request = TxnRequest {
            compare: vec![compare_created(self.keys.meta(), 0)],
            success: vec![self.put_meta(&made)?],
            failure: Vec::new(),
        };
        let written = self.client.call(OPEN, Repeat::Never, request, txn).await;
        // If another process was first, or the reply was lost, it is there now.
        match (self.read_meta().await?, written) {
            (Some(is_whole), _) => Ok(is_whole),
            (None, Ok(Err(status))) => Err(error::of(OPEN, status)),
            (None, Err(error)) => Err(error),
            (None, Ok(Ok(_))) => Err(error::of(OPEN, Status::aborted("it was deleted again"))),
        }
    }

    /// Marks the state as not whole, and deletes what is there.
    pub async fn begin_import(&self, floor: u64) -> Result<(), StateError> {
        let meta = Meta {
            form: FORM,
            // Above both, because revisions grow further.
            offset: floor.max(self.floor().await?),
            importing: true,
        };
        let (key, range_end) = self.keys.entries("");
        self.write_meta(&meta, vec![delete_range(key, range_end)])
            .await
    }

    /// The state is whole.
    pub async fn finish_import(&self) -> Result<(), StateError> {
        let meta = Meta {
            form: FORM,
            offset: self.offset.load(Ordering::Acquire),
            importing: false,
        };
        self.write_meta(&meta, Vec::new()).await
    }

    /// Holds as long as no import has begun or ended since the state was opened.
    pub fn compare_meta(&self) -> Compare {
        compare_changed(self.keys.meta(), self.meta_revision.load(Ordering::Acquire))
    }

    /// Fails if that comparison does not hold for what is there.
    pub fn check_meta(&self, found: Option<&KeyValue>) -> Result<(), StateError> {
        let opened_at = self.meta_revision.load(Ordering::Acquire);
        match found {
            Some(found) if found.mod_revision == opened_at => Ok(()),
            _ => Err(StateError::Replaced),
        }
    }

    /// Only over what was opened: another import may have begun since, and if the reply is lost and this comes late, it must
    /// not delete what was imported meanwhile.
    async fn write_meta(&self, meta: &Meta, more: Vec<RequestOp>) -> Result<(), StateError> {
        const ACTION: &str = "describe the state in etcd";
        let mut success = vec![self.put_meta(meta)?];
        success.extend(more);
        let request = TxnRequest {
            compare: vec![self.compare_meta()],
            success,
            failure: Vec::new(),
        };
        let written = self.client.call(ACTION, Repeat::Never, request, txn);
        let written = written.await?.map_err(|status| error::of(ACTION, status))?;
        if !written.succeeded {
            return Err(StateError::Replaced);
        }
        let revision = written.header.unwrap_or_default().revision;
        self.offset.store(meta.offset, Ordering::Release);
        self.meta_revision.store(revision, Ordering::Release);
        Ok(())
    }

    /// A number that no version and no token was above so far.
    pub async fn floor(&self) -> Result<u64, StateError> {
        const ACTION: &str = "read the version of the state in etcd";
        let request = RangeRequest {
            key: self.keys.meta(),
            ..RangeRequest::default()
        };
        let reply = self
            .client
            .call(ACTION, Repeat::Elsewhere, request, range_of)
            .await?;
        let reply = reply.map_err(|status| error::of(ACTION, status))?;
        self.check_meta(reply.kvs.first())?;
        self.number(reply.header.unwrap_or_default().revision)
    }

    async fn meta(&self, action: &'static str) -> Result<Option<KeyValue>, StateError> {
        let request = RangeRequest {
            key: self.keys.meta(),
            ..RangeRequest::default()
        };
        let reply = self
            .client
            .call(action, Repeat::Elsewhere, request, range_of)
            .await?;
        let reply = reply.map_err(|status| error::of(action, status))?;
        Ok(reply.kvs.into_iter().next())
    }

    /// Returns whether the state is whole.
    fn use_meta(&self, found: &KeyValue) -> Result<bool, StateError> {
        let meta = self.parse(found)?;
        self.offset.store(meta.offset, Ordering::Release);
        self.meta_revision
            .store(found.mod_revision, Ordering::Release);
        Ok(!meta.importing)
    }

    fn parse(&self, found: &KeyValue) -> Result<Meta, StateError> {
        let foreign = |what: String| StateError::Foreign {
            key: self.keys.meta_text(),
            what,
        };
        let meta: Meta = serde_json::from_slice(&found.value)
            .map_err(|error| foreign(format!("it does not describe a state: {error}")))?;
        match meta.form {
            FORM => Ok(meta),
            form => Err(foreign(format!(
                "the state has form {form}, and this version knows {FORM}"
            ))),
        }
    }

    fn put_meta(&self, meta: &Meta) -> Result<RequestOp, StateError> {
        let key = self.keys.meta();
        let text = serde_json::to_vec(meta).map_err(|source| StateError::NotJson {
            key: self.keys.meta_text(),
            source,
        })?;
        Ok(put(key, text, 0))
    }
}
