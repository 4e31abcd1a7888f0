//! The bucket in the words of this service: what its errors mean here, and node manifests read from it.

use api::{ErrorKind, ServiceError};
use blob_store::{Store, StoreError};
use model::manifest::{DocumentError, DocumentKind, NodeManifest, open, open_node};
use model::{BackupRef, HostId, layout};
use serde::Deserialize;

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
            Self::Document { source, .. } => Some(document_hint(source).to_owned()),
            Self::Store(error) => error.hint().map(str::to_owned),
        }
    }
}

fn document_hint(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Misplaced { .. }
        | DocumentError::Exchanged { .. }
        | DocumentError::Content { .. } => {
            "no agent writes that: find out who else writes to the bucket, and use another backup"
        }
        _ => "verify the backup that it belongs to",
    }
}

/// Reads and checks a node's manifest of a backup, with the hash of its body; nothing if there is none.
pub async fn read_node_manifest(
    store: &Store,
    backup: &BackupRef,
    host_id: HostId,
) -> Result<Option<(NodeManifest, String)>, BucketError> {
    let key = layout::node_manifest(backup, &host_id);
    match store.get(&key, DOCUMENT_BYTES_MAX).await {
        Ok(bytes) => open_node(&key, &bytes)
            .map(Some)
            .map_err(|source| BucketError::Document { key, source }),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same, but only the manifest with this hash: a sound one that was put in its place is refused.
pub async fn read_node_manifest_of_hash(
    store: &Store,
    backup: &BackupRef,
    host_id: HostId,
    blake3: &str,
) -> Result<Option<NodeManifest>, BucketError> {
    match read_node_manifest(store, backup, host_id).await? {
        Some((_, found)) if found != blake3 => Err(BucketError::Document {
            key: layout::node_manifest(backup, &host_id),
            source: DocumentError::Exchanged {
                expected: blake3.to_owned(),
                found,
            },
        }),
        read => Ok(read.map(|(manifest, _)| manifest)),
    }
}

/// What a backup manifest says of its node manifests; the rest of it is not kept in memory.
#[derive(Deserialize)]
struct Committed {
    backup: BackupRef,
    nodes: Vec<CommittedNode>,
}

#[derive(Deserialize)]
struct CommittedNode {
    host_id: HostId,
    blake3: String,
}

/// Reads a node's manifest of a committed backup, the very one that was committed; nothing if there is none.
pub async fn read_committed_node_manifest(
    store: &Store,
    backup: &BackupRef,
    host_id: HostId,
) -> Result<Option<NodeManifest>, BucketError> {
    let key = layout::backup_manifest(backup);
    let bytes = store.get(&key, DOCUMENT_BYTES_MAX).await?;
    let opened = open::<Committed>(DocumentKind::BackupManifest, &bytes);
    let committed = opened.and_then(|(committed, _)| {
        let own = layout::backup_manifest(&committed.backup);
        match own == key {
            true => Ok(committed),
            false => Err(DocumentError::Misplaced { own }),
        }
    });
    let committed = committed.map_err(|source| BucketError::Document { key, source })?;
    let mut nodes = committed.nodes.into_iter();
    match nodes.find(|node| node.host_id == host_id) {
        Some(node) => read_node_manifest_of_hash(store, backup, host_id, &node.blake3).await,
        None => Ok(None),
    }
}
