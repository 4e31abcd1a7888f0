//! The results of verifications, kept in the bucket beside the backup.
//!
//! From them a plan knows whether the backup has been read back. Nothing depends on them: a backup without any is as good.

use bucket::{Read, keys};
use model::manifest::{BackupManifest, Verification, VerificationResult};
use model::{BackupRef, VerifyLevel};
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// How many results of one level are read to find one that is of this backup and can be read.
const READS_MAX: usize = 8;

impl Catalog {
    /// Keeps what a verification has found. If that fails, the report is still worth having, so it is only logged.
    pub async fn keep_verification(
        &self,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
    ) {
        let backup = &verified.document.backup;
        if let Err(error) = self.try_keep(verified, result).await {
            let error = api::error::chain(&error);
            tracing::warn!(%backup, error, "the result of a verification could not be kept");
        }
    }

    pub async fn try_keep(
        &self,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
    ) -> Result<(), CatalogError> {
        let backup = &verified.document.backup;
        let prefix = keys::verifications_of(backup, result.level);
        let before = self.metas(&prefix).await?;
        let number_of = |key: &str| -> Option<u32> {
            key.strip_prefix(&prefix)?.split_once('-')?.0.parse().ok()
        };
        let last = before.iter().filter_map(|meta| number_of(&meta.key)).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let key = keys::verification(backup, result.level, number, &Uuid::now_v7());
        self.keep_at(&key, verified, result).await
    }

    /// Keeps a result under this key, unless its backup is gone.
    pub async fn keep_at(
        &self,
        key: &str,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
    ) -> Result<(), CatalogError> {
        let backup = &verified.document.backup;
        let document = Verification {
            backup: backup.clone(),
            manifest: verified.blake3.clone(),
            result,
        };
        self.create(key, document).await?;
        // A deletion removes the manifest before it looks for results: if the manifest is there, the deletion will see this
        // one; if not, it may have passed by.
        if !self.exists(&keys::backup_manifest(backup)).await? {
            self.tidy(key).await?;
        }
        Ok(())
    }

    /// The newest result of each level, of this very backup.
    pub async fn verifications(
        &self,
        read: &Read<BackupManifest>,
    ) -> Result<Vec<VerificationResult>, CatalogError> {
        let backup = &read.document.backup;
        let kept = self.metas(&keys::verifications(backup)).await?;
        let mut newest = Vec::new();
        for level in VerifyLevel::ALL {
            let prefix = keys::verifications_of(backup, level);
            let of_level = kept.iter().rev().map(|meta| meta.key.as_str());
            let mut of_level = of_level
                .filter(|key| key.starts_with(&prefix))
                .take(READS_MAX);
            newest.extend(self.first_of(&mut of_level, &read.blake3, backup).await?);
        }
        Ok(newest)
    }

    async fn first_of(
        &self,
        keys: &mut (dyn Iterator<Item = &str> + Send),
        manifest: &str,
        backup: &BackupRef,
    ) -> Result<Option<VerificationResult>, CatalogError> {
        for key in keys {
            match self.read::<Verification>(key).await {
                Ok(Some(kept)) if kept.document.manifest == manifest => {
                    return Ok(Some(kept.document.result));
                }
                // Of a backup that had the name before, or deleted meanwhile.
                Ok(_) => {}
                Err(error) if error.is_unreadable() => {
                    let error = api::error::chain(&error);
                    tracing::warn!(%backup, error, "the result of a verification cannot be used");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
