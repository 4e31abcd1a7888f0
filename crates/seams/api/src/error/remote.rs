//! An error as the caller of a service has it.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::{DOMAIN, ErrorKind, HINT, RETRY_AFTER, ServiceError, with_causes};

/// What tonic's client reports, under the code of a cancelled call, when a deadline that it was given has passed.
const DEADLINE_OF_OURS: &str = "Timeout expired";

/// An error of a call to another service.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    pub kind: ErrorKind,
    /// Stable word; empty unless the error has one.
    pub reason: String,
    pub message: String,
    pub hint: Option<String>,
    /// The request's field that is wrong.
    pub field: Option<String>,
    pub retry_after: Option<Duration>,
    /// Where it was made. Of this side only: an error that is passed on is the service's that passes it on.
    pub origin: Origin,
}

/// Where an error was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A Ringkeep service replied with it.
    Service,
    /// On this side of the call, or on the way: no service has replied.
    Caller,
    /// Something replied that does not have the service that was called.
    NoSuchService,
}

impl RemoteError {
    /// An error of this side of a call, without a hint. The reason is empty if no client can match on it.
    pub fn new(kind: ErrorKind, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.to_owned(),
            message: message.into(),
            hint: None,
            field: None,
            retry_after: None,
            origin: Origin::Caller,
        }
    }

    /// A response that cannot be: of another version of the service, or of something else at its address.
    pub fn invalid_response(who: &str, what: impl std::fmt::Display) -> Self {
        let message = format!("{who} returned an invalid response: {what}");
        Self::new(ErrorKind::Internal, "INVALID_RESPONSE", message)
    }

    /// Whether a retry can help without a change of anything.
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl From<Status> for RemoteError {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let field = details
            .bad_request()
            .and_then(|bad| bad.field_violations.first())
            .map(|violation| violation.field.clone());
        // tonic reports a transport that breaks in mid-call as Unknown, Cancelled or Internal, without details.
        let broken = info.is_none()
            && (status.source().is_some()
                || status
                    .message()
                    .contains("error reading a body from connection")
                || status.message().contains("h2 protocol error")
                || status.message().contains("missing grpc-status trailer")
                || status.message() == DEADLINE_OF_OURS);
        let origin = match (info.is_some(), status.code()) {
            (true, _) => Origin::Service,
            (false, Code::Unimplemented) => Origin::NoSuchService,
            (false, _) => Origin::Caller,
        };
        Self {
            origin,
            kind: if broken {
                ErrorKind::Unavailable
            } else {
                ErrorKind::of(status.code())
            },
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: said(&status),
            hint: info.and_then(|info| info.metadata.get(HINT).cloned()),
            field,
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

/// The message of a status, with the cause that only this side knows: a refused certificate, a broken connection.
fn said(status: &Status) -> String {
    let message = match status.message() {
        "" => format!("the call ended with {:?}", status.code()),
        message => message.to_owned(),
    };
    // tonic's own error comes first and has no information of its own.
    let cause = status.source().and_then(|transport| transport.source());
    with_causes(message, cause)
}

impl ServiceError for RemoteError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn reason(&self) -> &'static str {
        // `forward` passes the remote reason on, because reasons of this side are static words.
        "REMOTE"
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl RemoteError {
    /// The same error for the wire again, reason and all.
    pub fn forward(&self) -> Status {
        let mut metadata = HashMap::new();
        if let Some(hint) = &self.hint {
            metadata.insert(HINT.to_owned(), hint.clone());
        }
        let mut details = ErrorDetails::with_error_info(&self.reason, DOMAIN, metadata);
        if let Some(field) = &self.field {
            details.add_bad_request_violation(field, &self.message);
        }
        if self.kind == ErrorKind::Unavailable {
            details.set_retry_info(Some(self.retry_after.unwrap_or(RETRY_AFTER)));
        }
        Status::with_error_details(self.kind.code(), &self.message, details)
    }
}
