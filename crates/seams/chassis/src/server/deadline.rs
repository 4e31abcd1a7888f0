//! Enforces the deadline that a caller set.
//!
//! tonic ends a call at its deadline too, but with the code of a cancelled call, which would read as if the
//! caller had cancelled it. This layer is inside tonic's and ends the call first, with the code that gRPC has for it.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

const HEADER: &str = "grpc-timeout";

#[derive(Debug, Clone, Copy)]
pub(super) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Deadline<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Deadline<S>
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
        let allowed = timeout(request.headers());
        let reply = self.inner.call(request);
        let Some(allowed) = allowed else {
            return Box::pin(reply);
        };
        // Started here, not at the first poll, so that it is over before tonic's own.
        let overdue = tokio::time::sleep(allowed);
        Box::pin(async move {
            tokio::select! {
                biased;
                reply = reply => reply,
                () = overdue => {
                    let status = Status::deadline_exceeded(format!("not done within {allowed:?}"));
                    Ok(status.into_http())
                }
            }
        })
    }
}

/// At most eight digits and a unit, as gRPC over HTTP/2 has it.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 60 * 60)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic::Code;
    use tower::{ServiceExt, service_fn};

    use super::*;

    /// Not over a channel: tonic's client would end the call by its own timer.
    #[tokio::test]
    async fn a_call_past_its_deadline_ends_with_the_code_for_it() {
        let never = service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>());
        let request = Request::builder()
            .header(HEADER, "50m")
            .body(Body::empty())
            .unwrap();
        let response = DeadlineLayer.layer(never).oneshot(request).await.unwrap();
        let code = Code::from_bytes(response.headers()["grpc-status"].as_bytes());
        assert_eq!(code, Code::DeadlineExceeded);
    }

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        for (text, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("100000000n", None),
            ("5", None),
            ("-5S", None),
            ("", None),
            ("5é", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                HEADER,
                http::HeaderValue::from_bytes(text.as_bytes()).unwrap(),
            );
            assert_eq!(timeout(&headers), expected, "{text}");
        }
    }
}
