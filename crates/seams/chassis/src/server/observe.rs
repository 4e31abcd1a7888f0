//! The layer that every call passes: a limit, a span, a count, a latency, the audit log, and an end for panics.

mod call;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use api::{ErrorKind, ServiceError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, error};

use call::Call;

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
                Ok(permit) => call.hold(permit),
                Err(_) => {
                    let refused = call.replied(api::status(TooManyCalls).into_http());
                    return Box::pin(async move { Ok(refused) });
                }
            }
        }
        let span = call.span();
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
