//! The bucket in the words of this service: what its errors mean here, and node manifests read from it.

use api::{ErrorKind, ServiceError};
use blob_store::{Store, StoreError};
use model::manifest::{DocumentError, DocumentKind, NodeManifest, open};
use model::{BackupRef, HostId, layout};

/// The largest document that an agent reads: a node manifest of about a million files.
const DOCUMENT_BYTES_MAX: u64 = 512 << 20;

/// Why something was not read from the bucket, or not written to it.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the document `{key}` in the bucket cannot be believed")]
    Document {
        key: String,
        #[source]
        source: DocumentError,
    },
}

impl ServiceError for BucketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Document { .. } => ErrorKind::DataLoss,
            Self::Store(StoreError::NotFound { .. } | StoreError::OutOfRange { .. }) => {
                ErrorKind::DataLoss
            }
            Self::Store(StoreError::PermissionDenied { .. } | StoreError::Config { .. }) => {
                ErrorKind::FailedPrecondition
            }
            Self::Store(StoreError::Unavailable { .. }) => ErrorKind::Unavailable,
            Self::Store(StoreError::QuotaExceeded { .. }) => ErrorKind::ResourceExhausted,
            Self::Store(
                StoreError::TooLarge { .. }
                | StoreError::Key { .. }
                | StoreError::Source { .. }
                | StoreError::Other { .. },
            ) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Document { .. } => "DOCUMENT_DAMAGED",
            Self::Store(StoreError::NotFound { .. }) => "OBJECT_MISSING",
            Self::Store(StoreError::OutOfRange { .. }) => "OBJECT_TRUNCATED",
            Self::Store(StoreError::PermissionDenied { .. }) => "STORE_DENIED",
            Self::Store(StoreError::Config { .. }) => "STORE_CONFIG",
            Self::Store(StoreError::Unavailable { .. }) => "STORE_UNAVAILABLE",
            Self::Store(StoreError::QuotaExceeded { .. }) => "STORE_FULL",
            Self::Store(
                StoreError::TooLarge { .. }
                | StoreError::Key { .. }
                | StoreError::Source { .. }
                | StoreError::Other { .. },
            ) => "STORE_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Document { .. } => Some("verify the backup that it belongs to".to_owned()),
            Self::Store(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Reads and checks a node's manifest of a backup, with the hash of its body; nothing where there is none.
pub async fn read_node_manifest(
    store: &Store,
    backup: &BackupRef,
    host_id: HostId,
) -> Result<Option<(NodeManifest, String)>, BucketError> {
    let key = layout::node_manifest(backup, &host_id);
    match store.get(&key, DOCUMENT_BYTES_MAX).await {
        Ok(bytes) => open(DocumentKind::NodeManifest, &bytes)
            .map(Some)
            .map_err(|source| BucketError::Document { key, source }),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
