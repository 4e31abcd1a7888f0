//! One call as it is observed: its span, its count, its latency and its line in the audit log.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use api::access::{self, Rpc};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Span, debug, field, info_span};

use crate::server::audit::Audited;
use crate::telemetry::propagation;

/// Stands for names that no service has: paths that a client invents become neither labels nor names of spans.
const UNKNOWN: &str = "unknown";

/// One call from its first byte to its last. Dropped before its end, it counts as cancelled.
pub(super) struct Call {
    span: Span,
    /// None for a path that no service has.
    rpc: Option<&'static Rpc>,
    audited: Option<Audited>,
    trace_id: Option<String>,
    permit: Option<OwnedSemaphorePermit>,
    begun: Instant,
    ended: bool,
}

impl Call {
    pub(super) fn begin(request: Request<Body>) -> (Request<Body>, Self) {
        let rpc = access::find(request.uri().path());
        let (service, method) = names(rpc);
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
        propagation::adopt(&span, request.headers());
        let trace_id = propagation::trace_id(&span);
        if let Some(trace_id) = &trace_id {
            span.record("trace_id", trace_id);
        }
        let (request, audited) = Audited::begin(rpc, request);
        let call = Self {
            span,
            rpc,
            audited,
            trace_id,
            permit: None,
            begun: Instant::now(),
            ended: false,
        };
        (request, call)
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Holds the permit until the call has ended.
    pub(super) fn hold(&mut self, permit: OwnedSemaphorePermit) {
        self.permit = Some(permit);
    }

    pub(super) fn service(&self) -> &'static str {
        names(self.rpc).0
    }

    /// Ends now if the status is in the headers already, else with the body.
    pub(super) fn replied(self, response: Response<Body>) -> Response<Body> {
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

    pub(super) fn end(mut self, code: Code) {
        self.count(code);
    }

    fn count(&mut self, code: Code) {
        self.ended = true;
        let latency = self.begun.elapsed();
        let (service, method) = names(self.rpc);
        self.span.record("rpc.grpc.status_code", code as i32);
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.in_scope(|| {
            let latency_ms = latency.as_millis();
            debug!(service, method, ?code, latency_ms, "call ended");
            if let Some(audited) = &self.audited {
                audited.end(code, latency, self.trace_id.as_deref());
            }
        });
        // A known name that is not served here is one that the client chose freely, too.
        let (service, method) = match code {
            Code::Unimplemented => (UNKNOWN, UNKNOWN),
            _ => (service, method),
        };
        metrics::counter!(
            "ringkeep_grpc_requests_total",
            "service" => service, "method" => method, "code" => format!("{code:?}")
        )
        .increment(1);
        metrics::histogram!(
            "ringkeep_grpc_request_seconds",
            "service" => service, "method" => method
        )
        .record(latency.as_secs_f64());
        self.permit = None;
    }
}

fn names(rpc: Option<&'static Rpc>) -> (&'static str, &'static str) {
    rpc.map_or((UNKNOWN, UNKNOWN), |rpc| (rpc.service, rpc.method))
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
