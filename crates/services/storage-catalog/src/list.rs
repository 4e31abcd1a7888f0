//! Lists backups with their states, from what is in the bucket.

use std::collections::{BTreeMap, BTreeSet};

use api::convert::time;
use api::pb::storage_catalog::{BackupState, BackupSummary};
use blob_store::Meta;
use bucket::{Read, keys};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, Failure, Intent, ManifestSummary};
use model::{BackupRef, ClusterName};

use crate::beside::Beside;
use crate::catalog::{Catalog, READS_PARALLEL};
use crate::error::CatalogError;

/// What is in the bucket under each name, of one cluster or of all.
#[derive(Default)]
pub struct Survey {
    pub manifests: BTreeMap<BackupRef, Meta>,
    pub intents: BTreeMap<BackupRef, Meta>,
    pub failures: BTreeMap<BackupRef, Meta>,
    pub marked: BTreeSet<BackupRef>,
    /// Those that were to be deleted whatever they were, not only if they were of no use.
    pub doomed: BTreeSet<BackupRef>,
    /// Manifests that are left of deleted backups, or that arrived after these had been deleted.
    pub remnants: BTreeSet<BackupRef>,
}

/// What a readable backup manifest says, without the schema and the files.
#[derive(Clone)]
pub struct Known {
    /// Hex BLAKE3 of its body.
    pub blake3: String,
    pub summary: ManifestSummary,
}

impl From<Read<BackupManifest>> for Known {
    fn from(read: Read<BackupManifest>) -> Self {
        Self {
            summary: (&read.document).into(),
            blake3: read.blake3,
        }
    }
}

impl Catalog {
    /// Lists the trees. Failures come before manifests and manifests before intents: see `dependents`.
    pub async fn survey(&self, cluster: Option<&ClusterName>) -> Result<Survey, CatalogError> {
        let failures = self.tree("failures", keys::failures(cluster)).await?;
        let manifests = self
            .tree("backups", keys::backup_manifests(cluster))
            .await?;
        let intents = self.tree("intents", keys::intents(cluster)).await?;
        let mut remnants = BTreeSet::new();
        // Next to none: an intent stays for as long as its backup does.
        for backup in manifests.keys().filter(|it| !intents.contains_key(it)) {
            if self.exists(&keys::tombstone(backup)).await? {
                remnants.insert(backup.clone());
            }
        }
        let marks = self.metas(&keys::deletions(cluster)).await?;
        let root = keys::deletions(None);
        let backup_of = |meta: &Meta| keys::parse_key_below(&root, &meta.key);
        let by_deletions = marks
            .iter()
            .filter(|meta| !keys::is_collection_mark(&meta.key));
        Ok(Survey {
            doomed: by_deletions.filter_map(backup_of).collect(),
            marked: marks.iter().filter_map(backup_of).collect(),
            failures,
            manifests,
            intents,
            remnants,
        })
    }

    async fn tree(
        &self,
        tree: &str,
        prefix: String,
    ) -> Result<BTreeMap<BackupRef, Meta>, CatalogError> {
        let objects: Vec<Meta> = self.metas(&prefix).await?;
        let named = objects.into_iter().filter_map(|meta| {
            let backup = keys::parse_backup_key(tree, &meta.key)?;
            Some((backup, meta))
        });
        Ok(named.collect())
    }

    /// Every object under a prefix.
    pub async fn metas(&self, prefix: &str) -> Result<Vec<Meta>, CatalogError> {
        let listed = self.store.list(prefix).try_collect().await;
        listed.map_err(CatalogError::store("list the bucket"))
    }

    /// What a manifest of the survey says; read once and remembered.
    pub async fn known(&self, backup: &BackupRef, meta: &Meta) -> Result<Known, CatalogError> {
        if let Some(known) = self.manifests.get(meta) {
            return Ok(known);
        }
        match self
            .read::<BackupManifest>(&keys::backup_manifest(backup))
            .await?
        {
            Some(read) => {
                let known = Known::from(read);
                self.manifests.put(meta, known.clone());
                Ok(known)
            }
            None => Err(CatalogError::NotFound {
                backup: backup.to_string(),
                nearest: Vec::new(),
            }),
        }
    }

    /// The same, or what its summary says: for what decides about nothing that cannot be undone.
    pub async fn known_in_short(
        &self,
        backup: &BackupRef,
        meta: &Meta,
    ) -> Result<Known, CatalogError> {
        match self.known_already(meta) {
            Some(known) => Ok(known),
            None => self.known(backup, meta).await,
        }
    }

    /// An intent of the survey; read once and remembered. `None` where it is gone by now.
    pub async fn intent(
        &self,
        backup: &BackupRef,
        meta: &Meta,
    ) -> Result<Option<Intent>, CatalogError> {
        if let Some(intent) = self.intents.get(meta) {
            return Ok(Some(intent));
        }
        let intent = self.read_intent(backup).await?;
        if let Some(intent) = &intent {
            self.intents.put(meta, intent.clone());
        }
        Ok(intent)
    }

    /// All backups of a cluster or of all clusters, newest first.
    pub async fn list(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupSummary>, CatalogError> {
        let survey = self.survey(cluster).await?;
        let unread = self.recall(&survey).await;
        let beside = self.beside(cluster).await?;
        let names: BTreeSet<&BackupRef> = survey
            .manifests
            .keys()
            .chain(survey.intents.keys())
            .chain(survey.failures.keys())
            .chain(&survey.marked)
            .collect();
        let summaries: Vec<_> = names
            .into_iter()
            .map(|backup| self.summary(&survey, &beside, backup))
            .collect();
        let summaries: Vec<Option<BackupSummary>> = stream::iter(summaries)
            .buffered(READS_PARALLEL)
            .try_collect()
            .await?;
        self.keep_summaries(&survey, &unread).await;
        let mut listed: Vec<BackupSummary> = summaries.into_iter().flatten().collect();
        // Times are of one form, so their order is that of their texts.
        listed.sort_by(|a, b| b.started_at.cmp(&a.started_at));
        Ok(listed)
    }

    /// `None` where it was deleted between listing and reading.
    async fn summary(
        &self,
        survey: &Survey,
        beside: &Beside,
        backup: &BackupRef,
    ) -> Result<Option<BackupSummary>, CatalogError> {
        let mut manifest = None;
        let mut summary = match survey.manifests.get(backup) {
            Some(meta) => match self.known_in_short(backup, meta).await {
                Ok(known) => {
                    manifest = Some(known.blake3.clone());
                    with_base(survey, backup, known)
                }
                Err(CatalogError::NotFound { .. }) => return Ok(None),
                Err(error) if error.is_unreadable() => {
                    let mut summary = self.begun(survey, backup).await?;
                    summary.state = BackupState::Unreadable as i32;
                    summary.detail = api::error::chain(&error);
                    summary
                }
                Err(error) => return Err(error),
            },
            None => self.begun(survey, backup).await?,
        };
        if survey.marked.contains(backup) || survey.remnants.contains(backup) {
            summary.state = BackupState::Deleting as i32;
            summary.detail = "its deletion has begun; delete it again to finish".to_owned();
        }
        self.add_beside(beside, backup, manifest.as_deref(), &mut summary)
            .await?;
        Ok(Some(summary))
    }

    /// What is known of a backup without its manifest.
    async fn begun(
        &self,
        survey: &Survey,
        backup: &BackupRef,
    ) -> Result<BackupSummary, CatalogError> {
        let mut summary = BackupSummary {
            backup: Some(backup.clone().into()),
            state: BackupState::Running as i32,
            ..BackupSummary::default()
        };
        if let Some(meta) = survey.intents.get(backup) {
            match self.intent(backup, meta).await {
                Ok(Some(intent)) => {
                    summary.kind = api::pb::types::BackupKind::from(intent.kind) as i32;
                    summary.base = intent.base.map(String::from).unwrap_or_default();
                    summary.started_at = time(intent.started_at);
                    summary.task_id = intent.task_id.to_string();
                    summary.detail = format!("made by task {}", intent.task_id);
                }
                Ok(None) => {}
                Err(error) if error.is_unreadable() => summary.detail = api::error::chain(&error),
                Err(error) => return Err(error),
            }
        }
        if survey.failures.contains_key(backup) {
            summary.state = BackupState::Failed as i32;
            match self.read::<Failure>(&keys::failure(backup)).await {
                Ok(Some(read)) => {
                    summary.finished_at = time(read.document.failed_at);
                    summary.detail = read.document.reason;
                }
                Ok(None) => {}
                Err(error) if error.is_unreadable() => summary.detail = api::error::chain(&error),
                Err(error) => return Err(error),
            }
        }
        Ok(summary)
    }
}

/// A differential without its base is not complete, whatever its own manifest says.
fn with_base(survey: &Survey, backup: &BackupRef, known: Known) -> BackupSummary {
    let base = known.summary.base.clone();
    let mut summary = BackupSummary::from(known.summary);
    let Some(name) = base else {
        return summary;
    };
    let base = BackupRef {
        cluster: backup.cluster.clone(),
        name,
    };
    if !survey.manifests.contains_key(&base) || survey.remnants.contains(&base) {
        summary.state = BackupState::Unreadable as i32;
        summary.detail = format!("its base `{base}` is not in the bucket");
    }
    summary
}
