//! The mark of one attempt to delete a backup.
//!
//! Marks are numbered, and the attempt whose mark sorts last is the one that may go on: it has seen all others, and
//! they see it before their next step. A mark of an attempt that died is so taken over without a clock or a lease.

use bucket::{DeletionMark, keys};
use model::BackupRef;
use model::manifest::Marker;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::error::CatalogError;

pub struct Mark {
    backup: BackupRef,
    key: String,
}

impl Mark {
    /// Marks a backup as being deleted, over the marks of earlier attempts. `key_of` makes the key of the mark.
    pub async fn set(
        catalog: &Catalog,
        backup: &BackupRef,
        key_of: fn(&BackupRef, u32, &Uuid) -> String,
    ) -> Result<Self, CatalogError> {
        let prefix = keys::deletion_marks(backup);
        let marks = catalog.marks(backup).await?;
        let number_of = |key: &str| -> Option<u32> {
            key.strip_prefix(&prefix)?.split_once('-')?.0.parse().ok()
        };
        let last = marks.iter().filter_map(|meta| number_of(&meta.key)).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let mark = Self {
            backup: backup.clone(),
            key: key_of(backup, number, &Uuid::now_v7()),
        };
        let marker = Marker {
            backup: backup.clone(),
            at: catalog.now(),
            task_id: None,
            reason: None,
            until: None,
        };
        let set = match catalog.create(&mark.key, DeletionMark(marker)).await {
            Ok(_) => mark.check_ours(catalog).await,
            Err(error) => Err(error),
        };
        if let Err(error) = set {
            // Nothing was deleted yet, and a mark that stays would show a deletion that no one has begun.
            if let Err(left) = mark.withdraw_own(catalog).await {
                tracing::warn!(%backup, error = api::error::chain(&left), "a deletion mark stays");
            }
            return Err(error);
        }
        Ok(mark)
    }

    /// Refuses to go on where a later attempt has taken over, or has finished.
    pub async fn check_ours(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        let marks = catalog.marks(&self.backup).await?;
        match marks.last() {
            Some(last) if last.key == self.key => Ok(()),
            _ => Err(CatalogError::AnotherDeletion {
                backup: self.backup.clone(),
            }),
        }
    }

    /// Whether this is the key of the mark.
    pub fn is(&self, key: &str) -> bool {
        self.key == key
    }

    /// Removes the marks that this one took over, and this one last, so that none of theirs becomes the last again.
    pub async fn withdraw(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        for mark in catalog.marks(&self.backup).await? {
            if mark.key < self.key {
                delete(catalog, &mark.key).await?;
            }
        }
        delete(catalog, &self.key).await
    }

    /// Removes this mark alone. An earlier attempt that lives may go on: its mark was there all the time.
    pub async fn withdraw_own(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        delete(catalog, &self.key).await
    }
}

async fn delete(catalog: &Catalog, key: &str) -> Result<(), CatalogError> {
    let gone = catalog.store.delete(key).await;
    gone.map_err(CatalogError::store("remove a deletion mark"))
}
