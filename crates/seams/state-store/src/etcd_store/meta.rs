//! The form of the state in etcd, and the offset of its versions.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use tonic::Status;

use super::client::Repeat;
use super::entries::{compare_created, put, range_of, txn};
use super::pb::{KeyValue, RangeRequest, RequestOp, TxnRequest};
use super::{Inner, error};
use crate::StateError;

/// The form that this version writes and reads.
const FORM: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    form: u32,
    /// Added to each revision of etcd.
    offset: u64,
}

impl Inner {
    /// Reads what is kept of the state as a whole. The first of several processes writes it.
    pub async fn read_or_make_meta(&self) -> Result<(), StateError> {
        const ACTION: &str = "open the state in etcd";
        if let Some(found) = self.meta(ACTION).await? {
            return self.use_meta(&found);
        }
        let made = Meta {
            form: FORM,
            offset: 0,
        };
        let request = TxnRequest {
            compare: vec![compare_created(self.keys.meta(), 0)],
            success: vec![self.put_meta(&made)],
            failure: Vec::new(),
        };
        let written = self.client.call(ACTION, Repeat::Never, request, txn).await;
        // If another process was first, or the reply was lost, it is there now.
        match (self.meta(ACTION).await?, written) {
            (Some(found), _) => self.use_meta(&found),
            (None, Ok(Err(status))) => Err(error::of(ACTION, status)),
            (None, Err(error)) => Err(error),
            (None, Ok(Ok(_))) => Err(error::of(ACTION, Status::aborted("it was deleted again"))),
        }
    }

    /// Makes all later versions and tokens higher than `floor`.
    pub async fn raise(&self, floor: u64) -> Result<(), StateError> {
        const ACTION: &str = "raise the versions of the state in etcd";
        let meta = Meta {
            form: FORM,
            offset: floor.max(self.offset.load(Ordering::Acquire)),
        };
        let request = TxnRequest {
            compare: Vec::new(),
            success: vec![self.put_meta(&meta)],
            failure: Vec::new(),
        };
        let written = self.client.call(ACTION, Repeat::Elsewhere, request, txn);
        written.await?.map_err(|status| error::of(ACTION, status))?;
        self.offset.store(meta.offset, Ordering::Release);
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

    fn use_meta(&self, found: &KeyValue) -> Result<(), StateError> {
        let foreign = |what: String| StateError::Foreign {
            key: self.keys.meta_text(),
            what,
        };
        let meta: Meta = serde_json::from_slice(&found.value)
            .map_err(|error| foreign(format!("it does not describe a state: {error}")))?;
        if meta.form != FORM {
            let form = meta.form;
            return Err(foreign(format!(
                "the state has form {form}, and this version knows {FORM}"
            )));
        }
        self.offset.store(meta.offset, Ordering::Release);
        Ok(())
    }

    fn put_meta(&self, meta: &Meta) -> RequestOp {
        let text = format!("{{\"form\":{},\"offset\":{}}}", meta.form, meta.offset);
        put(self.keys.meta(), text.into_bytes(), 0)
    }
}
