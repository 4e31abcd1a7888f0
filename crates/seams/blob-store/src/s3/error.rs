//! Classifies errors of the SDK by what the caller can do, and puts them into plain words.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::StoreError;
use crate::error::{Explained, Kind};

/// Codes of a store that does not accept the credentials any more, or not yet.
const EXPIRED_CODES: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidToken",
    "InvalidTokenId",
    "TokenRefreshRequired",
];
const EXPIRED_HINT: &str =
    "renew the credentials; they are read again on the next try, no restart is needed";

/// The meaning of an error response to a conditional request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There is an object of that key.
    Exists,
    /// Another conditional request for the key was running: nothing was decided.
    Conflict,
    /// The multipart upload is gone: completed by an earlier try, or aborted.
    NoSuchUpload,
    /// Unrelated to the condition.
    Other,
}

pub fn condition<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Condition {
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    match (status, error.code()) {
        (Some(412), _) | (_, Some("PreconditionFailed")) => Condition::Exists,
        (Some(409), _) | (_, Some("ConditionalRequestConflict")) => Condition::Conflict,
        (_, Some("NoSuchUpload")) => Condition::NoSuchUpload,
        _ => Condition::Other,
    }
}

/// Whether a range was refused because the object ends before it begins.
pub fn is_beyond_end<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("InvalidRange") || status_of(error) == Some(416)
}

pub fn status_of<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}

/// Whether a body of an error says that the credentials have expired.
pub fn says_expired(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    EXPIRED_CODES
        .iter()
        .any(|code| text.contains(&format!("<Code>{code}</Code>")))
}

/// Classifies an error of the SDK.
pub fn classify<E>(store: &str, key: &str, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = status_of(&error);
    let code = error.code().unwrap_or_default().to_owned();
    let kind = match &error {
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => by_response(status, &code),
        SdkError::TimeoutError(_) => Kind::Unavailable,
        // No response: the network failed, or there are no credentials to sign with.
        _ if lacks_credentials(&error) => Kind::Permission,
        SdkError::DispatchFailure(failure) if failure.is_user() => Kind::Other,
        SdkError::DispatchFailure(_) => Kind::Unavailable,
        _ => Kind::Other,
    };
    explained(&error, status, code).into_error(kind, key, store, UNKNOWN_HINT)
}

const UNKNOWN_HINT: &str = "use a store that knows this part of the protocol of S3; \
     docs/stores.md lists what is needed and the settings for stores that lack something";

fn by_response(status: Option<u16>, code: &str) -> Kind {
    match code {
        "NoSuchKey" | "NotFound" => return Kind::NotFound,
        // A mistyped bucket must never look like an empty one.
        "NoSuchBucket" => return Kind::Other,
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "RequestTimeout"
        | "InternalError"
        | "ServiceUnavailable"
        | "OperationAborted"
        | "BadDigest"
        | "XAmzContentChecksumMismatch" => {
            return Kind::Unavailable;
        }
        "QuotaExceeded"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "StorageQuotaExceeded"
        | "ServiceQuotaExceededException" => return Kind::Quota,
        "NotImplemented" => return Kind::Unsuitable,
        code if EXPIRED_CODES.contains(&code) => return Kind::Permission,
        _ => {}
    }
    match status {
        // 417: Expect; 501, 505: a header or method that it does not know.
        Some(405 | 411 | 415 | 417 | 501 | 505) => Kind::Unsuitable,
        Some(404) => Kind::NotFound,
        Some(401 | 403) => Kind::Permission,
        Some(507) => Kind::Quota,
        Some(409 | 429 | 500..=599) | None => Kind::Unavailable,
        Some(_) => Kind::Other,
    }
}

fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<CredentialsError>() {
            Some(CredentialsError::ProviderTimedOut(_)) | None => {}
            Some(_) => return true,
        }
        cause = error.source();
    }
    false
}

/// The store's own words, or what the SDK knows of a failure before there was a response.
fn explained<E>(error: &SdkError<E, HttpResponse>, status: Option<u16>, code: String) -> Explained
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let mut words = match (status, error.message()) {
        (Some(status), Some(message)) => format!("it responded {status} {code}: {message}"),
        (Some(status), None) => format!("it responded {status} {code}")
            .trim_end()
            .to_owned(),
        (None, _) if lacks_credentials(error) => {
            format!("there are no credentials for it: {}", causes(error))
        }
        (None, _) => format!("it did not respond: {}", causes(error)),
    };
    let expired = EXPIRED_CODES.contains(&code.as_str());
    if expired {
        words = format!("the credentials have expired or were withdrawn: {words}");
    }
    let hint = expired.then_some(EXPIRED_HINT);
    Explained { words, code, hint }
}

/// What led to an error, without the names that the SDK gives to its layers.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    const LAYERS: &[&str] = &[
        "dispatch failure",
        "service error",
        "io error",
        "client error (Connect)",
        "other",
        "",
    ];
    let mut causes: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        let is_known = causes.iter().any(|known| known.contains(&text));
        if !is_known && !LAYERS.contains(&text.as_str()) {
            causes.push(text);
        }
        cause = error.source();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_does_not_know_is_not_asked_again() {
        for (status, code) in [(501, "NotImplemented"), (501, ""), (417, ""), (411, "")] {
            let kind = by_response(Some(status), code);
            assert!(matches!(kind, Kind::Unsuitable), "{status} {code}");
        }
        assert!(matches!(by_response(Some(503), ""), Kind::Unavailable));
    }

    #[test]
    fn only_a_missing_object_is_not_found() {
        assert!(matches!(
            by_response(Some(404), "NoSuchKey"),
            Kind::NotFound
        ));
        assert!(matches!(
            by_response(Some(404), "NoSuchBucket"),
            Kind::Other
        ));
        assert!(matches!(
            by_response(Some(403), "AccessDenied"),
            Kind::Permission
        ));
        assert!(matches!(
            by_response(Some(503), "SlowDown"),
            Kind::Unavailable
        ));
        assert!(matches!(
            by_response(Some(507), "XMinioStorageFull"),
            Kind::Quota
        ));
        assert!(matches!(
            by_response(Some(400), "InvalidRequest"),
            Kind::Other
        ));
        assert!(matches!(
            by_response(Some(400), "ExpiredToken"),
            Kind::Permission
        ));
    }
}
