//! The audit log: one event for each call that may change something, with who, what, when and the outcome.
//!
//! Events have the target `audit` at level INFO. They are written when the call ends, also if it was refused. The ids
//! come from the first bytes of the request, so a refused call, whose request is not read, shows none.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use api::access::{self, Rpc};
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::info;

use super::peer::Peer;
use crate::certificate::Holder;

/// The target of the events.
pub(crate) const TARGET: &str = "audit";
/// How much of a request is kept to read ids from. They come first in all requests but the largest.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Before each message on the wire: whether it is compressed, and its length.
const MESSAGE_HEADER_BYTES: usize = 5;

/// What is known of a call while it runs.
pub(super) struct Audited {
    rpc: &'static Rpc,
    is_local: bool,
    remote: Option<SocketAddr>,
    holder: Option<Arc<Holder>>,
    head: Head,
}

/// The first bytes of a request's body.
type Head = Arc<Mutex<Vec<u8>>>;

impl Audited {
    /// Begins to follow a call, if it may change something.
    pub fn begin(
        rpc: Option<&'static Rpc>,
        request: Request<Body>,
    ) -> (Request<Body>, Option<Self>) {
        let Some(rpc) = rpc.filter(|rpc| rpc.changes) else {
            return (request, None);
        };
        let peer = request.extensions().get::<Peer>();
        let head = Head::default();
        let audited = Self {
            rpc,
            is_local: peer.is_none(),
            remote: peer.and_then(|peer| peer.remote),
            holder: peer.and_then(|peer| peer.holder.clone()),
            head: head.clone(),
        };
        let request = request.map(|body| Body::new(Noted { body, head }));
        (request, Some(audited))
    }

    pub fn end(&self, code: Code, latency: Duration, trace_id: Option<&str>) {
        let roles = match &self.holder {
            Some(holder) => access::list(&holder.roles),
            None if self.is_local => "in-process".to_owned(),
            None => "unauthenticated".to_owned(),
        };
        let named = self.named();
        info!(
            target: TARGET,
            rpc = self.rpc.path(),
            outcome = ?code,
            roles,
            subject = self.holder.as_ref().map(|holder| holder.subject.as_str()),
            peer = self.remote.map(|remote| remote.to_string()),
            trace_id,
            cluster = named.cluster,
            backup = named.backup,
            target_cluster = named.target,
            task = named.task,
            host = named.host,
            restore = named.restore,
            snapshot = named.snapshot,
            latency_ms = latency.as_millis() as u64,
            "call"
        );
    }

    fn named(&self) -> access::Named {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        match head.split_at_checked(MESSAGE_HEADER_BYTES) {
            // A compressed message is not read.
            Some(([0, ..], message)) => access::named_fields(self.rpc, message),
            _ => access::Named::default(),
        }
    }
}

/// Notes a change that a service makes by itself, because a setting asks for it, as if the call had come in.
pub fn note_own_change(call: &str, reason: &str, cluster: &str, task: &str, restore: &str) {
    info!(
        target: TARGET,
        rpc = call,
        outcome = ?Code::Ok,
        roles = "in-process",
        subject = "ringkeep",
        reason,
        cluster,
        task,
        restore,
        "own change"
    );
}

/// The body of a request, whose first bytes are kept.
struct Noted {
    body: Body,
    head: Head,
}

impl http_body::Body for Noted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = HEAD_BYTES_MAX.saturating_sub(head.len()).min(bytes.len());
            head.extend_from_slice(&bytes[..wanted]);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
