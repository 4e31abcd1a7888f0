//! Verifications of one part of a backup at a time: which part is next, and when all parts together are a verification of the
//! whole.

use std::collections::BTreeMap;

use blob_store::Meta;
use bucket::{Read, keys};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, Verification, VerificationResult};
use model::{BackupRef, Sample, SampleParts, SampleProgress, TaskId, VerifyLevel};
use uuid::Uuid;

use crate::catalog::{Catalog, READS_PARALLEL};
use crate::error::CatalogError;
use crate::numbered::number;

/// A request for the part that is next.
#[derive(Debug, Clone, Copy)]
pub struct NextSample {
    pub of: SampleParts,
    /// If a task is tried again, its part is read again: what it has found the first time may not have arrived.
    pub task: Option<TaskId>,
}

/// The newest result of a part.
struct Newest {
    number: u32,
    meta: Meta,
}

/// Results of parts of one number.
#[derive(Default)]
struct Parts {
    newest: BTreeMap<u32, Newest>,
    /// The part that was read for the task.
    of_task: Option<u32>,
}

impl Parts {
    fn last_number(&self) -> u32 {
        let numbers = self.newest.values().map(|newest| newest.number);
        numbers.max().unwrap_or(0)
    }

    /// Those that were never read come first.
    fn next(&self, of: SampleParts) -> u32 {
        let number = |part: &u32| self.newest.get(part).map_or(0, |newest| newest.number);
        let oldest = (1..=of.get()).min_by_key(number);
        self.of_task.or(oldest).unwrap_or(1)
    }
}

impl Catalog {
    /// The part that has not been read for the longest time.
    pub async fn next_sample(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        next: &NextSample,
    ) -> Result<Sample, CatalogError> {
        let of = next.of;
        let parts = self.parts(backup, level, of, next.task).await?;
        let part = parts.next(of);
        Ok(Sample { part, of })
    }

    /// Keeps what the verification of a part has found, and returns how far the parts are. If that fails, the report is still
    /// worth having, so it is only logged.
    pub async fn keep_sample(
        &self,
        verified: &Read<BackupManifest>,
        sample: Sample,
        task: Option<TaskId>,
        result: VerificationResult,
        since: u32,
    ) -> Option<SampleProgress> {
        let kept = self.try_keep_sample(verified, sample, task, result, since);
        match kept.await {
            Ok(progress) => Some(progress),
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
        task: Option<TaskId>,
        result: VerificationResult,
        since: u32,
    ) -> Result<SampleProgress, CatalogError> {
        let backup = &verified.document.backup;
        let (level, objects) = (result.level, result.objects);
        // First, so that damage is never known to the samples alone.
        if result.damaged > 0 {
            self.keep_damage(verified, result.clone()).await?;
        }
        let before = self.parts(backup, level, sample.of, None).await?;
        let number = before.last_number().saturating_add(1);
        let attempt = task.map_or_else(Uuid::now_v7, |task| task.0);
        let key = keys::sample(backup, level, sample, number, &attempt);
        self.keep_at(&key, verified, result, Some(since)).await?;
        let parts = self.parts(backup, level, sample.of, None).await?;
        let clean = self.clean_of(verified, &parts).await?;
        let progress = SampleProgress {
            parts_read: parts.newest.len() as u32,
            parts_clean: clean.len() as u32,
        };
        // Once in each round, so that the results of the whole, which lists read, do not grow with each part.
        if progress.parts_clean == sample.of.get() && sample.part == sample.of.get() {
            self.keep_whole(verified, clean, objects).await?;
        }
        Ok(progress)
    }

    /// Damage in a part is that of the whole; what was found before and not refuted since stays counted.
    async fn keep_damage(
        &self,
        verified: &Read<BackupManifest>,
        mut result: VerificationResult,
    ) -> Result<(), CatalogError> {
        let newest = self.verifications(verified).await?;
        let before = newest.iter().find(|before| before.level == result.level);
        let before = before.map_or(0, |before| before.damaged);
        result.damaged = result.damaged.max(before);
        self.try_keep(verified, result, 0).await
    }

    /// Once every part was read and found clean, all of the backup was: since the time of the part that was read first.
    async fn keep_whole(
        &self,
        verified: &Read<BackupManifest>,
        clean: Vec<Verification>,
        objects: u64,
    ) -> Result<(), CatalogError> {
        let since = clean.iter().filter_map(|part| part.since).min();
        let parts = || clean.iter().map(|part| &part.result);
        let (Some(oldest), Some(since)) = (parts().min_by_key(|part| part.verified_at), since)
        else {
            return Ok(());
        };
        let newest = self.verifications(verified).await?;
        let mut newest = newest.iter().filter(|result| result.level == oldest.level);
        if newest.any(|result| result.damaged == 0 && result.verified_at >= oldest.verified_at) {
            return Ok(());
        }
        let whole = VerificationResult {
            bytes: parts().map(|part| part.bytes).sum(),
            sstables: parts().map(|part| part.sstables).sum(),
            objects,
            sample: None,
            ..oldest.clone()
        };
        self.try_keep(verified, whole, since).await
    }

    /// The newest results that are of this backup and clean.
    async fn clean_of(
        &self,
        read: &Read<BackupManifest>,
        parts: &Parts,
    ) -> Result<Vec<Verification>, CatalogError> {
        let kept = parts.newest.values().map(|newest| async move {
            let cache = &self.sample_documents;
            match self.result_document(cache, &newest.meta).await {
                Err(error) if error.is_unreadable() => Ok(None),
                kept => kept,
            }
        });
        let kept: Vec<_> = kept.collect();
        let kept = stream::iter(kept).buffered(READS_PARALLEL);
        let kept: Vec<Option<Verification>> = kept.try_collect().await?;
        let is_clean = |kept: &Verification| {
            kept.manifest == read.blake3 && kept.result.damaged == 0 && kept.since.is_some()
        };
        Ok(kept.into_iter().flatten().filter(is_clean).collect())
    }

    async fn parts(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        of: SampleParts,
        task: Option<TaskId>,
    ) -> Result<Parts, CatalogError> {
        let prefix = keys::samples_of(backup, level, of);
        let task = task.map(|task| task.to_string());
        let mut parts = Parts::default();
        for meta in self.metas(&prefix).await? {
            let Some((part, number, attempt)) = parse(&meta.key, &prefix) else {
                continue;
            };
            if !(1..=of.get()).contains(&part) {
                continue;
            }
            if task.as_deref() == Some(attempt) {
                parts.of_task = Some(part);
            }
            let before = parts.newest.get(&part);
            if before.is_none_or(|before| before.number <= number) {
                parts.newest.insert(part, Newest { number, meta });
            }
        }
        Ok(parts)
    }
}

/// Part, number and attempt of a key.
fn parse<'a>(key: &'a str, prefix: &str) -> Option<(u32, u32, &'a str)> {
    let name = key.strip_prefix(prefix)?.strip_suffix(".json")?;
    let mut pieces = name.splitn(3, '-');
    let part = number(pieces.next()?, 4)?;
    let number = number(pieces.next()?, 8)?;
    Some((part, number, pieces.next()?))
}
