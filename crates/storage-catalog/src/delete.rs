//! Deletes a backup, and of its objects those that no other backup refers to.
//!
//! The order makes every cut short deletion one that can be finished: first a mark, which keeps pins away; then, if
//! nobody needs the backup, its manifest, and with it the backup has ceased to exist; then its data, its node manifests
//! and its papers; the marks last. Deleting again takes up wherever it stopped.

mod mark;

use blob_store::Meta;
use model::manifest::Intent;
use model::{BackupRef, layout};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::progress::{Progress, Reporter};
use mark::Mark;

/// Objects that are deleted between two looks at whether the deletion is still ours.
const BATCH_KEYS: usize = 1000;

/// What a deletion removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    pub objects: u64,
    pub bytes: u64,
}

impl Catalog {
    /// Deletes a backup. `even_if_running` says that the task that makes it is known to be dead.
    pub async fn delete(
        &self,
        backup: &BackupRef,
        even_if_running: bool,
        reporter: &Reporter,
    ) -> Result<Deleted, CatalogError> {
        let _lock = self.locks.lock(backup).await;
        let resumed = self.check_deletable(backup, even_if_running).await?;
        if !resumed {
            self.check_unneeded(backup).await?;
            self.check_deletes().await?;
        }
        let mark = Mark::set(self, backup).await?;
        let is_there = self.exists(&layout::backup_manifest(backup)).await?;
        if let Err(refusal) = self.check_unneeded_now(backup, is_there).await {
            // With the manifest gone there is nothing left to give back.
            if is_there || !resumed {
                mark.withdraw(self).await?;
            }
            return Err(refusal);
        }
        let deleted = self.destroy(backup, &mark, reporter).await?;
        tracing::info!(%backup, objects = deleted.objects, bytes = deleted.bytes, "backup deleted");
        Ok(deleted)
    }

    /// Refuses what is not there and what is being made. Answers whether an earlier deletion had begun.
    async fn check_deletable(
        &self,
        backup: &BackupRef,
        even_if_running: bool,
    ) -> Result<bool, CatalogError> {
        if !self.marks(backup).await?.is_empty() {
            return Ok(true);
        }
        if self.exists(&layout::backup_manifest(backup)).await?
            || self.exists(&layout::failure(backup)).await?
        {
            return Ok(false);
        }
        match self.read_intent(backup).await {
            Ok(Some(intent)) if !even_if_running => Err(CatalogError::Running {
                backup: backup.clone(),
                task: intent.task_id,
            }),
            Ok(Some(_)) => Ok(false),
            Err(error) if error.is_unreadable() && even_if_running => Ok(false),
            Err(error) => Err(error),
            Ok(None) => Err(self.why_not_complete(backup).await?),
        }
    }

    async fn check_unneeded(&self, backup: &BackupRef) -> Result<(), CatalogError> {
        let tasks = self.pins(backup).await?;
        if !tasks.is_empty() {
            let backup = backup.clone();
            return Err(CatalogError::Pinned { backup, tasks });
        }
        let dependents = self.dependents(backup).await?;
        if !dependents.is_empty() {
            let backup = backup.clone();
            return Err(CatalogError::IsBase { backup, dependents });
        }
        Ok(())
    }

    /// The look that counts, after the mark is set. Once the manifest is gone a pin holds nothing: whoever sets one now
    /// sees the mark and takes it back.
    async fn check_unneeded_now(
        &self,
        backup: &BackupRef,
        is_there: bool,
    ) -> Result<(), CatalogError> {
        match self.check_unneeded(backup).await {
            Err(CatalogError::Pinned { .. }) if !is_there => {
                let dependents = self.dependents(backup).await?;
                match dependents.is_empty() {
                    true => Ok(()),
                    false => Err(CatalogError::IsBase { backup: backup.clone(), dependents }),
                }
            }
            checked => checked,
        }
    }

    async fn destroy(
        &self,
        backup: &BackupRef,
        mark: &Mark,
        reporter: &Reporter,
    ) -> Result<Deleted, CatalogError> {
        let intent = match self.read_intent(backup).await {
            Err(error) if error.is_unreadable() => None,
            read => read?,
        };
        let mut deleted = Deleted::default();
        let manifest = layout::backup_manifest(backup);
        let head = self.store.head(&manifest).await;
        if let Some(meta) = head.map_err(CatalogError::store("look for the backup manifest"))? {
            self.destroy_all(vec![meta], mark, reporter, &mut deleted).await?;
        }
        let data = self.metas(&layout::data(backup)).await?;
        self.destroy_all(data, mark, reporter, &mut deleted).await?;
        let nodes = self.metas(&layout::node_manifests(backup)).await?;
        self.destroy_all(nodes, mark, reporter, &mut deleted).await?;
        self.destroy_papers(backup, intent, mark, &mut deleted).await?;
        mark.withdraw(self).await?;
        Ok(deleted)
    }

    /// Deletes objects in batches, and stops where the deletion has been taken over.
    async fn destroy_all(
        &self,
        objects: Vec<Meta>,
        mark: &Mark,
        reporter: &Reporter,
        deleted: &mut Deleted,
    ) -> Result<(), CatalogError> {
        let before = deleted.objects;
        let total = objects.len() as u64;
        let bytes_total: u64 = objects.iter().map(|meta| meta.size).sum();
        let bytes_before = deleted.bytes;
        for batch in objects.chunks(BATCH_KEYS) {
            mark.check_ours(self).await?;
            let keys: Vec<String> = batch.iter().map(|meta| meta.key.clone()).collect();
            let gone = self.store.delete_many(&keys).await;
            gone.map_err(CatalogError::store("delete objects"))?;
            deleted.objects += batch.len() as u64;
            deleted.bytes += batch.iter().map(|meta| meta.size).sum::<u64>();
            reporter.report(Progress {
                bytes_done: deleted.bytes - bytes_before,
                bytes_total,
                items_done: deleted.objects - before,
                items_total: total,
                note: keys.last().cloned().unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Releases the base, and removes what else bears the backup's name. The intent, which guards the name, goes last.
    async fn destroy_papers(
        &self,
        backup: &BackupRef,
        intent: Option<Intent>,
        mark: &Mark,
        deleted: &mut Deleted,
    ) -> Result<(), CatalogError> {
        if let Some(intent) = &intent {
            self.release_base(intent).await?;
        }
        mark.check_ours(self).await?;
        let pins = self.metas(&layout::pins(backup)).await?;
        let mut keys: Vec<String> = pins.into_iter().map(|meta| meta.key).collect();
        keys.push(layout::failure(backup));
        keys.push(layout::intent(backup));
        for key in keys {
            let head = self.store.head(&key).await;
            let Some(meta) = head.map_err(CatalogError::store("look for a document"))? else {
                continue;
            };
            let gone = self.store.delete(&key).await;
            gone.map_err(CatalogError::store("delete a document"))?;
            deleted.objects += 1;
            deleted.bytes += meta.size;
        }
        Ok(())
    }
}
