//! Reads objects back and compares their bytes with the hashes that were taken at backup time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, NodeManifest, StoredFile, TableFiles};

use super::damage::{Damage, short};
use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::progress::{Progress, Reporter};

/// Objects of one node that are read at once; a chunk of each is in memory.
const OBJECTS_PARALLEL: usize = 8;
/// Files of one node whose comparison is prepared at once: it bounds the memory for a million files.
const BATCH_FILES: usize = 1024;

/// How far the verification is, over all nodes.
pub struct Work<'a> {
    reporter: &'a Reporter,
    bytes_total: u64,
    bytes_done: AtomicU64,
    items_done: AtomicU64,
}

impl<'a> Work<'a> {
    pub fn new(manifest: &BackupManifest, reporter: &'a Reporter) -> Self {
        Self {
            reporter,
            bytes_total: manifest.nodes.iter().map(|node| node.bytes).sum(),
            bytes_done: AtomicU64::new(0),
            items_done: AtomicU64::new(0),
        }
    }

    fn done(&self, bytes: u64, items: u64, note: &str) {
        let before = self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        let items_before = self.items_done.fetch_add(items, Ordering::Relaxed);
        self.reporter.report(Progress {
            bytes_done: before + bytes,
            bytes_total: self.bytes_total,
            items_done: items_before + items,
            // How many files there are is known only when every node manifest has been read.
            items_total: 0,
            note: note.to_owned(),
        });
    }

    /// A node whose objects were all seen in listings.
    pub fn listed(&self, manifest: &NodeManifest) {
        let files = || manifest.tables.iter().flat_map(|table| &table.files);
        let note = format!("node {}", manifest.member.host_id);
        self.done(
            files().map(|file| file.bytes).sum(),
            files().count() as u64,
            &note,
        );
    }
}

impl Catalog {
    /// Compares every object of a node, but for those that are known to be wrong. Answers the bytes that were read.
    pub async fn compare_content(
        &self,
        manifest: &NodeManifest,
        is_wrong: &BTreeSet<&str>,
        work: &Work<'_>,
    ) -> Result<(u64, Vec<Damage>), CatalogError> {
        let files: Vec<(&TableFiles, &StoredFile)> = manifest
            .tables
            .iter()
            .flat_map(|table| table.files.iter().map(move |file| (table, file)))
            .filter(|(_, file)| !is_wrong.contains(file.object.as_str()))
            .collect();
        let mut damages = Vec::new();
        for batch in files.chunks(BATCH_FILES) {
            let comparisons: Vec<_> = batch
                .iter()
                .map(|(table, file)| self.damage_of(manifest, table, file, work))
                .collect();
            let found: Vec<Option<Damage>> = stream::iter(comparisons)
                .buffer_unordered(OBJECTS_PARALLEL)
                .try_collect()
                .await?;
            damages.extend(found.into_iter().flatten());
        }
        Ok((files.iter().map(|(_, file)| file.bytes).sum(), damages))
    }

    async fn damage_of(
        &self,
        manifest: &NodeManifest,
        table: &TableFiles,
        file: &StoredFile,
        work: &Work<'_>,
    ) -> Result<Option<Damage>, CatalogError> {
        let what = self.compare(file, work).await?;
        Ok(what.map(|what| Damage::of_file(manifest, table, file, what)))
    }

    /// What is wrong with one object, if anything.
    async fn compare(
        &self,
        file: &StoredFile,
        work: &Work<'_>,
    ) -> Result<Option<String>, CatalogError> {
        let mut body = match self.store.get_stream(&file.object, None).await {
            Ok(body) => body,
            Err(error) if error.is_not_found() => {
                return Ok(Some("the object is missing".to_owned()));
            }
            Err(source) => {
                return Err(CatalogError::Store {
                    doing: "read an object",
                    source,
                });
            }
        };
        let mut hasher = blake3::Hasher::new();
        let mut length = 0u64;
        while let Some(chunk) = body
            .try_next()
            .await
            .map_err(CatalogError::store("read an object"))?
        {
            hasher.update(&chunk);
            length += chunk.len() as u64;
            work.done(chunk.len() as u64, 0, short(&file.object));
        }
        work.done(0, 1, short(&file.object));
        if length != file.bytes {
            return Ok(Some(format!(
                "{length} bytes could be read where {} are expected",
                file.bytes
            )));
        }
        let found = hasher.finalize().to_hex();
        if found.as_str() != file.blake3 {
            return Ok(Some(format!(
                "its content has the BLAKE3 {found} where {} is expected",
                file.blake3
            )));
        }
        Ok(None)
    }
}
