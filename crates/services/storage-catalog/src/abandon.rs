//! Gives up a backup that was begun.

use bucket::keys;
use model::manifest::Failure;
use model::{BackupRef, TaskId};

use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Writes down why a begun backup failed and releases its base. Safe to repeat; the first reason stays.
    ///
    /// The failure is written before the base is released, so that no moment sees a running backup without its base.
    pub async fn abandon(
        &self,
        backup: &BackupRef,
        task: &TaskId,
        reason: String,
    ) -> Result<(), CatalogError> {
        let _lock = self.locks.lock(backup).await;
        // Never begun, or deleted since: there is nothing to give up.
        let Some(intent) = self.read_intent(backup).await? else {
            return Ok(());
        };
        if intent.task_id != *task {
            return Err(CatalogError::OtherTask {
                backup: backup.clone(),
                owner: intent.task_id,
                task: *task,
            });
        }
        if self.exists(&keys::backup_manifest(backup)).await? {
            return Err(CatalogError::Committed {
                backup: backup.clone(),
            });
        }
        let failure = Failure {
            backup: backup.clone(),
            failed_at: self.now(),
            reason,
        };
        let failure = self.create(&keys::failure(backup), failure).await?.document;
        // Another catalog has committed it meanwhile, or sees the failure and takes its manifest back. Either way the
        // pin on the base is that commit's to release.
        if self.exists(&keys::backup_manifest(backup)).await? {
            return Err(CatalogError::Committed {
                backup: backup.clone(),
            });
        }
        self.release_base(&intent).await?;
        tracing::info!(%backup, task_id = %task, reason = failure.reason, "backup given up");
        Ok(())
    }
}
