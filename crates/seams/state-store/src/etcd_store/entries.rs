//! Entries: read, paged through, and written in transactions.

use tonic::Status;

use super::client::Repeat;
use super::keys::next;
use super::pb::range_request::SortOrder;
use super::pb::response_op::Response as OpResponse;
use super::pb::{KeyValue, RangeRequest, TxnRequest, TxnResponse};
use super::transaction::{compare_changed, compare_created, delete, get_key, put, range_of, txn};
use super::{Inner, error};
use crate::write::{self, Encoded};
use crate::{Direction, Entry, Expected, Fence, Page, StateError, Write, page};

/// So few of the largest values fit into any reply.
const ENTRIES_THAT_FIT: i64 = 32;
/// How often a page is begun again because etcd has compacted its moment away.
const PAGE_TRIES: usize = 3;

impl Inner {
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        const ACTION: &str = "read a value";
        let request = RangeRequest {
            key: self.keys.entry(key),
            ..RangeRequest::default()
        };
        let reply = self
            .client
            .call(ACTION, Repeat::Elsewhere, request, range_of)
            .await?;
        let reply = reply.map_err(|status| error::of(ACTION, status))?;
        let found = reply.kvs.first();
        found.map(|found| self.entry(found)).transpose()
    }

    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        direction: Direction,
    ) -> Result<Page, StateError> {
        const ACTION: &str = "read a page of values";
        page::check_limit(prefix, limit)?;
        let Some((lower, upper)) = page::bounds(prefix, after, direction) else {
            return Ok(Page::default());
        };
        let (key, range_end) = self.keys.range(&lower, &upper);
        let request = RangeRequest {
            key,
            range_end,
            sort_order: match direction {
                Direction::Ascending => SortOrder::None,
                Direction::Descending => SortOrder::Descend,
            } as i32,
            ..RangeRequest::default()
        };
        self.page_of(ACTION, request, limit).await
    }

    /// A page of all entries as they were at this version, which etcd must not have compacted away.
    pub async fn page_at(
        &self,
        version: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StateError> {
        const ACTION: &str = "read a page of values of one moment";
        let Some((lower, upper)) = page::bounds("", after, Direction::Ascending) else {
            return Ok(Page::default());
        };
        let (key, range_end) = self.keys.range(&lower, &upper);
        let request = RangeRequest {
            key,
            range_end,
            revision: self.revision_or_never(version),
            ..RangeRequest::default()
        };
        let page = self.parts(ACTION, request, limit).await?;
        page.map_err(|status| error::of(ACTION, status))
    }

    async fn page_of(
        &self,
        action: &'static str,
        request: RangeRequest,
        limit: usize,
    ) -> Result<Page, StateError> {
        for _ in 1..PAGE_TRIES {
            match self.parts(action, request.clone(), limit).await? {
                Ok(page) => return Ok(page),
                Err(status) if error::is_compacted(&status) => {}
                Err(status) => return Err(error::of(action, status)),
            }
        }
        let last = self.parts(action, request, limit).await?;
        last.map_err(|status| error::of(action, status))
    }

    /// Reads a page in as many parts as its values need, all of one revision.
    async fn parts(
        &self,
        action: &'static str,
        mut request: RangeRequest,
        limit: usize,
    ) -> Result<Result<Page, Status>, StateError> {
        let is_descending = request.sort_order == SortOrder::Descend as i32;
        let mut page = Page::default();
        let mut at_once = i64::try_from(limit).unwrap_or(i64::MAX);
        loop {
            let wanted = limit - page.entries.len();
            request.limit = at_once.min(i64::try_from(wanted).unwrap_or(i64::MAX));
            let reply = self
                .client
                .call(action, Repeat::Elsewhere, request.clone(), range_of)
                .await?;
            let reply = match reply {
                Ok(reply) => reply,
                Err(status) if error::is_too_large(&status) && at_once > ENTRIES_THAT_FIT => {
                    at_once = ENTRIES_THAT_FIT.max(at_once / 4);
                    continue;
                }
                Err(status) => return Ok(Err(status)),
            };
            for found in &reply.kvs {
                page.entries.push(self.entry(found)?);
            }
            page.more = reply.more;
            let Some(last) = reply.kvs.into_iter().next_back() else {
                return Ok(Ok(page));
            };
            if !page.more || page.entries.len() >= limit {
                return Ok(Ok(page));
            }
            if request.revision == 0 {
                request.revision = reply.header.unwrap_or_default().revision;
            }
            match is_descending {
                true => request.range_end = last.key,
                false => request.key = next(last.key),
            }
        }
    }

    pub async fn write(
        &self,
        writes: Vec<Write>,
        fence: Option<&Fence>,
    ) -> Result<u64, StateError> {
        const ACTION: &str = "write values";
        let writes = write::encode(writes)?;
        let request = self.transaction(&writes, fence);
        let reply = self.client.call(ACTION, Repeat::Never, request, txn);
        let reply = reply.await?.map_err(|status| error::of(ACTION, status))?;
        if !reply.succeeded {
            return Err(self.refusal(&writes, fence, reply));
        }
        self.number(reply.header.unwrap_or_default().revision)
    }

    /// A comparison for each expectation and for the fence; if one does not hold, what is there instead is read.
    fn transaction(&self, writes: &[Encoded], fence: Option<&Fence>) -> TxnRequest {
        let mut request = TxnRequest {
            compare: vec![self.compare_meta()],
            success: Vec::new(),
            failure: vec![get_key(self.keys.meta())],
        };
        if let Some(fence) = fence {
            let key = self.keys.lease(&fence.lease);
            request.failure.push(get_key(key.clone()));
            request
                .compare
                .push(compare_created(key, self.revision_or_never(fence.token)));
        }
        for Encoded { write, bytes } in writes {
            let key = self.keys.entry(write.key());
            request.failure.push(get_key(key.clone()));
            let expected = match write.expected() {
                Expected::Anything => None,
                Expected::Absent => Some(0),
                Expected::Version(version) => Some(self.revision_or_never(version)),
            };
            let compare = expected.map(|revision| compare_changed(key.clone(), revision));
            request.compare.extend(compare);
            request.success.push(match bytes {
                Some(bytes) => put(key, bytes.clone(), 0),
                None => delete(key),
            });
        }
        request
    }

    /// A revision that no key has, for a version that etcd has never given: 0 would mean that there is no key.
    pub fn revision_or_never(&self, number: u64) -> i64 {
        self.revision(number).unwrap_or(i64::MAX)
    }

    /// Which comparison did not hold.
    fn refusal(&self, writes: &[Encoded], fence: Option<&Fence>, reply: TxnResponse) -> StateError {
        let mut found = reply
            .responses
            .into_iter()
            .map(|reply| match reply.response {
                Some(OpResponse::ResponseRange(range)) => range.kvs.into_iter().next(),
                _ => None,
            });
        if let Err(error) = self.check_meta(found.next().flatten().as_ref()) {
            return error;
        }
        if let Some(fence) = fence {
            let lease = found.next().flatten();
            // `revision_or_never`, so that a token that was never granted is not taken for a lease that is not there.
            let granted = self.revision_or_never(fence.token);
            if lease.is_none_or(|lease| lease.create_revision != granted) {
                return fenced(fence);
            }
        }
        for (Encoded { write, .. }, found) in writes.iter().zip(found) {
            let version = found.map(|found| self.number(found.mod_revision));
            let is_met = match version {
                None => write.expected().is_met_by(None),
                Some(Ok(version)) => write.expected().is_met_by(Some(version)),
                Some(Err(error)) => return error,
            };
            if !is_met {
                return StateError::Conflict {
                    key: write.key().to_owned(),
                };
            }
        }
        StateError::Backend {
            action: "write values",
            source: "etcd refused a transaction whose comparisons all hold".into(),
        }
    }

    /// What was read, checked.
    pub fn entry(&self, found: &KeyValue) -> Result<Entry, StateError> {
        let key = self.keys.of_entry(&found.key)?;
        let value = serde_json::from_slice(&found.value).map_err(|source| StateError::NotJson {
            key: key.clone(),
            source,
        })?;
        let version = self.number(found.mod_revision)?;
        Ok(Entry {
            key,
            value,
            version,
        })
    }
}

pub(super) fn fenced(fence: &Fence) -> StateError {
    StateError::Fenced {
        lease: fence.lease.clone(),
        token: fence.token,
    }
}
