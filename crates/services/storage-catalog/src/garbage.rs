//! Finds what is of no use to anyone: objects under names that no document has, what backups that were given up have uploaded,
//! and deletions that were cut short.
//!
//! By reference, never by age: the names are listed before the documents, so that a backup that is begun meanwhile is seen by
//! its intent. What is found may have changed by the time it is deleted. A deletion that is for garbage only checks again once
//! its mark is set, and from then on the name cannot be begun.

use std::collections::BTreeSet;

use bucket::keys;
use futures::TryStreamExt;
use model::{BackupRef, ClusterName, Garbage, GarbageKind};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::list::Survey;

/// Trees in which each backup has a folder.
const TREES: [&str; 5] = ["data", "nodes", "samples", "verifications", "pins"];

impl Catalog {
    /// What is of no use under one cluster or under all.
    pub async fn garbage(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<Garbage>, CatalogError> {
        let mut names = BTreeSet::new();
        for tree in TREES {
            names.extend(self.named_in(tree, cluster).await?);
        }
        let survey = self.survey(cluster).await?;
        let buried = self.buried(cluster).await?;
        names.extend(survey.failures.keys().cloned());
        names.extend(survey.marked.iter().cloned());
        names.extend(survey.remnants.iter().cloned());
        let mut garbage = Vec::new();
        for backup in names {
            let Some(kind) = kind_of(&survey, &buried, &backup) else {
                continue;
            };
            let (objects, bytes) = self.size_of(&backup).await?;
            // Of strays, what was listed may have been deleted since; a mark may be left of a collection.
            let is_marked = survey.marked.contains(&backup);
            if objects > 0 || is_marked || kind != GarbageKind::Strays {
                garbage.push(Garbage {
                    backup,
                    kind: Some(kind),
                    objects,
                    bytes,
                });
            }
        }
        Ok(garbage)
    }

    /// The names of backups of which a deletion has begun to delete.
    async fn buried(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<BTreeSet<BackupRef>, CatalogError> {
        let tombstones = self.metas(&keys::tombstones(cluster)).await?;
        let named = tombstones.iter();
        Ok(named
            .filter_map(|meta| keys::parse_backup_key("tombstones", &meta.key))
            .collect())
    }

    /// The backups that have a folder in a tree.
    async fn named_in(
        &self,
        tree: &str,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupRef>, CatalogError> {
        let root = format!("{}/{tree}/", keys::ROOT);
        let clusters = match cluster {
            Some(cluster) => vec![format!("{root}{cluster}/")],
            None => self.folders_in(&root).await?,
        };
        let mut named = Vec::new();
        for cluster in clusters {
            let folders = self.folders_in(&cluster).await?;
            let backups = folders.iter();
            named.extend(backups.filter_map(|folder| keys::parse_key_below(&root, folder)));
        }
        Ok(named)
    }

    async fn folders_in(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let level = self.store.list_children(prefix).await;
        let level = level.map_err(CatalogError::store("list the bucket"))?;
        Ok(level.prefixes)
    }

    async fn size_of(&self, backup: &BackupRef) -> Result<(u64, u64), CatalogError> {
        let mut sum = (0, 0);
        for tree in TREES {
            let prefix = format!("{}/{tree}/{}/{}/", keys::ROOT, backup.cluster, backup.name);
            let listed = self.store.list(&prefix);
            let added = listed.try_fold(sum, |(objects, bytes), meta| async move {
                Ok((objects + 1, bytes + meta.size))
            });
            sum = added
                .await
                .map_err(CatalogError::store("list the bucket"))?;
        }
        Ok(sum)
    }

    /// Whether anything bears the name of a backup in a tree in which each backup has a folder.
    pub async fn has_folder(&self, backup: &BackupRef) -> Result<bool, CatalogError> {
        for tree in TREES {
            let prefix = format!("{}/{tree}/{}/{}/", keys::ROOT, backup.cluster, backup.name);
            if self.any_under(&prefix).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Why what bears a name is of no use; none if it is of use, or may be.
fn kind_of(
    survey: &Survey,
    buried: &BTreeSet<BackupRef>,
    backup: &BackupRef,
) -> Option<GarbageKind> {
    if survey.remnants.contains(backup) {
        Some(GarbageKind::HalfDeleted)
    } else if survey.manifests.contains_key(backup) {
        None
    } else if survey.doomed.contains(backup) {
        Some(GarbageKind::HalfDeleted)
    } else if survey.failures.contains_key(backup) {
        Some(GarbageKind::GivenUp)
    } else if survey.intents.contains_key(backup) {
        buried.contains(backup).then_some(GarbageKind::HalfDeleted)
    } else {
        Some(GarbageKind::Strays)
    }
}
