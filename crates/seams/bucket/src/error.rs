//! Why something was not read from the bucket or not written to it, and what that means on the wire.

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;

use crate::envelope::DocumentError;

/// Why something was not read from the bucket, or not written to it.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document is there and cannot be used.
    #[error("the document `{key}` in the bucket cannot be used")]
    Document {
        /// Its object key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },
    /// A document that no reader would accept. Nothing was written.
    #[error("the document `{key}` is not written, because no reader would accept it")]
    Unwritable {
        /// Its object key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },
}

impl ServiceError for BucketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => store_kind(error),
            Self::Document { source, .. } => source.kind(),
            Self::Unwritable {
                source: DocumentError::TooLarge { .. },
                ..
            } => ErrorKind::FailedPrecondition,
            Self::Unwritable { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Store(error) => store_reason(error),
            Self::Document { source, .. } => source.reason(),
            Self::Unwritable {
                source: DocumentError::TooLarge { .. },
                ..
            } => "DOCUMENT_TOO_LARGE",
            Self::Unwritable { .. } => "DOCUMENT_REFUSED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Document { source, .. } => source.hint(),
            Self::Unwritable {
                source: DocumentError::TooLarge { .. },
                ..
            } => Some(
                "make several backups with fewer tables each, for example one for each keyspace"
                    .to_owned(),
            ),
            Self::Unwritable { .. } => {
                Some("this is a fault of Ringkeep: report it with this message".to_owned())
            }
        }
    }
}

impl ServiceError for DocumentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NewerFormat { .. } | Self::TooLarge { .. } => ErrorKind::FailedPrecondition,
            Self::Header
            | Self::Kind { .. }
            | Self::Length { .. }
            | Self::Hash { .. }
            | Self::Body(_)
            | Self::Misplaced { .. }
            | Self::Exchanged { .. }
            | Self::Content { .. } => ErrorKind::DataLoss,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NewerFormat { .. } => "MANIFEST_FROM_THE_FUTURE",
            Self::TooLarge { .. } => "DOCUMENT_TOO_LARGE",
            Self::Header
            | Self::Kind { .. }
            | Self::Length { .. }
            | Self::Hash { .. }
            | Self::Body(_)
            | Self::Misplaced { .. }
            | Self::Exchanged { .. }
            | Self::Content { .. } => "MANIFEST_DAMAGED",
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NewerFormat { .. } => "use a newer Ringkeep",
            Self::TooLarge { .. }
            | Self::Misplaced { .. }
            | Self::Exchanged { .. }
            | Self::Content { .. } => {
                "no agent writes that: find out who else writes to the bucket, and use another backup"
            }
            Self::Header
            | Self::Kind { .. }
            | Self::Length { .. }
            | Self::Hash { .. }
            | Self::Body(_) => {
                "verify the backup to see all that is damaged; restore from another one"
            }
        };
        Some(text.to_owned())
    }
}

/// What a caller can do about an error of the store.
pub fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Unavailable { .. } => ErrorKind::Unavailable,
        StoreError::PermissionDenied { .. }
        | StoreError::Config { .. }
        | StoreError::NotCopied { .. }
        | StoreError::Unsuitable { .. } => ErrorKind::FailedPrecondition,
        StoreError::QuotaExceeded { .. } => ErrorKind::ResourceExhausted,
        StoreError::NotFound { .. } | StoreError::OutOfRange { .. } => ErrorKind::DataLoss,
        StoreError::TooLarge { .. }
        | StoreError::Key { .. }
        | StoreError::Source { .. }
        | StoreError::Other { .. } => ErrorKind::Internal,
    }
}

/// The stable word for an error of the store.
pub fn store_reason(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable { .. } => "STORE_UNAVAILABLE",
        StoreError::PermissionDenied { .. } => "STORE_PERMISSION_DENIED",
        StoreError::Config { .. } => "STORE_CONFIG",
        StoreError::QuotaExceeded { .. } => "STORE_FULL",
        StoreError::NotCopied { .. } => "OBJECT_NOT_COPIED",
        StoreError::Unsuitable { .. } => "STORE_UNSUITABLE",
        StoreError::NotFound { .. } => "OBJECT_MISSING",
        StoreError::OutOfRange { .. } => "OBJECT_TRUNCATED",
        StoreError::TooLarge { .. } => "OBJECT_TOO_LARGE",
        StoreError::Key { .. } | StoreError::Source { .. } | StoreError::Other { .. } => {
            "STORE_FAILED"
        }
    }
}
