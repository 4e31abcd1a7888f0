//! What came back for a request, or why nothing did.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;

use super::text;
use crate::StoreError;
use crate::error::{Explained, Kind};

const TOKEN_HINT: &str = "check that this host reaches what issues its tokens (an identity provider, or the metadata server of \
     the machine), or configure credentials in the section [store]; then try again";

/// A response that is no refusal, its body still to be read.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Incoming,
}

/// Why a request was not done, as far as this end knows.
#[derive(Debug)]
pub enum Refusal {
    /// The request cannot be made.
    Unsent(String),
    /// There is nothing to prove with who asks. `may_pass` if what issues tokens failed, and did not refuse.
    Credentials { words: String, may_pass: bool },
    /// The connection failed, or the reply took too long.
    NoResponse(String),
    /// The store's response.
    Status {
        status: u16,
        headers: HeaderMap,
        body: Bytes,
    },
}

impl Refusal {
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Unsent(_) | Self::Credentials { .. } | Self::NoResponse(_) => None,
        }
    }

    /// Whether the same request may be done by another try.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoResponse(_) => true,
            Self::Status { status, .. } => passes(*status),
            Self::Credentials { may_pass, .. } => *may_pass,
            Self::Unsent(_) => false,
        }
    }

    /// Whether the store does not accept the credentials, rather than what they may do.
    pub fn is_about_credentials(&self) -> bool {
        self.status() == Some(401)
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { headers, .. } => {
                let seconds = text(headers, "retry-after")?.parse().ok()?;
                Some(Duration::from_secs(seconds))
            }
            _ => None,
        }
    }

    /// The error of the port; `read` reads a response of this store.
    pub fn into_error(
        self,
        key: &str,
        store: &str,
        unsuitable_hint: &'static str,
        read: impl FnOnce(u16, &HeaderMap, &[u8]) -> (Kind, Explained),
    ) -> StoreError {
        let plain = |words: String| Explained {
            words,
            code: String::new(),
            hint: None,
        };
        let (kind, explained) = match self {
            Self::Unsent(words) => (
                Kind::Other,
                plain(format!("the request could not be built: {words}")),
            ),
            Self::NoResponse(words) => (
                Kind::Unavailable,
                plain(format!("it did not respond: {words}")),
            ),
            Self::Credentials { words, may_pass } => {
                let words = format!("there are no credentials for it: {words}");
                let kind = match may_pass {
                    true => Kind::Unavailable,
                    false => Kind::Permission,
                };
                let hint = may_pass.then_some(TOKEN_HINT);
                (
                    kind,
                    Explained {
                        hint,
                        ..plain(words)
                    },
                )
            }
            Self::Status {
                status,
                headers,
                body,
            } => read(status, &headers, &body),
        };
        explained.into_error(kind, key, store, unsuitable_hint)
    }
}

/// Whether a server that responds so may do the same request on another try.
pub fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// What led to an error, each cause once.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !causes.iter().any(|known| known.contains(&text)) {
            causes.push(text);
        }
        cause = error.source();
    }
    causes.join(": ")
}
