//! Classifies errors of the SDK by what the caller can do.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::StoreError;

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

/// Classifies an error of the SDK.
pub fn classify<E>(store: &str, key: &str, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (key, store) = (key.to_owned(), store.to_owned());
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
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
    let source = Box::new(Spoken::new(error, status, &code));
    match kind {
        Kind::NotFound => StoreError::NotFound { key, store },
        Kind::Permission => StoreError::PermissionDenied { key, store, source },
        Kind::Unavailable => StoreError::Unavailable { key, store, source },
        Kind::Quota => StoreError::QuotaExceeded { key, store, source },
        Kind::Other => StoreError::Other { key, store, source },
    }
}

enum Kind {
    NotFound,
    Permission,
    Unavailable,
    Quota,
    Other,
}

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
        _ => {}
    }
    match status {
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

/// The SDK's error, displayed with the store's own message, which the SDK shows only in its debug form.
#[derive(Debug)]
struct Spoken {
    words: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Spoken {
    fn new<E>(error: SdkError<E, HttpResponse>, status: Option<u16>, code: &str) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let words = match (status, error.message()) {
            (Some(status), Some(message)) => format!("it responded {status} {code}: {message}"),
            (Some(status), None) => format!("it responded {status} {code}")
                .trim_end()
                .to_owned(),
            (None, _) => "it did not respond".to_owned(),
        };
        Self {
            words,
            source: Box::new(error),
        }
    }
}

impl std::fmt::Display for Spoken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Spoken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
