//! The layer that every call passes: a limit, a span, a count, a latency, the audit log, and an end for panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use api::access::{self, Rpc};
use api::{ErrorKind, ServiceError};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span, debug, error, field, info_span};

use super::audit::Audited;
use crate::telemetry::propagation;

/// Stands for names that no service has: paths that a client invents become neither labels nor names of spans.
const UNKNOWN: &str = "unknown";
/// May always be asked, so that a busy server does not look like a dead one.
const HEALTH: &str = "grpc.health.v1.Health";

#[derive(Debug, Clone)]
pub(super) struct ObserveLayer {
    /// One for each call, up to its last byte.
    pub calls: Arc<Semaphore>,
}

/// As many calls as the server takes are running.
#[derive(Debug, thiserror::Error)]
#[error("the service has as many calls as `server.calls_max` allows")]
struct TooManyCalls;

impl ServiceError for TooManyCalls {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn reason(&self) -> &'static str {
        "TOO_MANY_CALLS"
    }

    fn hint(&self) -> Option<String> {
        Some("try again later, or raise `calls_max` in [server] of the service".to_owned())
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe {
            inner,
            calls: self.calls.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Observe<S> {
    inner: S,
    calls: Arc<Semaphore>,
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
        let (request, mut call) = Call::begin(request);
        if call.service() != HEALTH {
            match self.calls.clone().try_acquire_owned() {
                Ok(permit) => call.permit = Some(permit),
                Err(_) => {
                    let refused = call.replied(api::status(TooManyCalls).into_http());
                    return Box::pin(async move { Ok(refused) });
                }
            }
        }
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
    /// None for a path that no service has.
    rpc: Option<&'static Rpc>,
    audited: Option<Audited>,
    trace_id: Option<String>,
    permit: Option<OwnedSemaphorePermit>,
    begun: Instant,
    ended: bool,
}

impl Call {
    fn begin(request: Request<Body>) -> (Request<Body>, Self) {
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

    fn service(&self) -> &'static str {
        names(self.rpc).0
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::service_fn;

    use super::*;

    /// What is counted if a call of this path is dropped before its reply.
    fn counted_when_dropped(path: &str) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let never =
                service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>());
            let calls = Arc::new(Semaphore::new(1));
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            drop(ObserveLayer { calls }.layer(never).call(request));
        });
        recorder.handle().render()
    }

    #[test]
    fn a_dropped_call_counts_under_its_own_name_only_if_that_is_known() {
        let known = counted_when_dropped("/ringkeep.planner.v1.Planner/PlanBackup");
        assert!(
            known.contains(r#"method="PlanBackup",code="Cancelled""#),
            "{known}"
        );
        for path in [
            "/made.Up/Name",
            "/ringkeep.planner.v1.Planner/Made",
            "/made",
        ] {
            let counted = counted_when_dropped(path);
            let expected = r#"service="unknown",method="unknown",code="Cancelled""#;
            assert!(counted.contains(expected), "{counted}");
            assert!(!counted.to_lowercase().contains("made"), "{counted}");
        }
    }
}
