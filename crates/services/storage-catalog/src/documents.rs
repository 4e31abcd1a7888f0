//! The catalog's documents in the bucket, with errors that say what was being done.

use blob_store::StoreError;
use bucket::{Document, Read, Written, keys};
use futures::StreamExt;
use model::manifest::{BackupManifest, Intent, NodeManifest};
use model::{BackupRef, HostId};
use serde::Serialize;

use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Reads a document and checks it; `None` if there is none.
    pub async fn read<T: Document>(&self, key: &str) -> Result<Option<Read<T>>, CatalogError> {
        let read = self.bucket.read(key).await;
        read.map_err(CatalogError::bucket("read a document"))
    }

    /// Creates a document unless there is one.
    pub async fn create<T: Document + Serialize>(
        &self,
        key: &str,
        document: T,
    ) -> Result<Written<T>, CatalogError> {
        let written = self.bucket.write(key, document).await;
        written.map_err(CatalogError::bucket("write a document"))
    }

    pub async fn read_intent(&self, backup: &BackupRef) -> Result<Option<Intent>, CatalogError> {
        let read = self.read(&keys::intent(backup)).await?;
        Ok(read.map(|read| read.document))
    }

    pub async fn read_manifest(
        &self,
        backup: &BackupRef,
    ) -> Result<Option<BackupManifest>, CatalogError> {
        let read = self.read(&keys::backup_manifest(backup)).await?;
        Ok(read.map(|read| read.document))
    }

    pub async fn read_node(
        &self,
        backup: &BackupRef,
        node: &HostId,
    ) -> Result<Option<Read<NodeManifest>>, CatalogError> {
        let read = self.bucket.node_manifest(backup, node).await;
        read.map_err(CatalogError::bucket("read a document"))
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

    /// Discards what killed agents left of objects of this backup that they never finished. Only for a backup that no
    /// agent uploads to any more, or whose uploads are of no use.
    pub async fn discard_unfinished(&self, backup: &BackupRef) -> Result<(), CatalogError> {
        let discarded = self.store.discard_unfinished(&keys::data(backup)).await;
        match discarded.map_err(CatalogError::store("discard unfinished uploads"))? {
            0 => {}
            uploads => tracing::info!(%backup, uploads, "unfinished uploads discarded"),
        }
        Ok(())
    }

    /// Whether anything is under a prefix.
    pub async fn any_under(&self, prefix: &str) -> Result<bool, CatalogError> {
        let first = self.store.list(prefix).next().await.transpose();
        Ok(first
            .map_err(CatalogError::store("list the bucket"))?
            .is_some())
    }

    /// Whether objects bear the name of a backup that was deleted: an agent that was frozen may write on afterwards.
    pub async fn has_strays(&self, backup: &BackupRef) -> Result<bool, CatalogError> {
        for prefix in [keys::node_manifests(backup), keys::data(backup)] {
            if self.any_under(&prefix).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
