//! Finds out what the store lets us do, before anything depends on it.

use std::sync::atomic::Ordering;

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
    /// Makes sure that the store creates only what is not there, in one request and in parts. A store that ignores the
    /// condition reports a second creation as it reported the first. What it overwrites here, it overwrites with the
    /// same.
    pub async fn check_creates_once(&self) -> Result<(), CatalogError> {
        if self.creates_once.load(Ordering::Relaxed) {
            return Ok(());
        }
        let key = format!("{}/README.txt", keys::ROOT);
        let bytes = Bytes::from_static(README.as_bytes());
        let overwrites = |how| {
            Err(CatalogError::OverwritingStore {
                store: self.store.describe(),
                how,
            })
        };
        let first = self.store.put(&key, bytes.clone()).await;
        if first.map_err(CatalogError::store("write to the store"))? == Put::Created {
            let second = self.store.put(&key, bytes.clone()).await;
            if second.map_err(CatalogError::store("write to the store"))? == Put::Created {
                return overwrites("in one request");
            }
        }
        let in_parts = self.store.put_as_parts(&key, bytes).await;
        let in_parts = in_parts.map_err(CatalogError::store("write to the store in parts"))?;
        if in_parts == Put::Created {
            return overwrites("in parts, as large files are");
        }
        self.creates_once.store(true, Ordering::Relaxed);
        Ok(())
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

    /// Whether the store can be reached and is fit for backups, and if not, why.
    pub async fn reach(&self) -> Result<(), CatalogError> {
        let listed = self.store.list_children(&format!("{}/", keys::ROOT)).await;
        listed.map_err(CatalogError::store("list the bucket"))?;
        self.check_creates_once().await
    }
}
