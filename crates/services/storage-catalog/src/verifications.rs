//! The results of verifications, kept in the bucket beside the backup.
//!
//! From them a plan knows whether the backup has been read back. Nothing depends on them: a backup without any is as good.

use blob_store::Meta;
use bucket::{Read, keys};
use model::manifest::{BackupManifest, Verification, VerificationResult};
use model::{BackupRef, VerifyLevel};
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::numbered::highest;

/// How many results of one level are read to find one that is of this backup and can be read.
const READS_MAX: usize = 8;
/// How often damage is kept again because another result has become the newest meanwhile.
const KEEPS_MAX: usize = 5;

impl Catalog {
    /// The highest number of the results of a level; 0 without any. Needed before a verification begins.
    pub async fn last_number(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
    ) -> Result<u32, CatalogError> {
        let results = self.results(backup, level).await?;
        Ok(highest(&results))
    }

    /// Keeps what a verification has found. If that fails, the report is still worth having, so it is only logged.
    pub async fn keep_verification(
        &self,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
        since: u32,
    ) {
        let backup = &verified.document.backup;
        if let Err(error) = self.try_keep(verified, result, since).await {
            let error = api::error::chain(&error);
            tracing::warn!(%backup, error, "the result of a verification could not be kept");
        }
    }

    /// Keeps a result. Damage always becomes the newest one. A clean result is not kept if there is damage with a higher number
    /// than `since`: a verification that began before may have read what was sound then.
    pub async fn try_keep(
        &self,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
        since: u32,
    ) -> Result<(), CatalogError> {
        let backup = &verified.document.backup;
        let level = result.level;
        let mut results = self.results(backup, level).await?;
        let is_clean = result.damaged == 0;
        if is_clean && self.was_damaged(verified, &results, since).await? {
            tracing::info!(%backup, "damage was found meanwhile, so a clean result is not kept");
            return Ok(());
        }
        for _ in 0..KEEPS_MAX {
            let number = highest(&results).saturating_add(1);
            let key = keys::verification(backup, level, number, &Uuid::now_v7());
            self.keep_at(&key, verified, result.clone(), None).await?;
            // What another process has kept between the two listings: the last one sees it, whichever of them that is.
            results = self.results(backup, level).await?;
            results.retain(|(_, other)| other.key != key);
            if is_clean {
                if self.was_damaged(verified, &results, since).await? {
                    self.tidy(&key).await?;
                }
                return Ok(());
            }
            // Damage of another process is as good.
            let is_newest = match results.last() {
                Some(last) if last.1.key > key => {
                    self.was_damaged(verified, std::slice::from_ref(last), 0)
                        .await?
                }
                _ => true,
            };
            if is_newest {
                return Ok(());
            }
        }
        tracing::warn!(%backup, "other results were kept after damage each time: verify the backup again");
        Ok(())
    }

    async fn was_damaged(
        &self,
        verified: &Read<BackupManifest>,
        results: &[(u32, Meta)],
        since: u32,
    ) -> Result<bool, CatalogError> {
        let later = results.iter().filter(|(number, _)| *number > since);
        for (_, meta) in later {
            match self.verification_document(meta).await {
                Ok(Some(kept)) if kept.manifest == verified.blake3 && kept.result.damaged > 0 => {
                    return Ok(true);
                }
                Ok(_) => {}
                Err(error) if error.is_unreadable() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// The results of a level with their numbers, in the order of their keys.
    async fn results(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
    ) -> Result<Vec<(u32, Meta)>, CatalogError> {
        self.numbered(&keys::verifications_of(backup, level)).await
    }

    /// Keeps a result under this key, unless its backup is gone.
    pub async fn keep_at(
        &self,
        key: &str,
        verified: &Read<BackupManifest>,
        result: VerificationResult,
        since: Option<u32>,
    ) -> Result<(), CatalogError> {
        let backup = &verified.document.backup;
        let document = Verification {
            backup: backup.clone(),
            manifest: verified.blake3.clone(),
            since,
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
