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

    /// Refuses what does not belong under `key`, or says what cannot be.
    fn check(&self, key: &str) -> Result<(), DocumentError>;
}

macro_rules! document {
    ($type:ty, $kind:ident, $max:ident, $check:expr) => {
        impl Document for $type {
            const KIND: DocumentKind = DocumentKind::$kind;
            const BYTES_MAX: u64 = $max;

            fn check(&self, key: &str) -> Result<(), DocumentError> {
                $check(self, key)
            }
        }
    };
}

document!(Intent, Intent, SMALL_BYTES_MAX, |intent: &Intent, key| {
    belongs(layout::intent(&intent.backup), key)
});
document!(
    Failure,
    Failure,
    SMALL_BYTES_MAX,
    |failure: &Failure, key| { belongs(layout::failure(&failure.backup), key) }
);
document!(
    BackupManifest,
    BackupManifest,
    BACKUP_MANIFEST_BYTES_MAX,
    |manifest: &BackupManifest, key| belongs(layout::backup_manifest(&manifest.backup), key)
);
document!(
    NodeManifest,
    NodeManifest,
    NODE_MANIFEST_BYTES_MAX,
    NodeManifest::check
);

/// A whole document of another backup lies where this one's belongs: as bad as damage.
fn belongs(own: String, key: &str) -> Result<(), DocumentError> {
    match own == key {
        true => Ok(()),
        false => Err(DocumentError::Misplaced { own }),
    }
}

/// A document with its body's hash.
pub struct Read<T> {
    pub document: T,
    pub blake3: String,
}

impl Catalog {
    /// Reads a document and checks it; `None` where there is none.
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
        let opened = open_off_thread::<T>(key, sealed).await;
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

    pub async fn read_manifest(
        &self,
        backup: &BackupRef,
    ) -> Result<Option<BackupManifest>, CatalogError> {
        let read = self.read(&layout::backup_manifest(backup)).await?;
        Ok(read.map(|read| read.document))
    }

    pub async fn read_node(
        &self,
        backup: &BackupRef,
        node: &HostId,
    ) -> Result<Option<Read<NodeManifest>>, CatalogError> {
        self.read(&layout::node_manifest(backup, node)).await
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

async fn open_off_thread<T: Document>(
    key: &str,
    sealed: Bytes,
) -> Result<(T, String), DocumentError> {
    if sealed.len() <= INLINE_BYTES_MAX {
        return open_checked(key, &sealed);
    }
    let key = key.to_owned();
    tokio::task::spawn_blocking(move || open_checked(&key, &sealed))
        .await
        .unwrap_or(Err(DocumentError::Header))
}

fn open_checked<T: Document>(key: &str, sealed: &[u8]) -> Result<(T, String), DocumentError> {
    let (document, blake3) = open::<T>(T::KIND, sealed)?;
    document.check(key)?;
    Ok((document, blake3))
}
