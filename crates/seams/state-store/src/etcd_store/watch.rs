//! Watches: one stream of etcd each, set up again where it was whenever it breaks off.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use super::client::{REPLY_BYTES_MAX, Repeat};
use super::pb::event::EventType;
use super::pb::watch_client::WatchClient;
use super::pb::watch_request::RequestUnion;
use super::pb::{Event, WatchCreateRequest, WatchRequest, WatchResponse};
use super::{Inner, error};
use crate::{Change, StateError};

const ACTION: &str = "watch for changes";
/// Between two tries to set a stream up again.
const PAUSE: Duration = Duration::from_millis(500);

/// Watches the entries with a prefix.
pub(super) async fn watch(
    inner: Arc<Inner>,
    prefix: &str,
) -> Result<BoxStream<'static, Change>, StateError> {
    let (key, range_end) = inner.keys.entries(prefix);
    let mut watcher = Watcher {
        inner,
        key,
        range_end,
        place: Place::default(),
        to_skip: 0,
        events: None,
        changes: VecDeque::new(),
    };
    watcher.begin().await?;
    let changes = stream::unfold(watcher, |mut watcher| async move {
        watcher.next().await.map(|change| (change, watcher))
    });
    Ok(changes.boxed())
}

/// How far a watch has come: a revision, and how many of its events were reported. One transaction may come in pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// 0: now.
    revision: i64,
    reported: usize,
}

struct Watcher {
    inner: Arc<Inner>,
    key: Vec<u8>,
    range_end: Vec<u8>,
    place: Place,
    /// Events of the first revision that were reported before the stream broke off.
    to_skip: usize,
    events: Option<Streaming<WatchResponse>>,
    changes: VecDeque<Change>,
}

impl Watcher {
    /// The next change; none if it can no longer be watched.
    async fn next(&mut self) -> Option<Change> {
        loop {
            // What is read after `Missed` and what is watched then must leave no gap.
            let is_gap = self.changes.front() == Some(&Change::Missed);
            if is_gap && self.events.is_none() {
                self.set_up_again().await.ok()?;
            }
            if let Some(change) = self.changes.pop_front() {
                return Some(change);
            }
            let Some(events) = &mut self.events else {
                self.set_up_again().await.ok()?;
                continue;
            };
            match events.message().await {
                Ok(Some(response)) => self.take(response),
                Ok(None) | Err(_) => self.events = None,
            }
        }
    }

    /// Until it succeeds; fails if it is refused.
    async fn set_up_again(&mut self) -> Result<(), StateError> {
        loop {
            match self.begin().await {
                Err(StateError::Backend { .. }) => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(error = %error, "watch ended");
                    return Err(error);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Begins at the place where it was, or now. Returns once etcd has confirmed it.
    async fn begin(&mut self) -> Result<(), StateError> {
        let created = match self.create().await? {
            Ok(created) => created,
            Err(status) => return Err(error::of(ACTION, status)),
        };
        let (first, events) = created;
        if first.canceled && first.compact_revision > 0 {
            self.lose_place();
            let again = self.create().await?;
            let (first, events) = again.map_err(|status| error::of(ACTION, status))?;
            return self.begun(&first, events);
        }
        self.begun(&first, events)
    }

    fn begun(
        &mut self,
        first: &WatchResponse,
        events: Streaming<WatchResponse>,
    ) -> Result<(), StateError> {
        if first.canceled || !first.created {
            let why = first.cancel_reason.clone();
            let status = match why.contains("permission") || why.contains("auth") {
                true => Status::permission_denied(why),
                false => Status::unavailable(why),
            };
            return Err(error::of(ACTION, status));
        }
        if self.place.revision == 0 {
            let revision = first.header.unwrap_or_default().revision;
            self.place.revision = revision.saturating_add(1);
        }
        self.to_skip = self.place.reported;
        self.events = Some(events);
        Ok(())
    }

    /// etcd no longer has what happened in between.
    fn lose_place(&mut self) {
        self.changes.push_back(Change::Missed);
        self.place = Place::default();
        self.events = None;
    }

    async fn create(
        &self,
    ) -> Result<Result<(WatchResponse, Streaming<WatchResponse>), Status>, StateError> {
        let create = WatchCreateRequest {
            key: self.key.clone(),
            range_end: self.range_end.clone(),
            start_revision: self.place.revision,
            // So that the place of a quiet watch does not fall behind what etcd keeps.
            progress_notify: true,
            fragment: true,
        };
        let client = &self.inner.client;
        client.call(ACTION, Repeat::Elsewhere, create, open).await
    }

    fn take(&mut self, response: WatchResponse) {
        if response.canceled {
            match response.compact_revision > 0 {
                true => self.lose_place(),
                false => self.events = None,
            }
            return;
        }
        if response.events.is_empty() {
            // Everything before that revision was reported.
            let reached = response.header.unwrap_or_default().revision;
            if !response.created && reached >= self.place.revision {
                self.place = Place {
                    revision: reached.saturating_add(1),
                    reported: 0,
                };
                self.to_skip = 0;
            }
            return;
        }
        for event in response.events {
            self.take_event(event);
        }
    }

    fn take_event(&mut self, event: Event) {
        let revision = event.kv.as_ref().map_or(0, |kv| kv.mod_revision);
        if revision == self.place.revision {
            if self.to_skip > 0 {
                self.to_skip -= 1;
                return;
            }
            self.place.reported += 1;
        } else {
            self.place = Place {
                revision,
                reported: 1,
            };
            self.to_skip = 0;
        }
        self.changes.push_back(self.change(&event));
    }

    /// What cannot be read counts as missed: a reader is then refused by name.
    fn change(&self, event: &Event) -> Change {
        let Some(kv) = &event.kv else {
            return Change::Missed;
        };
        match EventType::try_from(event.r#type) {
            Ok(EventType::Put) => self.inner.entry(kv).map_or(Change::Missed, Change::Put),
            Ok(EventType::Delete) => {
                let key = self.inner.keys.of_entry(&kv.key);
                key.map_or(Change::Missed, |key| Change::Deleted { key })
            }
            Err(_) => Change::Missed,
        }
    }
}

/// Opens a stream, and waits until etcd has confirmed the watch.
async fn open(
    channel: Channel,
    request: Request<WatchCreateRequest>,
) -> Result<Response<(WatchResponse, Streaming<WatchResponse>)>, Status> {
    let (metadata, extensions, create) = request.into_parts();
    let create = WatchRequest {
        request_union: Some(RequestUnion::CreateRequest(create)),
    };
    let requests = stream::iter([create]).chain(stream::pending());
    let request = Request::from_parts(metadata, extensions, requests);
    let client = WatchClient::new(channel);
    let mut client = client.max_decoding_message_size(REPLY_BYTES_MAX);
    let mut responses = client.watch(request).await?.into_inner();
    match responses.message().await? {
        Some(first) => Ok(Response::new((first, responses))),
        None => Err(Status::unavailable("etcd has closed the stream of changes")),
    }
}
