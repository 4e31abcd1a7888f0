//! Gives the client to what fetches tokens, and notes how those that issue them responded.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService};

use super::{HttpClient, Refusal, passes};

/// The response with a token is not read beyond this.
const TOKEN_BYTES_MAX: usize = 1 << 20;
const NOT_ASKED: u16 = 0;
const NO_RESPONSE: u16 = 1;

/// How the last request for a token ended: the library does not give the status of a refusal.
#[derive(Debug, Clone, Default)]
pub struct Outcome(Arc<AtomicU16>);

impl Outcome {
    pub fn note(&self, status: Option<u16>) {
        self.0
            .store(status.unwrap_or(NO_RESPONSE), Ordering::Relaxed);
    }

    /// Whether what issues tokens failed or was out of reach, rather than refused; `None` if neither was so.
    pub fn is_outage(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            NOT_ASKED | 200..300 => None,
            NO_RESPONSE => Some(true),
            status => Some(passes(status)),
        }
    }
}

/// Gives the client to what fetches tokens.
#[derive(Debug, Clone)]
pub struct Connector {
    pub client: HttpClient,
    pub outcome: Outcome,
}

impl object_store::client::HttpConnector for Connector {
    fn connect(
        &self,
        _options: &object_store::ClientOptions,
    ) -> object_store::Result<object_store::client::HttpClient> {
        Ok(object_store::client::HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.map_err(Into::into).boxed_unsync();
        let failed = |refusal: Refusal| {
            self.outcome.note(None);
            let words = match refusal {
                Refusal::NoResponse(words) => words,
                other => format!("{other:?}"),
            };
            let source: Box<dyn Error + Send + Sync> = words.into();
            HttpError::new_boxed(HttpErrorKind::Connect, source)
        };
        let response = self.client.respond(head, body).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = self.client.body(body, TOKEN_BYTES_MAX).await;
        let body = body.map_err(failed)?;
        self.outcome.note(Some(head.status.as_u16()));
        Ok(http::Response::from_parts(head, body.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_a_token_is_no_outage() {
        let outcome = Outcome::default();
        assert_eq!(outcome.is_outage(), None);
        for (status, expected) in [
            (None, Some(true)),
            (Some(503), Some(true)),
            (Some(429), Some(true)),
            (Some(400), Some(false)),
            (Some(401), Some(false)),
            (Some(404), Some(false)),
            (Some(200), None),
        ] {
            outcome.note(status);
            assert_eq!(outcome.is_outage(), expected, "{status:?}");
        }
    }
}
