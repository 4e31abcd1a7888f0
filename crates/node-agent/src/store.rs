//! Errors of the object store in the words of this service.

use api::ErrorKind;
use blob_store::StoreError;

/// The largest document that an agent reads: a node manifest of about a million files.
pub const DOCUMENT_BYTES_MAX: u64 = 512 << 20;

pub fn kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::NotFound { .. } | StoreError::OutOfRange { .. } => ErrorKind::DataLoss,
        StoreError::PermissionDenied { .. } | StoreError::Config { .. } => {
            ErrorKind::FailedPrecondition
        }
        StoreError::Unavailable { .. } => ErrorKind::Unavailable,
        StoreError::QuotaExceeded { .. } => ErrorKind::ResourceExhausted,
        StoreError::TooLarge { .. }
        | StoreError::Key { .. }
        | StoreError::Source { .. }
        | StoreError::Other { .. } => ErrorKind::Internal,
    }
}

pub fn reason(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound { .. } => "OBJECT_MISSING",
        StoreError::OutOfRange { .. } => "OBJECT_TRUNCATED",
        StoreError::PermissionDenied { .. } => "STORE_DENIED",
        StoreError::Config { .. } => "STORE_CONFIG",
        StoreError::Unavailable { .. } => "STORE_UNAVAILABLE",
        StoreError::QuotaExceeded { .. } => "STORE_FULL",
        StoreError::TooLarge { .. }
        | StoreError::Key { .. }
        | StoreError::Source { .. }
        | StoreError::Other { .. } => "STORE_FAILED",
    }
}
