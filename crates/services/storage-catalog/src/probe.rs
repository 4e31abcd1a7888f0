//! Finds out what the store lets us do, before anything depends on it.

use blob_store::{Put, StoreError};
use bucket::keys;
use bytes::Bytes;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Left at the root for people who find the bucket, and the object on which conditional creation is tried.
const README: &str = "This folder holds backups of Apache Cassandra clusters, written by Ringkeep.\n\
    Every object is written once and never changed. Do not change or delete any by hand:\n\
    Ringkeep knows which ones are still needed. Its documentation specifies the format.\n";

impl Catalog {
    /// Makes sure that the store creates only what is not there. A store that ignores the condition reports a
    /// second creation as it reported the first.
    pub async fn check_creates_once(&self) -> Result<(), CatalogError> {
        let key = format!("{}/README.txt", keys::ROOT);
        let bytes = Bytes::from_static(README.as_bytes());
        for _ in 0..2 {
            let put = self.store.put(&key, bytes.clone()).await;
            if put.map_err(CatalogError::store("write to the store"))? == Put::Exists {
                return Ok(());
            }
        }
        Err(CatalogError::OverwritingStore {
            store: self.store.describe(),
        })
    }

    /// Makes sure that the store deletes, before a mark is written that could never be taken back otherwise.
    pub async fn check_deletes(&self) -> Result<(), CatalogError> {
        let key = format!("{}/probes/delete", keys::ROOT);
        let put = self
            .store
            .put(&key, Bytes::from_static(b"may be deleted\n"))
            .await;
        put.map_err(CatalogError::store("write to the store"))?;
        match self.store.delete(&key).await {
            Ok(()) => Ok(()),
            Err(source @ StoreError::PermissionDenied { .. }) => {
                Err(CatalogError::UndeletableStore {
                    store: self.store.describe(),
                    source,
                })
            }
            Err(source) => Err(CatalogError::Store {
                doing: "delete from the store",
                source,
            }),
        }
    }

    /// Whether the store can be reached, and if not, why.
    pub async fn reach(&self) -> Result<(), CatalogError> {
        let listed = self.store.list_children(&format!("{}/", keys::ROOT)).await;
        listed
            .map(drop)
            .map_err(CatalogError::store("list the bucket"))
    }
}
