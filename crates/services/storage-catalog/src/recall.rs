//! Summaries of backup manifests, kept in the bucket: so that the first list after a start does not read every manifest.
//!
//! Lists are made from them, and the choice of a base. Whether anything depends on a backup that is to be deleted, and what is
//! restored, is read from the manifests. A summary counts only while the store lists the very object that it was read from.

use std::collections::BTreeMap;

use blob_store::Meta;
use bucket::keys;
use model::ClusterName;
use model::manifest::{KeptSummary, Summaries};
use uuid::Uuid;

use crate::cache::ENTRIES_MAX;
use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::list::{Known, Survey};
use crate::numbered::highest;

/// With so many manifests that are not known, summaries are looked for; once so many more are known, they are kept.
const UNKNOWN_MIN: usize = 32;

/// A cluster of which many manifests have to be read.
pub struct Unread<'a> {
    cluster: &'a ClusterName,
    /// All of its manifests.
    manifests: Vec<&'a Meta>,
    /// How many of them are known.
    known: usize,
}

impl Catalog {
    /// Reads the summaries of the clusters of which many manifests are not known. Returns those of which many still are not.
    pub async fn recall<'a>(&self, survey: &'a Survey) -> Vec<Unread<'a>> {
        let mut unread = Vec::new();
        for (cluster, manifests) in by_cluster(survey) {
            if manifests.len() - self.count_known(&manifests) < UNKNOWN_MIN {
                continue;
            }
            if let Err(error) = self.recall_cluster(cluster, survey).await {
                let error = api::error::chain(&error);
                tracing::warn!(%cluster, error, "the summaries cannot be used, so manifests are read");
            }
            let known = self.count_known(&manifests);
            if manifests.len() - known >= UNKNOWN_MIN {
                unread.push(Unread {
                    cluster,
                    manifests,
                    known,
                });
            }
        }
        unread
    }

    fn count_known(&self, manifests: &[&Meta]) -> usize {
        let is_known = |meta: &&&Meta| self.manifests.has(meta) || self.summaries.has(meta);
        manifests.iter().filter(is_known).count()
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
        let Some((_, newest)) = self.numbered(&keys::summaries(cluster)).await?.pop() else {
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

    /// Keeps the summaries of clusters of which many more manifests are known by now. A list is complete without them, so a
    /// failure is only logged.
    pub async fn keep_summaries(&self, survey: &Survey, unread: &[Unread<'_>]) {
        // They would push each other out of memory and be kept again with each list.
        if survey.manifests.len() > ENTRIES_MAX {
            return;
        }
        for cluster in unread {
            // The others cannot be read, or are gone.
            if self.count_known(&cluster.manifests) < cluster.known + UNKNOWN_MIN {
                continue;
            }
            if let Err(error) = self.keep_cluster(cluster).await {
                let error = api::error::chain(&error);
                tracing::warn!(cluster = %cluster.cluster, error, "the summaries of its backups could not be kept");
            }
        }
    }

    async fn keep_cluster(&self, unread: &Unread<'_>) -> Result<(), CatalogError> {
        let cluster = unread.cluster;
        let backups = unread.manifests.iter().filter_map(|meta| {
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
        let earlier = self.numbered(&keys::summaries(cluster)).await?;
        let number = highest(&earlier).saturating_add(1);
        let key = keys::summaries_document(cluster, number, &Uuid::now_v7());
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
        for (_, meta) in self.numbered(&keys::summaries(cluster)).await? {
            self.tidy(&meta.key).await?;
        }
        Ok(())
    }
}

fn by_cluster(survey: &Survey) -> BTreeMap<&ClusterName, Vec<&Meta>> {
    let mut clusters: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (backup, meta) in &survey.manifests {
        clusters.entry(&backup.cluster).or_default().push(meta);
    }
    clusters
}
