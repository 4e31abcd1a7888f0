//! Plain HTTP requests to a store: what the backends of Azure and Google Cloud Storage share.
//!
//! One client, and one place for credentials that are renewed, tries and their pauses, limits of time, and reading a
//! refusal. A backend makes requests and classifies refusals by the codes of its store.

mod client;
mod credentials;
mod endpoint;
mod payload;
mod reply;
mod tokens;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::StoreError;
pub use client::HttpClient;
pub use credentials::{Provider, Renewing};
pub use endpoint::check_endpoint;
pub use payload::Payload;
pub use reply::{Refusal, Reply, passes};
pub use tokens::{Connector, Outcome};
pub use url::{Slashes, encode, query};

/// The pause before the second try; doubles each time.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between two tries, also if the store asks for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// How often a reply is fetched again that broke off.
const BROKEN_REPLIES_MAX: u32 = 3;

/// The most that is repeated of a name.
const NAME_CHARS_MAX: usize = 300;

/// The settings that the backends share.
#[derive(Debug, Clone)]
pub struct Settings {
    pub attempts_max: u32,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    pub ca_certificate: Option<PathBuf>,
}

/// Proves to a store who asks.
#[async_trait]
pub trait Authorize: Send + Sync {
    /// Adds to a request what the store wants to see.
    async fn authorize(&self, head: &mut http::request::Parts) -> Result<(), Refusal>;

    /// Drops credentials that the store has refused. Returns whether others may be accepted.
    fn renew(&self) -> bool;
}

/// A request that can be sent several times.
#[derive(Clone)]
pub struct Request {
    method: Method,
    uri: String,
    headers: HeaderMap,
    payload: Payload,
    attempts_max: u32,
    accepted: &'static [u16],
}

impl Request {
    pub fn new(method: Method, uri: String) -> Self {
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            payload: Payload::default(),
            attempts_max: u32::MAX,
            accepted: &[200],
        }
    }

    /// The statuses of success, if it is not 200 alone. All others are refusals.
    pub fn accept(mut self, accepted: &'static [u16]) -> Self {
        self.accepted = accepted;
        self
    }

    /// A value that is no header is left out, and the store then refuses the request.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Not tried again by itself: the caller first finds out what became of it.
    pub fn once(mut self) -> Self {
        self.attempts_max = 1;
        self
    }
}

/// A client for requests to one store.
#[derive(Clone)]
pub struct Rest {
    client: HttpClient,
    attempts_max: u32,
    authorize: Arc<dyn Authorize>,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}

impl Rest {
    pub fn new(client: HttpClient, settings: &Settings, authorize: Arc<dyn Authorize>) -> Self {
        Self {
            client,
            attempts_max: settings.attempts_max.max(1),
            authorize,
        }
    }

    pub fn attempts_max(&self) -> u32 {
        self.attempts_max
    }

    /// Sends a request until the store replies with success, with what no other try would change, or too often.
    pub async fn send(&self, request: &Request) -> Result<Reply, Refusal> {
        let attempts_max = self.attempts_max.min(request.attempts_max);
        let (mut attempt, mut is_renewed) = (1, false);
        loop {
            let refusal = match self.attempt(request).await {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            if refusal.is_about_credentials() && !is_renewed && self.authorize.renew() {
                is_renewed = true;
                continue;
            }
            if attempt >= attempts_max || !refusal.may_pass() || request.payload.is_broken() {
                return Err(refusal);
            }
            tokio::time::sleep(pause(attempt, refusal.retry_after())).await;
            attempt += 1;
        }
    }

    /// The same, and the whole body of the reply, of at most so many bytes.
    pub async fn fetch(&self, request: &Request, bytes_max: usize) -> Result<Fetched, Refusal> {
        let broken_max = BROKEN_REPLIES_MAX.min(request.attempts_max.saturating_sub(1));
        let mut broken = 0;
        loop {
            let reply = self.send(request).await?;
            let (status, headers) = (reply.status, reply.headers.clone());
            match self.client.body(reply.body, bytes_max).await {
                Ok(body) => {
                    return Ok(Fetched {
                        status,
                        headers,
                        body,
                    });
                }
                Err(refusal) if broken >= broken_max => return Err(refusal),
                Err(_) => broken += 1,
            }
            tokio::time::sleep(pause(broken, None)).await;
        }
    }

    /// The body of a reply as it arrives.
    pub fn chunks(&self, reply: Reply) -> crate::read::Body {
        self.client.chunks(reply.body)
    }

    async fn attempt(&self, request: &Request) -> Result<Reply, Refusal> {
        let mut head = http::Request::builder()
            .method(request.method.clone())
            .uri(&request.uri)
            .body(())
            .map_err(|error| Refusal::Unsent(error.to_string()))?
            .into_parts()
            .0;
        head.headers = request.headers.clone();
        if request.method != Method::GET && request.method != Method::HEAD {
            // Signed by some stores, so it cannot be left to the client.
            let length = HeaderValue::from(request.payload.len());
            head.headers.insert(http::header::CONTENT_LENGTH, length);
        }
        self.authorize.authorize(&mut head).await?;
        let body = request.payload.body();
        self.client.send(head, body, request.accepted).await
    }
}

/// A reply that is in memory.
pub struct Fetched {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: bytes::Bytes,
}

/// Waits longer from try to try, by an amount that differs between callers.
pub fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    let longest = PAUSE
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(PAUSE_MAX);
    let chance = uuid::Uuid::new_v4().as_bytes()[0];
    let jittered = longest.mul_f64(0.5 + f64::from(chance) / 512.0);
    jittered.max(asked.unwrap_or_default().min(PAUSE_MAX))
}

/// The header as text.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The beginning of a name that a store has sent, for an error.
pub fn shortened(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// A path of plain segments that ends with `/`, or nothing.
pub fn folder(prefix: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

/// How often, and for how long, a token is asked for.
pub fn token_retries() -> object_store::RetryConfig {
    object_store::RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
        ..object_store::RetryConfig::default()
    }
}

/// The error of a setting.
pub fn unusable(what: impl Into<String>) -> StoreError {
    StoreError::Config {
        what: what.into(),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for attempt in 1..40 {
            let longest = PAUSE * 2u32.pow((attempt - 1).min(7));
            let pause = pause(attempt, None);
            assert!(
                pause >= longest.min(PAUSE_MAX) / 2 && pause <= PAUSE_MAX,
                "{attempt}"
            );
        }
        assert_eq!(
            pause(1, Some(Duration::from_secs(3))),
            Duration::from_secs(3)
        );
        assert_eq!(pause(1, Some(Duration::from_secs(9999))), PAUSE_MAX);
    }
}
