//! Which backups need another one: the references that deletion is decided from.
//!
//! A differential refers to objects of its base and to no others: commit refuses anything else. So what a backup's
//! objects are needed for is known from the bases alone.

use model::BackupRef;
use model::manifest::BackupKind;

use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// The backups that build on this one: complete ones, and those that are being made.
    ///
    /// The survey lists failures first, manifests second and intents last. A backup that is committed meanwhile is then
    /// seen by its intent, which stays; one that is given up meanwhile counts once more than it should.
    pub async fn dependents(&self, backup: &BackupRef) -> Result<Vec<String>, CatalogError> {
        let survey = self.survey(Some(&backup.cluster)).await?;
        let mut dependents = Vec::new();
        for (other, meta) in &survey.manifests {
            if other == backup {
                continue;
            }
            let base = match self.known(other, meta).await {
                Ok(known) => known.summary.base,
                Err(CatalogError::NotFound { .. }) => continue,
                Err(error) if error.is_unreadable() => match survey.intents.get(other) {
                    Some(intent) => self.base_of_intent(backup, other, intent).await?,
                    None => return Err(unclear(backup, other)),
                },
                Err(error) => return Err(error),
            };
            if base.as_ref() == Some(&backup.name) {
                dependents.push(format!("`{other}`"));
            }
        }
        for (other, meta) in &survey.intents {
            let settled =
                survey.manifests.contains_key(other) || survey.failures.contains_key(other);
            if settled || other == backup {
                continue;
            }
            let base = self.base_of_intent(backup, other, meta).await?;
            if base.as_ref() == Some(&backup.name) {
                dependents.push(match survey.marked.contains(other) {
                    true => format!("`{other}`, which is being deleted"),
                    false => format!("`{other}`, which is being made"),
                });
            }
        }
        Ok(dependents)
    }

    async fn base_of_intent(
        &self,
        backup: &BackupRef,
        other: &BackupRef,
        meta: &blob_store::Meta,
    ) -> Result<Option<model::BackupName>, CatalogError> {
        match self.intent(other, meta).await {
            Ok(intent) => Ok(intent.and_then(|intent| match intent.kind {
                BackupKind::Full => None,
                BackupKind::Differential => intent.base,
            })),
            Err(error) if error.is_unreadable() => Err(unclear(backup, other)),
            Err(error) => Err(error),
        }
    }
}

fn unclear(backup: &BackupRef, unreadable: &BackupRef) -> CatalogError {
    CatalogError::Unclear {
        backup: backup.clone(),
        unreadable: unreadable.clone(),
    }
}
