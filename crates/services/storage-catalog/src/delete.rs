//! Deletes a backup, and of its objects those that no other backup refers to.
//!
//! The order makes every cut short deletion one that can be finished: first a mark, which keeps pins away; then, if
//! nothing needs the backup, its manifest, and with it the backup has ceased to exist; then its data, its node manifests
//! and its other documents; the marks last. Deleting again takes up wherever it stopped. A commit that was at work all the
//! time may have created the manifest since: it is looked for once more when the intent is gone.
//!
//! Before anything is deleted a tombstone is created, which stays. A deletion that is held up between its last check and a
//! request sends that request some time later, when another deletion may have come to its end: no backup of the name must have
//! been made by then.

mod checks;
mod mark;

use api::{ErrorKind, ServiceError};
use blob_store::Meta;
use bucket::{Tombstone, keys};
use chassis::work::{Progress, Work};
use futures::{StreamExt, TryStreamExt};
use model::BackupRef;
use model::manifest::{Intent, Marker};
use model::task::Deletion;

use crate::catalog::Catalog;
use crate::error::CatalogError;
use mark::Mark;

pub use checks::Request;

/// Objects that are deleted between two checks that the deletion is still ours.
const BATCH_KEYS: usize = 1000;

fn add(deleted: &mut Deletion, objects: &[Meta]) {
    deleted.objects += objects.len() as u64;
    deleted.bytes += objects.iter().map(|meta| meta.size).sum::<u64>();
}

impl Catalog {
    /// Deletes a backup, if that is what was asked for and nothing needs it.
    pub async fn delete(
        &self,
        backup: &BackupRef,
        request: &Request,
        work: &Work,
    ) -> Result<Deletion, CatalogError> {
        let _lock = self.locks.lock(backup).await;
        let resumed = self.check_deletable(backup, request).await?;
        if !resumed {
            self.check_unneeded(backup).await?;
            self.check_as_asked(backup, request, None).await?;
            self.check_deletes().await?;
        }
        let key_of = if request.only_garbage {
            keys::collection_mark
        } else {
            keys::deletion_mark
        };
        let mark = Mark::set(self, backup, key_of).await?;
        let intent = match self.check_marked(backup, request, &mark).await {
            Ok(intent) => intent,
            Err(refusal) => {
                self.take_back(backup, request, &mark, &refusal).await?;
                return Err(refusal);
            }
        };
        let mut deleted = self.destroy(backup, intent, &mark, work).await?;
        deleted.versions_remain = self.store.keeps_versions();
        if deleted.versions_remain {
            deleted.bytes = 0;
        }
        tracing::info!(%backup, objects = deleted.objects, bytes = deleted.bytes, "backup deleted");
        Ok(deleted)
    }

    /// The checks that count. Returns the intent, if there is one that can be read.
    async fn check_marked(
        &self,
        backup: &BackupRef,
        request: &Request,
        mark: &Mark,
    ) -> Result<Option<Intent>, CatalogError> {
        let is_there = self.exists(&keys::backup_manifest(backup)).await?;
        self.check_unneeded_now(backup, is_there).await?;
        self.check_as_asked(backup, request, Some(mark)).await?;
        match self.read_intent(backup).await {
            Err(error) if error.is_unreadable() => Ok(None),
            read => read,
        }
    }

    /// Takes the mark of a deletion back that deletes nothing.
    async fn take_back(
        &self,
        backup: &BackupRef,
        request: &Request,
        mark: &Mark,
        refusal: &CatalogError,
    ) -> Result<(), CatalogError> {
        let has_not_begun = matches!(refusal, CatalogError::DeletionNotBegun { .. });
        // The attempts that left earlier marks may live, unless the caller knows better.
        let all_go = has_not_begun
            || request.earlier_are_dead && matches!(self.is_whole(backup).await, Ok(true));
        if all_go {
            mark.withdraw(self).await
        } else {
            mark.withdraw_own(self).await
        }
    }

    async fn destroy(
        &self,
        backup: &BackupRef,
        intent: Option<Intent>,
        mark: &Mark,
        work: &Work,
    ) -> Result<Deletion, CatalogError> {
        self.bury(backup).await?;
        let mut deleted = Deletion::default();
        self.destroy_one(&keys::backup_manifest(backup), mark, &mut deleted)
            .await?;
        self.destroy_under(&keys::data(backup), mark, work, &mut deleted)
            .await?;
        mark.check_ours(self).await?;
        match self.discard_unfinished(backup).await {
            // Parts that stay cost money, and a lifecycle rule removes them.
            Err(error) if error.kind() != ErrorKind::Unavailable => {
                tracing::warn!(%backup, error = api::error::chain(&error), "unfinished uploads not discarded");
            }
            discarded => discarded?,
        }
        self.destroy_under(&keys::node_manifests(backup), mark, work, &mut deleted)
            .await?;
        self.delete_documents(backup, intent, mark, work, &mut deleted)
            .await?;
        self.destroy_one(&keys::backup_manifest(backup), mark, &mut deleted)
            .await?;
        self.forget_summaries(&backup.cluster).await?;
        mark.withdraw(self).await?;
        Ok(deleted)
    }

    /// Takes the name for ever.
    async fn bury(&self, backup: &BackupRef) -> Result<(), CatalogError> {
        let tombstone = Marker {
            backup: backup.clone(),
            at: self.now(),
            task_id: None,
            reason: None,
            until: None,
        };
        let key = keys::tombstone(backup);
        self.create(&key, Tombstone(tombstone)).await?;
        let durable = self.store.make_durable(&key).await;
        durable.map_err(CatalogError::store("flush a document"))
    }

    async fn destroy_one(
        &self,
        key: &str,
        mark: &Mark,
        deleted: &mut Deletion,
    ) -> Result<(), CatalogError> {
        let head = self.store.head(key).await;
        let Some(meta) = head.map_err(CatalogError::store("look for a document"))? else {
            return Ok(());
        };
        mark.check_ours(self).await?;
        let gone = self.store.delete(key).await;
        gone.map_err(CatalogError::store("delete a document"))?;
        add(deleted, &[meta]);
        Ok(())
    }

    /// Deletes what is under a prefix, in batches, and stops where the deletion has been taken over. Listed twice, so
    /// that neither progress needs memory nor a million objects do.
    async fn destroy_under(
        &self,
        prefix: &str,
        mark: &Mark,
        work: &Work,
        deleted: &mut Deletion,
    ) -> Result<(), CatalogError> {
        let listing = "list what is to be deleted";
        let count = |total: Deletion, meta: Meta| async move {
            let mut total = total;
            add(&mut total, &[meta]);
            Ok(total)
        };
        let total = self
            .store
            .list(prefix)
            .try_fold(Deletion::default(), count)
            .await;
        let total = total.map_err(CatalogError::store(listing))?;
        let before = *deleted;
        let mut batches = self.store.list(prefix).try_chunks(BATCH_KEYS);
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(|error| CatalogError::Store {
                doing: listing,
                source: error.1,
            })?;
            mark.check_ours(self).await?;
            let keys: Vec<String> = batch.iter().map(|meta| meta.key.clone()).collect();
            let gone = self.store.delete_many(&keys).await;
            gone.map_err(CatalogError::store("delete objects"))?;
            add(deleted, &batch);
            work.report(Progress {
                bytes_done: deleted.bytes - before.bytes,
                bytes_total: total.bytes,
                items_done: deleted.objects - before.objects,
                items_total: total.objects,
                note: keys.last().cloned().unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Releases the base, and removes what else bears the backup's name. The intent, which guards the name, goes last.
    async fn delete_documents(
        &self,
        backup: &BackupRef,
        intent: Option<Intent>,
        mark: &Mark,
        work: &Work,
        deleted: &mut Deletion,
    ) -> Result<(), CatalogError> {
        if let Some(intent) = &intent {
            self.release_base(intent).await?;
        }
        for results in [keys::samples(backup), keys::verifications(backup)] {
            self.destroy_under(&results, mark, work, deleted).await?;
        }
        self.destroy_under(&keys::pins(backup), mark, work, deleted)
            .await?;
        self.destroy_one(&keys::failure(backup), mark, deleted)
            .await?;
        self.destroy_one(&keys::intent(backup), mark, deleted).await
    }
}
