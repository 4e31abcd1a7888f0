//! Verifies a backup: manifests whole, objects there with their size, then every byte, then what the bytes mean down to the rows.
//!
//! What is damaged is reported, all of it; what cannot be reached is an error, because it says nothing of the backup.

mod content;
mod damage;
mod limits;
mod not_checked;
mod packs;
mod places;
mod rows;
mod sample;
mod sstables;

use std::collections::BTreeSet;

use bucket::{DocumentError, Read, keys};
use chassis::work::Work;
use futures::stream::{self, StreamExt};
use model::manifest::{BackupManifest, BackupNode, NodeManifest, StoredFile, VerificationResult};
use model::{BackupRef, Damage, Sample, SampleRead, VerifyLevel, VerifyReport};

use crate::catalog::{Catalog, NODES_PARALLEL};
use crate::error::CatalogError;
use crate::samples::NextSample;
pub use limits::VerifyLimits;

use not_checked::Reasons;

/// What one node's part came to.
#[derive(Default)]
struct Part {
    objects: u64,
    bytes: u64,
    sstables: u64,
    damage: Vec<Damage>,
    not_checked: Reasons,
}

impl Catalog {
    /// Verifies a backup, or the next one of so many parts, and keeps the result in the bucket.
    pub async fn verify(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        next: Option<NextSample>,
        limits: &VerifyLimits,
        work: &Work,
    ) -> Result<VerifyReport, CatalogError> {
        let since = self.last_number(backup, level).await?;
        let began = self.now();
        let sample = match &next {
            Some(next) => Some(self.next_sample(backup, level, next).await?),
            None => None,
        };
        let (mut report, read) = self.examine(backup, level, sample, limits, work).await?;
        let Some(read) = read else {
            return Ok(report);
        };
        let result = VerificationResult {
            level,
            // What was read of a clean part was read later than that.
            verified_at: match sample {
                Some(_) if report.ok => began,
                _ => self.now(),
            },
            objects: report.objects_checked,
            bytes: report.bytes_checked,
            sstables: report.sstables_checked,
            damaged: report.damage.len() as u64,
            sample,
        };
        match &mut report.sample {
            None => self.keep_verification(&read, result, since).await,
            Some(part) => {
                let task = next.and_then(|next| next.task);
                let kept = self.keep_sample(&read, part.sample, task, result, since);
                part.progress = kept.await;
            }
        }
        Ok(report)
    }

    /// Verifies a backup or a part of it and writes nothing; the manifest is absent if it is damaged itself.
    pub async fn examine(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        sample: Option<Sample>,
        limits: &VerifyLimits,
        work: &Work,
    ) -> Result<(VerifyReport, Option<Read<BackupManifest>>), CatalogError> {
        let mut report = VerifyReport {
            backup: backup.clone(),
            level,
            ok: false,
            objects_checked: 1,
            bytes_checked: 0,
            sstables_checked: 0,
            damage: Vec::new(),
            not_checked: Vec::new(),
            sample: sample.map(|sample| SampleRead {
                sample,
                progress: None,
            }),
        };
        let key = keys::backup_manifest(backup);
        let read = match self.read::<BackupManifest>(&key).await {
            Ok(Some(read)) => read,
            Ok(None) => return Err(self.why_not_complete(backup).await?),
            Err(CatalogError::Document { source, .. }) if !is_newer(&source) => {
                report.damage.push(damage::of_object(&key, &source));
                return Ok((report, None));
            }
            Err(error) => return Err(error),
        };
        let manifest = &read.document;
        report.damage.extend(self.damage_of_base(manifest).await?);
        let tally = content::Tally::new(manifest, sample, limits, work);
        let parts: Vec<_> = manifest
            .nodes
            .iter()
            .map(|node| self.verify_node(manifest, node, level, &tally))
            .collect();
        let mut not_checked = Reasons::default();
        let mut parts = stream::iter(parts).buffered(NODES_PARALLEL);
        while let Some(part) = parts.next().await {
            let mut part = part?;
            report.objects_checked += part.objects;
            report.bytes_checked += part.bytes;
            report.sstables_checked += part.sstables;
            report.damage.append(&mut part.damage);
            not_checked.add_all(part.not_checked);
        }
        drop(parts);
        report.not_checked = not_checked.into_list();
        report.damage.sort();
        report.ok = report.damage.is_empty();
        Ok((report, Some(read)))
    }

    async fn damage_of_base(
        &self,
        manifest: &BackupManifest,
    ) -> Result<Option<Damage>, CatalogError> {
        let Some(name) = &manifest.base else {
            return Ok(None);
        };
        let base = BackupRef {
            cluster: manifest.backup.cluster.clone(),
            name: name.clone(),
        };
        let key = keys::backup_manifest(&base);
        if self.exists(&key).await? {
            return Ok(None);
        }
        let what = "the manifest of the base is missing";
        Ok(Some(damage::of_object(&key, what)))
    }

    async fn verify_node(
        &self,
        manifest: &BackupManifest,
        node: &BackupNode,
        level: VerifyLevel,
        work: &content::Tally<'_>,
    ) -> Result<Part, CatalogError> {
        let mut part = Part {
            objects: 1,
            ..Part::default()
        };
        let read = match self.read_node(&manifest.backup, &node.host_id).await {
            Ok(Some(read)) if read.blake3 == node.blake3 => read,
            Ok(Some(Read { blake3, .. })) => {
                let expected = &node.blake3;
                let what = format!(
                    "its body has the BLAKE3 {blake3} where the backup manifest says {expected}"
                );
                part.damage.push(damage::of_node(node, &what));
                return Ok(part);
            }
            Ok(None) => {
                part.damage
                    .push(damage::of_node(node, "the node manifest is missing"));
                return Ok(part);
            }
            Err(CatalogError::Document { source, .. }) if !is_newer(&source) => {
                part.damage.push(damage::of_node(node, &source));
                return Ok(part);
            }
            Err(error) => return Err(error),
        };
        self.verify_files(&read.document, level, work, &mut part)
            .await?;
        Ok(part)
    }

    async fn verify_files(
        &self,
        manifest: &NodeManifest,
        level: VerifyLevel,
        work: &content::Tally<'_>,
        part: &mut Part,
    ) -> Result<(), CatalogError> {
        let wrong = self.bucket.wrong_files(manifest).await;
        let wrong = wrong.map_err(CatalogError::store("list the bucket"))?;
        part.objects += objects(manifest);
        for table in &manifest.tables {
            let is_read = |file: &StoredFile| sample::has(work.sample, manifest, table, file);
            part.sstables += damage::sstables(table, is_read);
            for file in &table.files {
                let what = wrong.of(file);
                let damage = what.map(|what| damage::of_file(manifest, table, file, what));
                part.damage.extend(damage);
            }
        }
        match level {
            VerifyLevel::Manifest => work.listed(manifest),
            VerifyLevel::Objects | VerifyLevel::Sstables => {
                let content = self.compare_content(manifest, &wrong, level, work).await?;
                part.bytes += content.bytes;
                part.damage.extend(content.damage);
                part.not_checked.add_all(content.not_checked);
            }
        }
        if level == VerifyLevel::Sstables {
            part.damage.extend(damage::kept(manifest));
        }
        Ok(())
    }
}

/// A pack is one object, however many files it holds.
fn objects(manifest: &NodeManifest) -> u64 {
    let (packed, whole) = manifest
        .files()
        .partition::<Vec<_>, _>(|file| file.offset.is_some());
    let packs: BTreeSet<&str> = packed.iter().map(|file| file.object.as_str()).collect();
    (whole.len() + packs.len()) as u64
}

fn is_newer(error: &DocumentError) -> bool {
    matches!(error, DocumentError::NewerFormat { .. })
}
