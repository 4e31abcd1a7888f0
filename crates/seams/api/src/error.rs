//! The one error contract: nine kinds, a stable reason, a hint; to and from gRPC status with rich details.
//!
//! A service's error has a kind and a reason ([`ServiceError`]); [`status`] puts them on the wire as ErrorInfo,
//! BadRequest and RetryInfo; [`RemoteError`] reads them back. Clients match on the reason, never on the text.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

mod remote;

pub use remote::{Origin, RemoteError};

/// The domain of every reason, as ErrorInfo wants one.
pub const DOMAIN: &str = "ringkeep";
/// Key of the hint in ErrorInfo's metadata.
const HINT: &str = "hint";
/// How long a client waits before it retries, unless the service knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a caller can do about an error; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong in itself: change it.
    InvalidArgument,
    NotFound,
    AlreadyExists,
    /// The request is fine, the state of the world is not: change that.
    FailedPrecondition,
    /// Retry: nothing was decided.
    Unavailable,
    /// Stored or local data is damaged or missing.
    DataLoss,
    /// A disk, a quota or a limit is full.
    ResourceExhausted,
    /// Stopped because a user asked for it.
    Cancelled,
    /// A fault of ours or of the world that fits nothing above.
    Internal,
}

impl ErrorKind {
    fn code(self) -> Code {
        match self {
            Self::InvalidArgument => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Unavailable => Code::Unavailable,
            Self::DataLoss => Code::DataLoss,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Cancelled => Code::Cancelled,
            Self::Internal => Code::Internal,
        }
    }

    fn of(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Self::InvalidArgument,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::AlreadyExists,
            Code::FailedPrecondition | Code::PermissionDenied | Code::Unauthenticated => {
                Self::FailedPrecondition
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::Aborted => Self::Unavailable,
            Code::DataLoss => Self::DataLoss,
            Code::ResourceExhausted => Self::ResourceExhausted,
            Code::Cancelled => Self::Cancelled,
            Code::Ok | Code::Unknown | Code::Internal | Code::Unimplemented => Self::Internal,
        }
    }
}

/// What each error of a service declares. No implementation has a catch-all arm: a new variant must choose.
pub trait ServiceError: Error {
    fn kind(&self) -> ErrorKind;

    /// Stable word for clients, SCREAMING_SNAKE.
    fn reason(&self) -> &'static str;

    /// What the operator can do next.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The request's field that is wrong.
    fn field(&self) -> Option<&str> {
        None
    }
}

/// Translates an error for the wire, its chain of causes included.
pub fn status(error: impl ServiceError) -> Status {
    let kind = error.kind();
    let message = chain(&error);
    let mut metadata = HashMap::new();
    if let Some(hint) = error.hint() {
        metadata.insert(HINT.to_owned(), hint);
    }
    let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, metadata);
    if let Some(field) = error.field() {
        details.add_bad_request_violation(field, &message);
    }
    if kind == ErrorKind::Unavailable {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(kind.code(), message, details)
}

/// A refusal on the wire: the caller may not do this, whatever the request says.
pub fn denied(reason: &str, message: &str, hint: String) -> Status {
    let metadata = HashMap::from([(HINT.to_owned(), hint)]);
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// An error with its causes, each after a colon, and none twice.
pub fn chain(error: &dyn Error) -> String {
    with_causes(error.to_string(), error.source())
}

fn with_causes(mut text: String, mut source: Option<&dyn Error>) -> String {
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            let _ = write!(text, ": {said}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no backup `b`")]
    struct NoBackup(#[source] std::io::Error);

    impl ServiceError for NoBackup {
        fn kind(&self) -> ErrorKind {
            ErrorKind::NotFound
        }
        fn reason(&self) -> &'static str {
            "BACKUP_NOT_FOUND"
        }
        fn hint(&self) -> Option<String> {
            Some("list the backups".into())
        }
        fn field(&self) -> Option<&str> {
            Some("backup.name")
        }
    }

    #[test]
    fn an_error_arrives_as_it_was_sent() {
        let sent = status(NoBackup(std::io::Error::other("the disk is gone")));
        let got = RemoteError::from(sent);
        assert_eq!(got.kind, ErrorKind::NotFound);
        assert_eq!(got.reason, "BACKUP_NOT_FOUND");
        assert_eq!(got.hint.as_deref(), Some("list the backups"));
        assert_eq!(got.field.as_deref(), Some("backup.name"));
        assert_eq!(got.message, "no backup `b`: the disk is gone");
        assert_eq!(RemoteError::from(got.forward()), got);
    }

    #[test]
    fn an_error_has_the_place_where_it_was_made() {
        let origin = |status: Status| RemoteError::from(status).origin;
        let ours = status(NoBackup(std::io::Error::other("the disk is gone")));
        assert_eq!(origin(ours), Origin::Service);
        assert_eq!(origin(Status::unavailable("proxy")), Origin::Caller);
        assert_eq!(origin(Status::unimplemented("")), Origin::NoSuchService);
    }

    #[test]
    fn an_unavailable_error_says_when_to_try_again() {
        #[derive(Debug, thiserror::Error)]
        #[error("busy")]
        struct Busy;
        impl ServiceError for Busy {
            fn kind(&self) -> ErrorKind {
                ErrorKind::Unavailable
            }
            fn reason(&self) -> &'static str {
                "BUSY"
            }
        }
        let got = RemoteError::from(status(Busy));
        assert!(got.is_retryable());
        assert_eq!(got.retry_after, Some(RETRY_AFTER));
    }

    #[test]
    fn a_deadline_that_passed_is_worth_another_try() {
        for status in [
            Status::deadline_exceeded("not done within 1s"),
            Status::cancelled("Timeout expired"),
        ] {
            assert!(RemoteError::from(status).is_retryable());
        }
        let asked = RemoteError::from(Status::cancelled("the task was cancelled"));
        assert!(!asked.is_retryable());
    }
}
