//! Reads and creates the documents in the bucket, checked by their header.

use blob_store::{Put, StoreError};
use bytes::Bytes;
use model::manifest::{
    BackupManifest, DocumentError, DocumentKind, Failure, Intent, Marker, NodeManifest, open, seal,
};
use model::{BackupRef, HostId, layout};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Intents, failures, pins and marks are some hundred bytes.
const SMALL_BYTES_MAX: u64 = 1 << 20;
/// The schema of a cluster with thousands of tables is some megabytes.
const BACKUP_MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// A million files are some 300 MB.
const NODE_MANIFEST_BYTES_MAX: u64 = 1 << 30;
/// Documents up to here are checked and parsed in place: it takes less than half a millisecond.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// A document that is kept in the bucket, with what is known of all of its kind.
pub trait Document: Serialize + DeserializeOwned + Send + 'static {
    const KIND: DocumentKind;
    const BYTES_MAX: u64;
}

macro_rules! document {
    ($type:ty, $kind:ident, $max:ident) => {
        impl Document for $type {
            const KIND: DocumentKind = DocumentKind::$kind;
            const BYTES_MAX: u64 = $max;
        }
    };
}

document!(Intent, Intent, SMALL_BYTES_MAX);
document!(Failure, Failure, SMALL_BYTES_MAX);
document!(BackupManifest, BackupManifest, BACKUP_MANIFEST_BYTES_MAX);
document!(NodeManifest, NodeManifest, NODE_MANIFEST_BYTES_MAX);

/// A document with its body's hash.
pub struct Read<T> {
    pub document: T,
    pub blake3: String,
}

impl Catalog {
    /// Reads a document; `None` where there is none.
    pub async fn read<T: Document>(&self, key: &str) -> Result<Option<Read<T>>, CatalogError> {
        let sealed = match self.store.get(key, T::BYTES_MAX).await {
            Ok(sealed) => sealed,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(source) => {
                return Err(CatalogError::Store {
                    doing: "read a document",
                    source,
                });
            }
        };
        let opened = open_off_thread::<T>(sealed).await;
        let (document, blake3) = opened.map_err(|source| CatalogError::Document {
            key: key.to_owned(),
            source,
        })?;
        Ok(Some(Read { document, blake3 }))
    }

    /// Creates a document unless there is one.
    pub async fn create<T: Document>(&self, key: &str, document: &T) -> Result<Put, CatalogError> {
        self.create_as(T::KIND, key, document).await
    }

    /// Creates a pin or a mark, which are one type of two kinds, unless there is one.
    pub async fn create_marker(
        &self,
        kind: DocumentKind,
        key: &str,
        marker: &Marker,
    ) -> Result<Put, CatalogError> {
        self.create_as(kind, key, marker).await
    }

    async fn create_as<T: Serialize>(
        &self,
        kind: DocumentKind,
        key: &str,
        document: &T,
    ) -> Result<Put, CatalogError> {
        let (sealed, _) = seal(kind, document).map_err(|source| CatalogError::Document {
            key: key.to_owned(),
            source,
        })?;
        let put = self.store.put(key, sealed.into()).await;
        put.map_err(CatalogError::store("write a document"))
    }

    pub async fn read_intent(&self, backup: &BackupRef) -> Result<Option<Intent>, CatalogError> {
        let read = self.read(&layout::intent(backup)).await?;
        Ok(read.map(|read| read.document))
    }

    /// Reads a backup manifest and makes sure that it is of this backup.
    pub async fn read_manifest(
        &self,
        backup: &BackupRef,
    ) -> Result<Option<BackupManifest>, CatalogError> {
        let key = layout::backup_manifest(backup);
        let Some(Read { document, .. }) = self.read::<BackupManifest>(&key).await? else {
            return Ok(None);
        };
        if document.backup != *backup {
            return Err(misplaced(key));
        }
        Ok(Some(document))
    }

    /// Reads a node manifest and makes sure that it is of this node and backup.
    pub async fn read_node(
        &self,
        backup: &BackupRef,
        node: &HostId,
    ) -> Result<Option<Read<NodeManifest>>, CatalogError> {
        let key = layout::node_manifest(backup, node);
        let Some(read) = self.read::<NodeManifest>(&key).await? else {
            return Ok(None);
        };
        if read.document.backup != *backup || read.document.member.host_id != *node {
            return Err(misplaced(key));
        }
        Ok(Some(read))
    }

    /// Whether there is an object of this key.
    pub async fn exists(&self, key: &str) -> Result<bool, CatalogError> {
        let head = self.store.head(key).await;
        Ok(head
            .map_err(CatalogError::store("look for a document"))?
            .is_some())
    }

    /// Deletes an object that has served its purpose. A store that lets nothing be deleted keeps it.
    pub async fn tidy(&self, key: &str) -> Result<(), CatalogError> {
        match self.store.delete(key).await {
            Ok(()) => Ok(()),
            Err(StoreError::PermissionDenied { .. }) => {
                tracing::warn!(
                    key,
                    "the store does not let this be deleted; it stays behind"
                );
                Ok(())
            }
            Err(source) => Err(CatalogError::Store {
                doing: "delete a document",
                source,
            }),
        }
    }
}

/// A whole document of another backup lies where this one's belongs: as bad as damage.
fn misplaced(key: String) -> CatalogError {
    CatalogError::Document {
        key,
        source: DocumentError::Header,
    }
}

async fn open_off_thread<T: Document>(sealed: Bytes) -> Result<(T, String), DocumentError> {
    if sealed.len() <= INLINE_BYTES_MAX {
        return open(T::KIND, &sealed);
    }
    tokio::task::spawn_blocking(move || open(T::KIND, &sealed))
        .await
        .unwrap_or(Err(DocumentError::Header))
}
