//! Verifies a backup: manifests whole, objects there with their size, then every byte, then what the bytes mean.
//!
//! What is damaged is reported, all of it; what cannot be reached is an error, because it says nothing of the backup.

mod check;
mod content;
mod damage;
mod stored;

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::work::Work;
use futures::stream::{self, StreamExt};
use model::manifest::{BackupManifest, BackupNode, NodeManifest};
use model::{BackupRef, layout};

use crate::catalog::{Catalog, NODES_PARALLEL};
use crate::documents::Read;
use crate::error::CatalogError;
pub use damage::Damage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Manifest,
    Objects,
    Sstables,
}

/// What a verification found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Manifests and data objects.
    pub objects: u64,
    /// Bytes of data objects that were read and compared.
    pub bytes: u64,
    pub sstables: u64,
    pub damage: Vec<Damage>,
}

/// What one node's part came to.
#[derive(Default)]
struct Part {
    objects: u64,
    bytes: u64,
    sstables: u64,
    damage: Vec<Damage>,
}

impl Catalog {
    pub async fn verify(
        &self,
        backup: &BackupRef,
        level: Level,
        work: &Work,
    ) -> Result<Report, CatalogError> {
        let mut report = Report {
            objects: 1,
            ..Report::default()
        };
        let key = layout::backup_manifest(backup);
        let manifest = match self.read_manifest(backup).await {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Err(self.why_not_complete(backup).await?),
            Err(CatalogError::Document { source, .. }) if !is_future(&source) => {
                report.damage.push(Damage::of_object(&key, &source));
                return Ok(report);
            }
            Err(error) => return Err(error),
        };
        report.damage.extend(self.damage_of_base(&manifest).await?);
        let tally = content::Tally::new(&manifest, work);
        let parts: Vec<_> = manifest
            .nodes
            .iter()
            .map(|node| self.verify_node(&manifest, node, level, &tally))
            .collect();
        let mut parts = stream::iter(parts).buffered(NODES_PARALLEL);
        while let Some(part) = parts.next().await {
            let mut part = part?;
            report.objects += part.objects;
            report.bytes += part.bytes;
            report.sstables += part.sstables;
            report.damage.append(&mut part.damage);
        }
        report.damage.sort();
        Ok(report)
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
        let key = layout::backup_manifest(&base);
        match self.exists(&key).await? {
            true => Ok(None),
            false => Ok(Some(Damage::of_object(
                &key,
                "the manifest of the base is missing",
            ))),
        }
    }

    async fn verify_node(
        &self,
        manifest: &BackupManifest,
        node: &BackupNode,
        level: Level,
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
                part.damage.push(Damage::of_node(node, &what));
                return Ok(part);
            }
            Ok(None) => {
                part.damage
                    .push(Damage::of_node(node, "the node manifest is missing"));
                return Ok(part);
            }
            Err(CatalogError::Document { source, .. }) if !is_future(&source) => {
                part.damage.push(Damage::of_node(node, &source));
                return Ok(part);
            }
            Err(error) => return Err(error),
        };
        self.verify_files(Arc::new(read.document), level, work, &mut part)
            .await?;
        Ok(part)
    }

    async fn verify_files(
        &self,
        manifest: Arc<NodeManifest>,
        level: Level,
        work: &content::Tally<'_>,
        part: &mut Part,
    ) -> Result<(), CatalogError> {
        let wrong = self.wrong_objects(&manifest).await?;
        let is_wrong: BTreeSet<&str> = wrong.iter().map(|wrong| wrong.key.as_str()).collect();
        for table in &manifest.tables {
            part.objects += table.files.len() as u64;
            part.sstables += damage::sstables(table);
            for file in table
                .files
                .iter()
                .filter(|file| is_wrong.contains(file.object.as_str()))
            {
                let what = wrong.iter().find(|wrong| wrong.key == file.object);
                let damage = what.map(|what| Damage::of_file(&manifest, table, file, what));
                part.damage.extend(damage);
            }
        }
        match level {
            Level::Manifest => work.listed(&manifest),
            Level::Objects | Level::Sstables => {
                let (bytes, mut damage) = self
                    .compare_content(&manifest, &is_wrong, level, work)
                    .await?;
                part.bytes += bytes;
                part.damage.append(&mut damage);
            }
        }
        if level == Level::Sstables {
            part.damage.extend(Damage::kept(&manifest));
        }
        Ok(())
    }
}

fn is_future(error: &model::manifest::DocumentError) -> bool {
    matches!(error, model::manifest::DocumentError::FromTheFuture { .. })
}
