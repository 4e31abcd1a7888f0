//! Verifications of one part of a backup at a time: which part is next, and when all parts together are a verification of the
//! whole.

use std::collections::BTreeMap;

use blob_store::Meta;
use bucket::{Read, keys};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, VerificationResult};
use model::{BackupRef, Sample, SampleParts, VerifyLevel};
use uuid::Uuid;

use crate::catalog::{Catalog, READS_PARALLEL};
use crate::error::CatalogError;

/// The newest result of each part that has one, with its number.
type Newest = BTreeMap<u32, (u32, Meta)>;

impl Catalog {
    /// The part that has not been read for the longest time.
    pub async fn next_sample(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        of: SampleParts,
    ) -> Result<Sample, CatalogError> {
        let newest = self.newest_samples(backup, level, of).await?;
        let number = |part: &u32| newest.get(part).map_or(0, |(number, _)| *number);
        let part = (1..=of.get()).min_by_key(number).unwrap_or(1);
        Ok(Sample { part, of })
    }

    /// Keeps what the verification of a part has found. Returns how many parts are clean, this one among them; if that fails,
    /// the report is still worth having, so it is only logged.
    pub async fn keep_sample(
        &self,
        verified: &Read<BackupManifest>,
        sample: Sample,
        result: VerificationResult,
    ) -> Option<u32> {
        match self.try_keep_sample(verified, sample, result).await {
            Ok(clean) => Some(clean),
            Err(error) => {
                let backup = &verified.document.backup;
                let error = api::error::chain(&error);
                tracing::warn!(%backup, error, "the result of a verification of a part could not be kept");
                None
            }
        }
    }

    async fn try_keep_sample(
        &self,
        verified: &Read<BackupManifest>,
        sample: Sample,
        result: VerificationResult,
    ) -> Result<u32, CatalogError> {
        let backup = &verified.document.backup;
        let level = result.level;
        // First, so that damage is never known to the samples alone.
        if result.damaged > 0 {
            self.try_keep(verified, result.clone()).await?;
        }
        let before = self.newest_samples(backup, level, sample.of).await?;
        let last = before.values().map(|(number, _)| *number).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let key = keys::sample(backup, level, sample, number, &Uuid::now_v7());
        self.keep_at(&key, verified, result.clone()).await?;
        let clean = self.clean_samples(verified, level, sample.of).await?;
        if clean.len() == sample.of.get() as usize {
            self.keep_whole(verified, &clean, result.objects).await?;
        }
        Ok(clean.len() as u32)
    }

    /// Once every part was read and found clean, all of the backup was: since the time of the part that was read first.
    async fn keep_whole(
        &self,
        verified: &Read<BackupManifest>,
        clean: &[VerificationResult],
        objects: u64,
    ) -> Result<(), CatalogError> {
        let Some(oldest) = clean.iter().min_by_key(|part| part.verified_at) else {
            return Ok(());
        };
        let newest = self.verifications(verified).await?;
        let mut newest = newest.iter().filter(|result| result.level == oldest.level);
        // A later verification says more: what it has found damaged may be in a part that was read before.
        if newest.any(|result| result.verified_at >= oldest.verified_at) {
            return Ok(());
        }
        let whole = VerificationResult {
            bytes: clean.iter().map(|part| part.bytes).sum(),
            sstables: clean.iter().map(|part| part.sstables).sum(),
            objects,
            sample: None,
            ..oldest.clone()
        };
        self.try_keep(verified, whole).await
    }

    /// The newest result of each part that was found clean then.
    async fn clean_samples(
        &self,
        read: &Read<BackupManifest>,
        level: VerifyLevel,
        of: SampleParts,
    ) -> Result<Vec<VerificationResult>, CatalogError> {
        let backup = &read.document.backup;
        let newest = self.newest_samples(backup, level, of).await?;
        let newest = newest.values().map(|(_, meta)| async move {
            match self.verification_document(meta).await {
                Ok(Some(kept)) => {
                    let is_clean = kept.manifest == read.blake3 && kept.result.damaged == 0;
                    Ok(is_clean.then_some(kept.result))
                }
                Ok(None) => Ok(None),
                Err(error) if error.is_unreadable() => Ok(None),
                Err(error) => Err(error),
            }
        });
        let newest: Vec<_> = newest.collect();
        let results = stream::iter(newest).buffered(READS_PARALLEL);
        let results: Vec<Option<VerificationResult>> = results.try_collect().await?;
        Ok(results.into_iter().flatten().collect())
    }

    async fn newest_samples(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        of: SampleParts,
    ) -> Result<Newest, CatalogError> {
        let prefix = keys::samples_of(backup, level, of);
        let mut newest = Newest::new();
        // In the order of their keys, so that of each part the last one has the highest number.
        for meta in self.metas(&prefix).await? {
            let mut numbers = meta.key[prefix.len()..].split('-');
            let mut number = || numbers.next()?.parse::<u32>().ok();
            if let (Some(part), Some(number)) = (number(), number())
                && (1..=of.get()).contains(&part)
            {
                newest.insert(part, (number, meta));
            }
        }
        Ok(newest)
    }
}
