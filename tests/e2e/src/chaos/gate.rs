//! A gate between the task-runner and a service: it knows which call passes, and can hold the call before the service has it,
//! and its end before the task-runner has it.
//!
//! While a call is held, its step runs: that is how a fault hits even a step that takes a few milliseconds.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

/// The service behind a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Agent(usize),
    Catalog,
}

/// A call that waits at its gate. Dropped, it passes.
pub struct Held {
    pub place: Place,
    pub method: String,
    /// Lets the service have it.
    pub go: oneshot::Sender<()>,
    /// Comes once the service has replied; an error if it never will.
    pub replied: oneshot::Receiver<()>,
    /// Lets the task-runner have the end of the reply.
    pub end: oneshot::Sender<()>,
}

/// Which calls are held.
#[derive(Clone, Default)]
pub struct Wanted(Arc<Mutex<Vec<Call>>>);

/// A method, and where it is held if only there.
pub type Call = (&'static str, Option<Place>);

impl Wanted {
    pub fn set(&self, wanted: Vec<Call>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
    }

    fn has(&self, method: &str, place: Place) -> bool {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted
            .iter()
            .any(|(name, at)| *name == method && at.is_none_or(|at| at == place))
    }
}

#[derive(Clone)]
pub struct Gate {
    place: Place,
    upstream: Arc<OnceLock<Channel>>,
    wanted: Wanted,
    held: mpsc::UnboundedSender<Held>,
}

impl Gate {
    pub fn new(place: Place, wanted: Wanted, held: mpsc::UnboundedSender<Held>) -> Self {
        Self {
            place,
            upstream: Arc::default(),
            wanted,
            held,
        }
    }

    /// Where its calls go to. Until then they fail.
    pub fn lead_to(&self, upstream: &str) -> Result<()> {
        let channel = api::client::channel(upstream, None)?;
        self.upstream.set(channel).ok().context("it leads there")
    }

    /// Opens the gate on a free port; it ends with the runtime.
    pub async fn open(&self) -> Result<SocketAddr> {
        let gate = self.clone();
        let router = Router::new().fallback(move |request| gate.clone().forward(request));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tonic::transport::Server::builder().add_routes(router.into());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        tokio::spawn(server.serve_with_incoming(incoming));
        Ok(address)
    }

    async fn forward(self, request: Request) -> Response {
        let waiting = self.hold(request.uri().path());
        let end = match waiting {
            // An error: the test has no use for this call.
            Some(waiting) => waiting.go.await.is_ok().then_some(waiting.end),
            None => None,
        };
        match self.call(request).await {
            Ok(reply) => match end {
                Some(end) => reply.map(|body| Body::new(HeldEnd::new(body, end))),
                None => reply.map(Body::new),
            },
            Err(error) => Status::unavailable(error.to_string())
                .into_http::<tonic::body::Body>()
                .map(Body::new)
                .into_response(),
        }
    }

    async fn call(&self, request: Request) -> Result<http::Response<tonic::body::Body>> {
        let mut channel = self.upstream.get().context("no service yet")?.clone();
        let channel = channel.ready().await?;
        Ok(channel.call(request.map(tonic::body::Body::new)).await?)
    }

    fn hold(&self, path: &str) -> Option<Waiting> {
        let method = path.rsplit('/').next()?;
        if !self.wanted.has(method, self.place) {
            return None;
        }
        let (go, waits_to_go) = oneshot::channel();
        let (has_replied, replied) = oneshot::channel();
        let (end, waits_to_end) = oneshot::channel();
        let held = Held {
            place: self.place,
            method: method.to_owned(),
            go,
            replied,
            end,
        };
        self.held.send(held).ok()?;
        let end = End {
            has_replied: Some(has_replied),
            may_end: waits_to_end,
        };
        let go = waits_to_go;
        Some(Waiting { go, end })
    }
}

/// The gate's side of a call that is held.
struct Waiting {
    go: oneshot::Receiver<()>,
    end: End,
}

struct End {
    has_replied: Option<oneshot::Sender<()>>,
    may_end: oneshot::Receiver<()>,
}

type LastFrame = Option<Result<Frame<Bytes>, Status>>;

/// A reply of which all passes but its end, for which it waits.
struct HeldEnd {
    reply: tonic::body::Body,
    end: End,
    last: Option<LastFrame>,
    is_over: bool,
}

impl HeldEnd {
    fn new(reply: tonic::body::Body, end: End) -> Self {
        Self {
            reply,
            end,
            last: None,
            is_over: false,
        }
    }
}

impl http_body::Body for HeldEnd {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        if this.last.is_none() {
            match ready!(Pin::new(&mut this.reply).poll_frame(context)) {
                Some(Ok(frame)) if !frame.is_trailers() => return Poll::Ready(Some(Ok(frame))),
                last => this.last = Some(last),
            }
            if let Some(has_replied) = this.end.has_replied.take() {
                let _ = has_replied.send(());
            }
        }
        // However the test lets go of it.
        let _ = ready!(Pin::new(&mut this.end.may_end).poll(context));
        this.is_over = true;
        Poll::Ready(this.last.take().flatten())
    }
}
