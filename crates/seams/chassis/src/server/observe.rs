//! The layer that every call passes: a span, a count, a latency, and an end for panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span, debug, error, field, info_span};

use crate::telemetry::propagation;

/// Label of calls to unknown names: paths that a client invents must not become labels.
const UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, Copy)]
pub(super) struct ObserveLayer;

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Observe<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Observe<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call::begin(request.uri().path(), request.headers());
        let span = call.span.clone();
        let reply = span.in_scope(|| self.inner.call(request));
        let reply = async move {
            match AssertUnwindSafe(reply).catch_unwind().await {
                Ok(Ok(response)) => Ok(call.replied(response)),
                Ok(Err(error)) => {
                    call.end(Code::Unknown);
                    Err(error)
                }
                Err(panic) => Ok(call.replied(panicked(&*panic).into_http())),
            }
        };
        Box::pin(reply.instrument(span))
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Status {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    error!(message = message.unwrap_or("no text"), "a handler panicked");
    Status::internal("the service failed; its log has the details")
}

/// One call from its first byte to its last. Dropped before its end, it counts as cancelled.
struct Call {
    span: Span,
    service: String,
    method: String,
    begun: Instant,
    ended: bool,
}

impl Call {
    fn begin(path: &str, headers: &HeaderMap) -> Self {
        let (service, method) = path
            .trim_start_matches('/')
            .rsplit_once('/')
            .unwrap_or((UNKNOWN, UNKNOWN));
        let short = service.rsplit('.').next().unwrap_or(service);
        let span = info_span!(
            "rpc",
            otel.name = format!("{short}.{method}"),
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = method,
            rpc.grpc.status_code = field::Empty,
            trace_id = field::Empty,
        );
        propagation::adopt(&span, headers);
        if let Some(trace_id) = propagation::trace_id(&span) {
            span.record("trace_id", trace_id);
        }
        Self {
            span,
            service: service.to_owned(),
            method: method.to_owned(),
            begun: Instant::now(),
            ended: false,
        }
    }

    /// Ends now if the status is in the headers already, else with the body.
    fn replied(self, response: Response<Body>) -> Response<Body> {
        match code_of(response.headers()) {
            Some(code) => {
                self.end(code);
                response
            }
            None => response.map(|body| {
                Body::new(Observed {
                    body,
                    call: Some(self),
                })
            }),
        }
    }

    fn end(mut self, code: Code) {
        self.count(code);
    }

    fn count(&mut self, code: Code) {
        self.ended = true;
        let latency = self.begun.elapsed();
        self.span.record("rpc.grpc.status_code", code as i32);
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.in_scope(|| {
            debug!(
                service = self.service,
                method = self.method,
                ?code,
                latency_ms = latency.as_millis(),
                "call ended"
            );
        });
        let (service, method) = match code {
            Code::Unimplemented => (UNKNOWN.to_owned(), UNKNOWN.to_owned()),
            _ => (self.service.clone(), self.method.clone()),
        };
        metrics::counter!(
            "ringkeep_grpc_requests_total",
            "service" => service.clone(), "method" => method.clone(), "code" => format!("{code:?}")
        )
        .increment(1);
        metrics::histogram!(
            "ringkeep_grpc_request_seconds",
            "service" => service, "method" => method
        )
        .record(latency.as_secs_f64());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.count(Code::Cancelled);
        }
    }
}

fn code_of(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

/// The body of a reply, watched for the status at its end.
struct Observed {
    body: Body,
    call: Option<Call>,
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let span = self.call.as_ref().map(|call| call.span.clone());
        let _entered = span.as_ref().map(Span::enter);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let code = match &frame {
            Some(Ok(frame)) => frame
                .trailers_ref()
                .map(|trailers| code_of(trailers).unwrap_or(Code::Unknown)),
            Some(Err(status)) => Some(status.code()),
            None => Some(Code::Unknown),
        };
        if let Some(code) = code
            && let Some(call) = self.call.take()
        {
            call.end(code);
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
