//! Summaries of backup manifests, kept in the bucket: so that the first list after a start does not read every manifest.
//!
//! They are hints. Only lists and the choice of a base use them; what is deleted or restored is decided by the manifests. A
//! summary counts only while the store lists the very object that it was read from.

use std::collections::BTreeMap;

use blob_store::Meta;
use bucket::keys;
use model::manifest::{KeptSummary, Summaries};
use model::{BackupRef, ClusterName};
use uuid::Uuid;

use crate::cache::ENTRIES_MAX;
use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::list::{Known, Survey};
use crate::verifications::number;

/// With so many manifests that are not known, summaries are looked for; once so many more are known, they are kept.
const UNKNOWN_MIN: usize = 32;

/// How many manifests of each cluster are known.
pub struct Recalled(BTreeMap<ClusterName, usize>);

impl Catalog {
    /// Reads the summaries of the clusters of which many manifests are not known.
    pub async fn recall(&self, survey: &Survey) -> Recalled {
        let mut counts = BTreeMap::new();
        for (cluster, manifests) in by_cluster(survey) {
            let mut known = self.count_known(&manifests);
            if manifests.len() - known >= UNKNOWN_MIN {
                if let Err(error) = self.recall_cluster(&cluster, survey).await {
                    let error = api::error::chain(&error);
                    tracing::warn!(%cluster, error, "the summaries cannot be used, so manifests are read");
                }
                known = self.count_known(&manifests);
            }
            counts.insert(cluster, known);
        }
        Recalled(counts)
    }

    fn count_known(&self, manifests: &[(&BackupRef, &Meta)]) -> usize {
        let known = manifests.iter();
        known
            .filter(|(_, meta)| self.known_already(meta).is_some())
            .count()
    }

    /// What the manifest says, if it was read, or its summary was.
    pub fn known_already(&self, meta: &Meta) -> Option<Known> {
        self.manifests
            .get(meta)
            .or_else(|| self.summaries.get(meta))
    }

    async fn recall_cluster(
        &self,
        cluster: &ClusterName,
        survey: &Survey,
    ) -> Result<(), CatalogError> {
        let Some((_, newest)) = self.kept_summaries(cluster).await?.pop() else {
            return Ok(());
        };
        // `None`: another one has been kept meanwhile, and this one is deleted.
        let Some(read) = self.read::<Summaries>(&newest.key).await? else {
            return Ok(());
        };
        for kept in read.document.backups {
            let listed = survey.manifests.get(&kept.summary.backup);
            if let Some(meta) = listed
                && (meta.size, &meta.tag) == (kept.bytes, &kept.tag)
            {
                let known = Known {
                    blake3: kept.blake3,
                    summary: kept.summary,
                };
                self.summaries.put(meta, known);
            }
        }
        Ok(())
    }

    /// The documents of summaries with their numbers, in the order of their keys.
    async fn kept_summaries(
        &self,
        cluster: &ClusterName,
    ) -> Result<Vec<(u32, Meta)>, CatalogError> {
        let prefix = keys::summaries(cluster);
        let number_of = |key: &str| number(key.strip_prefix(&prefix)?.split_once('-')?.0, 8);
        let kept = self.metas(&prefix).await?.into_iter();
        Ok(kept
            .filter_map(|meta| Some((number_of(&meta.key)?, meta)))
            .collect())
    }

    /// Keeps the summaries of the clusters of which many more manifests are known than before. A list is whole without, so what
    /// fails is only logged.
    pub async fn keep_summaries(&self, survey: &Survey, before: &Recalled) {
        // They would push each other out of memory and be kept again with each list.
        if survey.manifests.len() > ENTRIES_MAX {
            return;
        }
        for (cluster, manifests) in by_cluster(survey) {
            let before = before.0.get(&cluster).copied().unwrap_or(0);
            if self.count_known(&manifests).saturating_sub(before) < UNKNOWN_MIN {
                continue;
            }
            if let Err(error) = self.keep_cluster(&cluster, &manifests).await {
                let error = api::error::chain(&error);
                tracing::warn!(%cluster, error, "the summaries of its backups could not be kept");
            }
        }
    }

    async fn keep_cluster(
        &self,
        cluster: &ClusterName,
        manifests: &[(&BackupRef, &Meta)],
    ) -> Result<(), CatalogError> {
        let backups = manifests.iter().filter_map(|(_, meta)| {
            let Known { blake3, summary } = self.known_already(meta)?;
            Some(KeptSummary {
                bytes: meta.size,
                tag: meta.tag.clone(),
                blake3,
                summary,
            })
        });
        let document = Summaries {
            cluster: cluster.clone(),
            backups: backups.collect(),
        };
        let earlier = self.kept_summaries(cluster).await?;
        let last = earlier.last().map_or(0, |(number, _)| *number);
        let key = keys::summaries_document(cluster, last.saturating_add(1), &Uuid::now_v7());
        self.create(&key, document).await?;
        for (_, meta) in earlier {
            self.tidy(&meta.key).await?;
        }
        // A deletion of the last backup removes the manifest before it looks for summaries: if there is no manifest, it may
        // have passed by.
        self.forget_summaries(cluster).await
    }

    /// Deletes the summaries of a cluster that has no backup any more.
    pub async fn forget_summaries(&self, cluster: &ClusterName) -> Result<(), CatalogError> {
        if self
            .any_under(&keys::backup_manifests(Some(cluster)))
            .await?
        {
            return Ok(());
        }
        for (_, meta) in self.kept_summaries(cluster).await? {
            self.tidy(&meta.key).await?;
        }
        Ok(())
    }
}

fn by_cluster(survey: &Survey) -> BTreeMap<ClusterName, Vec<(&BackupRef, &Meta)>> {
    let mut clusters: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (backup, meta) in &survey.manifests {
        let of_cluster = clusters.entry(backup.cluster.clone()).or_default();
        of_cluster.push((backup, meta));
    }
    clusters
}
