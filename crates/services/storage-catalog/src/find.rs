//! Finds a backup by its name, and gets it.

use api::{ErrorKind, ServiceError};
use blob_store::Meta;
use bucket::{Read, keys};
use jiff::Timestamp;
use model::manifest::{BackupManifest, VerificationResult};
use model::{BackupName, BackupRef, ClusterName};

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// How many near names an error offers.
const NEAREST_MAX: usize = 3;
/// Names less alike than this are no help.
const LIKENESS_MIN: f64 = 0.7;

impl Catalog {
    /// The backup that a request means; without a cluster the one of that name in the bucket.
    pub async fn resolve(
        &self,
        cluster: Option<ClusterName>,
        name: BackupName,
    ) -> Result<BackupRef, CatalogError> {
        if let Some(cluster) = cluster {
            return Ok(BackupRef { cluster, name });
        }
        let survey = self.survey(None).await?;
        let named = |backup: &&BackupRef| backup.name == name;
        let mut found: Vec<&BackupRef> = survey.manifests.keys().filter(named).collect();
        if found.is_empty() {
            found = survey
                .intents
                .keys()
                .chain(&survey.marked)
                .filter(named)
                .collect();
            found.sort();
            found.dedup();
        }
        let strays;
        if found.is_empty() {
            strays = self.strays_named(&name).await?;
            found = strays.iter().collect();
        }
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(CatalogError::NotFound {
                nearest: nearest(&name, survey.manifests.keys(), true),
                backup: name.into(),
            }),
            many => Err(CatalogError::Ambiguous {
                clusters: many
                    .iter()
                    .map(|backup| backup.cluster.to_string())
                    .collect(),
                name,
            }),
        }
    }

    /// Deleted backups of that name of which objects arrived afterwards, in every cluster.
    async fn strays_named(&self, name: &BackupName) -> Result<Vec<BackupRef>, CatalogError> {
        let mut found = Vec::new();
        for tree in ["nodes", "data"] {
            let root = format!("{}/{tree}/", keys::ROOT);
            let level = self.store.list_children(&root).await;
            let level = level.map_err(CatalogError::store("list the bucket"))?;
            for prefix in level.prefixes {
                let cluster = prefix.strip_prefix(&root).unwrap_or(&prefix);
                let Ok(cluster) = cluster.trim_end_matches('/').parse() else {
                    continue;
                };
                let name = name.clone();
                let backup = BackupRef { cluster, name };
                if !found.contains(&backup) && self.has_strays(&backup).await? {
                    found.push(backup);
                }
            }
        }
        Ok(found)
    }

    /// The backup that a request means, in whatever state it is, and when it was begun, if that can be read; an error if there
    /// is none.
    pub async fn find(
        &self,
        cluster: Option<ClusterName>,
        name: BackupName,
    ) -> Result<(BackupRef, Option<Timestamp>), CatalogError> {
        let backup = self.resolve(cluster, name).await?;
        if !self.exists(&keys::backup_manifest(&backup)).await?
            && let error @ CatalogError::NotFound { .. } = self.why_not_complete(&backup).await?
        {
            return Err(error);
        }
        let started_at = match self.begun_at(&backup).await {
            Err(error) if error.is_unreadable() => None,
            read => read?,
        };
        Ok((backup, started_at))
    }

    /// The manifest of a backup that can be restored, or why it cannot.
    pub async fn get(&self, backup: &BackupRef) -> Result<BackupManifest, CatalogError> {
        Ok(self.get_read(backup).await?.document)
    }

    /// The same, with what verifications have found.
    pub async fn get_verified(
        &self,
        backup: &BackupRef,
    ) -> Result<(BackupManifest, Vec<VerificationResult>), CatalogError> {
        let read = self.get_read(backup).await?;
        let verifications = match self.verifications(&read).await {
            Err(error) if error.kind() != ErrorKind::Unavailable => {
                // Nothing depends on them: a backup whose results cannot be read counts as one that was not verified.
                tracing::warn!(%backup, error = api::error::chain(&error), "results of verifications not read");
                Vec::new()
            }
            verifications => verifications?,
        };
        Ok((read.document, verifications))
    }

    async fn get_read(&self, backup: &BackupRef) -> Result<Read<BackupManifest>, CatalogError> {
        let key = keys::backup_manifest(backup);
        let Some(read) = self.read::<BackupManifest>(&key).await? else {
            return Err(self.why_not_complete(backup).await?);
        };
        if !self.marks(backup).await?.is_empty() || self.is_remnant(backup).await? {
            return Err(CatalogError::Deleting {
                backup: backup.clone(),
            });
        }
        if let Some(base) = &read.document.base {
            let base = BackupRef {
                cluster: backup.cluster.clone(),
                name: base.clone(),
            };
            let is_there = self.exists(&keys::backup_manifest(&base)).await?;
            if !is_there || self.is_remnant(&base).await? {
                return Err(CatalogError::Incomplete {
                    backup: backup.clone(),
                    missing: vec![format!("its base `{base}` is not in the bucket")],
                });
            }
        }
        Ok(read)
    }

    /// Whether a manifest is left of a deleted backup: a request to create it that was held up may arrive afterwards. A
    /// deletion removes the intent, which stays otherwise, and leaves a tombstone.
    pub async fn is_remnant(&self, backup: &BackupRef) -> Result<bool, CatalogError> {
        Ok(!self.exists(&keys::intent(backup)).await?
            && self.exists(&keys::tombstone(backup)).await?)
    }

    /// The marks of deletions of this backup, in order.
    pub async fn marks(&self, backup: &BackupRef) -> Result<Vec<Meta>, CatalogError> {
        self.metas(&keys::deletion_marks(backup)).await
    }

    /// Says in words what a backup without a manifest is.
    pub async fn why_not_complete(&self, backup: &BackupRef) -> Result<CatalogError, CatalogError> {
        let backup = backup.clone();
        if !self.marks(&backup).await?.is_empty() {
            return Ok(CatalogError::Deleting { backup });
        }
        if self.exists(&keys::failure(&backup)).await? {
            return Ok(CatalogError::NotComplete {
                backup,
                state: "was given up",
            });
        }
        if self.exists(&keys::intent(&backup)).await? {
            return Ok(CatalogError::NotComplete {
                backup,
                state: "is still being made",
            });
        }
        if self.has_strays(&backup).await? {
            return Ok(CatalogError::NotComplete {
                backup,
                state: "was deleted, and objects of it arrived afterwards; delete it again to remove them",
            });
        }
        let survey = self.survey(Some(&backup.cluster)).await?;
        Ok(CatalogError::NotFound {
            nearest: nearest(&backup.name, survey.manifests.keys(), false),
            backup: backup.to_string(),
        })
    }
}

/// The names most like this one.
fn nearest<'a>(
    name: &BackupName,
    all: impl Iterator<Item = &'a BackupRef>,
    with_cluster: bool,
) -> Vec<String> {
    let mut alike: Vec<(f64, &BackupRef)> = all
        .map(|backup| {
            (
                strsim::jaro_winkler(name.as_str(), backup.name.as_str()),
                backup,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let text = |backup: &BackupRef| {
        if with_cluster {
            format!("`{backup}`")
        } else {
            format!("`{}`", backup.name)
        }
    };
    alike
        .into_iter()
        .take(NEAREST_MAX)
        .map(|(_, backup)| text(backup))
        .collect()
}
