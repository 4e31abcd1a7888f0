//! What a commit inspects again once its manifest is there.
//!
//! Another catalog may have deleted the backup, given it up, or deleted its base while this one checked the nodes. Each
//! of them writes first and looks second, as this does: so at least one of two sees the other.
//!
//! A mark alone is no reason to take the manifest back, because the deletion may still be refused, and a commit that is
//! repeated may have called the backup complete by then. The deletion decides, and the next try finds how.

use blob_store::Meta;
use bucket::keys;
use model::BackupRef;
use model::manifest::{BackupManifest, Intent};

use super::Request;
use crate::begin::base_of;
use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Takes a manifest that this call has created back, unless everything is as it was when the commit began.
    pub(super) async fn settle(
        &self,
        intent: &Intent,
        base: &Option<Meta>,
    ) -> Result<(), CatalogError> {
        let backup = &intent.backup;
        let mut refusal = self.no_longer_ours(intent).await?;
        if refusal.is_none() && self.exists(&keys::failure(backup)).await? {
            refusal = Some(CatalogError::GivenUp {
                backup: backup.clone(),
            });
        }
        if refusal.is_none() {
            refusal = self.base_has_gone(intent, base).await?;
        }
        self.keep_unless(backup, refusal).await
    }

    /// The same for the manifest of an earlier call, whose reply may have been lost or which may have died before it
    /// looked. It counts as given up only if something of it is missing by now: others may rely on it already.
    pub(super) async fn settle_earlier(
        &self,
        request: &Request,
        manifest: &BackupManifest,
    ) -> Result<(), CatalogError> {
        let backup = &manifest.backup;
        let intent = Intent {
            backup: backup.clone(),
            kind: manifest.kind,
            base: manifest.base.clone(),
            task_id: manifest.task_id,
            started_at: manifest.started_at,
            selection: manifest.selection.clone(),
        };
        let mut refusal = self.no_longer_ours(&intent).await?;
        if refusal.is_none() && self.exists(&keys::failure(backup)).await? {
            refusal = match self.nodes(request, &intent).await {
                Err(CatalogError::Incomplete { .. }) => Some(CatalogError::GivenUp {
                    backup: backup.clone(),
                }),
                checked => checked.map(|_| None)?,
            };
        }
        self.keep_unless(backup, refusal).await?;
        let key = keys::backup_manifest(backup);
        let durable = self.store.make_durable(&key).await;
        durable.map_err(CatalogError::store("flush a document"))
    }

    /// Marks first: a deletion removes the intent before its marks, so that one that has ended is seen by the intent. One
    /// that is at work and has left the intent looks for a manifest once more after it has removed that, so it sees this
    /// one: an error that may pass.
    async fn no_longer_ours(&self, intent: &Intent) -> Result<Option<CatalogError>, CatalogError> {
        let backup = intent.backup.clone();
        let is_marked = !self.marks(&backup).await?.is_empty();
        Ok(match self.read_intent(&backup).await? {
            Some(found) if found == *intent && is_marked => {
                return Err(CatalogError::AnotherDeletion { backup });
            }
            Some(found) if found == *intent => None,
            Some(found) if found.task_id != intent.task_id => Some(CatalogError::OtherTask {
                backup,
                owner: found.task_id,
                task: intent.task_id,
            }),
            _ => Some(CatalogError::NotBegun { backup }),
        })
    }

    /// The manifest of the base, by which it is distinguished from a later backup of its name.
    pub(super) async fn base_of_commit(
        &self,
        intent: &Intent,
    ) -> Result<Option<Meta>, CatalogError> {
        let Some(base) = base_of(intent) else {
            return Ok(None);
        };
        let head = self.store.head(&keys::backup_manifest(&base)).await;
        head.map_err(CatalogError::store("look for a document"))
    }

    async fn base_has_gone(
        &self,
        intent: &Intent,
        before: &Option<Meta>,
    ) -> Result<Option<CatalogError>, CatalogError> {
        let Some(base) = base_of(intent) else {
            return Ok(None);
        };
        // A deletion that was marked after this task's pin was set sees the pin, and is refused.
        let is_marked = !self.marks(&base).await?.is_empty();
        let is_held = !is_marked || self.pins(&base).await?.contains(&intent.task_id);
        let is_there = before.is_some() && self.base_of_commit(intent).await? == *before;
        Ok(
            (!is_held || !is_there).then(|| CatalogError::BaseUnsuitable {
                base,
                why: "it was deleted while the backup was committed".to_owned(),
            }),
        )
    }

    async fn keep_unless(
        &self,
        backup: &BackupRef,
        refusal: Option<CatalogError>,
    ) -> Result<(), CatalogError> {
        let Some(refusal) = refusal else {
            return Ok(());
        };
        self.tidy(&keys::backup_manifest(backup)).await?;
        tracing::warn!(%backup, refusal = %refusal, "the manifest of the backup was taken back");
        Err(refusal)
    }
}
