//! What is kept beside a backup and is shown in lists: its pins, and what verifications have found in it.

use std::collections::BTreeMap;

use api::convert::time_optional;
use api::pb::storage_catalog as pb;
use blob_store::Meta;
use bucket::{Pin, keys};
use jiff::Timestamp;
use model::manifest::{Marker, Verification, VerificationResult};
use model::{BackupPin, BackupRef, ClusterName, TaskId, VerifyLevel};

use crate::cache::Cache;
use crate::catalog::Catalog;
use crate::error::CatalogError;

/// How many results of one level are read to find one that is of this backup and can be read.
const READS_MAX: usize = 8;

/// Objects beside the backups of one cluster or of all, by backup and in the order of their keys.
pub struct Beside {
    pins: BTreeMap<BackupRef, Vec<Meta>>,
    verifications: BTreeMap<BackupRef, Vec<Meta>>,
}

impl Catalog {
    /// Lists what is beside the backups.
    pub async fn beside(&self, cluster: Option<&ClusterName>) -> Result<Beside, CatalogError> {
        let pins = self.metas(&keys::all_pins(cluster)).await?;
        let verifications = self.metas(&keys::all_verifications(cluster)).await?;
        Ok(Beside {
            pins: by_backup(pins, &keys::all_pins(None)),
            verifications: by_backup(verifications, &keys::all_verifications(None)),
        })
    }

    /// Writes what is beside a backup into its summary. `manifest` is the hash of its manifest's body, if that can be read.
    pub async fn add_beside(
        &self,
        beside: &Beside,
        backup: &BackupRef,
        manifest: Option<&str>,
        summary: &mut pb::BackupSummary,
    ) -> Result<(), CatalogError> {
        if let Some(metas) = beside.pins.get(backup) {
            for pin in self.pins_of(backup, metas).await? {
                summary.pins.push(pin.into());
            }
        }
        if let (Some(manifest), Some(kept)) = (manifest, beside.verifications.get(backup)) {
            let newest = self.newest_of_levels(backup, manifest, kept).await?;
            add_verifications(&newest, summary);
        }
        Ok(())
    }

    /// The pins under these keys. One that cannot be read holds without end.
    pub async fn pins_of(
        &self,
        backup: &BackupRef,
        metas: &[Meta],
    ) -> Result<Vec<BackupPin>, CatalogError> {
        let prefix = keys::pins(backup);
        let mut pins = Vec::new();
        for meta in metas {
            let id = meta.key.strip_prefix(&prefix);
            let id = id.and_then(|name| name.strip_suffix(".json"));
            let Some(id) = id.and_then(|id| id.parse::<TaskId>().ok()) else {
                continue;
            };
            match self.pin_document(meta).await {
                Ok(Some(marker)) => pins.push(BackupPin {
                    id,
                    reason: marker.reason,
                    until: marker.until,
                    set_at: Some(marker.at),
                }),
                // Released meanwhile.
                Ok(None) => {}
                Err(error) if error.is_unreadable() => pins.push(BackupPin {
                    id,
                    reason: None,
                    until: None,
                    set_at: None,
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(pins)
    }

    async fn pin_document(&self, meta: &Meta) -> Result<Option<Marker>, CatalogError> {
        if let Some(known) = self.pin_documents.get(meta) {
            return Ok(Some(known));
        }
        let Some(read) = self.read::<Pin>(&meta.key).await? else {
            return Ok(None);
        };
        let Pin(marker) = read.document;
        self.pin_documents.put(meta, marker.clone());
        Ok(Some(marker))
    }

    /// The newest result of each level that is of this manifest and can be read.
    async fn newest_of_levels(
        &self,
        backup: &BackupRef,
        manifest: &str,
        kept: &[Meta],
    ) -> Result<Vec<VerificationResult>, CatalogError> {
        let mut newest = Vec::new();
        for level in VerifyLevel::ALL {
            let prefix = keys::verifications_of(backup, level);
            let of_level = kept.iter().rev();
            let of_level = of_level.filter(|meta| meta.key.starts_with(&prefix));
            for meta in of_level.take(READS_MAX) {
                match self.verification_document(meta).await {
                    Ok(Some(found)) if found.manifest == manifest => {
                        newest.push(found.result);
                        break;
                    }
                    // Of a backup that had the name before, or deleted meanwhile.
                    Ok(_) => {}
                    Err(error) if error.is_unreadable() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(newest)
    }

    pub async fn verification_document(
        &self,
        meta: &Meta,
    ) -> Result<Option<Verification>, CatalogError> {
        self.result_document(&self.verification_documents, meta)
            .await
    }

    /// A result, read once and remembered in this cache.
    pub async fn result_document(
        &self,
        cache: &Cache<Verification>,
        meta: &Meta,
    ) -> Result<Option<Verification>, CatalogError> {
        if let Some(known) = cache.get(meta) {
            return Ok(Some(known));
        }
        let read = self.read::<Verification>(&meta.key).await?;
        let document = read.map(|read| read.document);
        if let Some(document) = &document {
            cache.put(meta, document.clone());
        }
        Ok(document)
    }
}

/// Writes what the newest verifications of all levels have found into a summary.
pub fn add_verifications(newest: &[VerificationResult], summary: &mut pb::BackupSummary) {
    let damaged = newest.iter().filter(|found| found.damaged > 0);
    let read = newest
        .iter()
        .filter(|found| found.level != VerifyLevel::Manifest);
    let damaged_levels = damaged.clone().map(|it| it.level);
    summary.damage_found = damaged.clone().map(|it| it.damaged).max().unwrap_or(0);
    summary.damage_found_at = time_optional(damaged.map(|it| it.verified_at).max());
    let last_read = read.max_by_key(|found| found.verified_at);
    let clean = last_read.filter(|found| found.damaged == 0);
    summary.read_clean_at = time_optional(clean.map(|it| it.verified_at));
    let deepest = damaged_levels.max().map(pb::VerifyLevel::from);
    summary.damage_level = deepest.unwrap_or_default() as i32;
    let of_rows = newest
        .iter()
        .find(|found| found.level == VerifyLevel::Sstables);
    let clean = of_rows.filter(|found| found.damaged == 0);
    summary.sstables_clean_at = time_optional(clean.map(|it| it.verified_at));
}

/// Whether a pin keeps its backup from being deleted at a time that is certain to have come.
pub fn is_in_force(pin: &BackupPin, certain: Timestamp) -> bool {
    pin.until.is_none_or(|until| certain < until)
}

fn by_backup(metas: Vec<Meta>, root: &str) -> BTreeMap<BackupRef, Vec<Meta>> {
    let mut by_backup: BTreeMap<BackupRef, Vec<Meta>> = BTreeMap::new();
    for meta in metas {
        if let Some(backup) = keys::parse_key_below(root, &meta.key) {
            by_backup.entry(backup).or_default().push(meta);
        }
    }
    by_backup
}
