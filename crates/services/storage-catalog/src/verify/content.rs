//! Reads objects back, compares their bytes with the hashes that were taken at backup time, and checks what they mean.

use std::sync::atomic::{AtomicU64, Ordering};

use blob_store::StoreError;
use bucket::{LoadedPart, Run, StoredCheck, WrongFiles, pack_place, runs};
use cassandra_formats::Damage as Found;
use chassis::work::{Progress, Work};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::manifest::{BackupManifest, NodeManifest, StoredFile};
use model::{Damage, Sample, VerifyLevel};
use tokio::sync::Semaphore;

use super::VerifyLimits;
use super::damage::{self, short};
use super::not_checked::{self, Reasons};
use super::packs::{PARTS_PARALLEL, RUN_LIMITS};
use super::places::{Place, in_order_of_packs};
use super::sstables::StoredSstables;
use super::{rows, sample};
use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Objects of one node that are read at once; a chunk of each is in memory.
pub const OBJECTS_PARALLEL: usize = 8;
/// Files of one node whose comparison is prepared at once: it bounds the memory for a million files. A pack of more is
/// read in several parts, each byte once.
const BATCH_FILES: usize = 1024;

/// How far the verification is, over all nodes, and what all of them share.
pub struct Tally<'a> {
    work: &'a Work,
    /// The part that is read; none: all.
    pub sample: Option<Sample>,
    limits: &'a VerifyLimits,
    rows_permits: Semaphore,
    part_permits: Semaphore,
    bytes_total: u64,
    bytes_done: AtomicU64,
    items_done: AtomicU64,
}

impl<'a> Tally<'a> {
    pub fn new(
        manifest: &BackupManifest,
        sample: Option<Sample>,
        limits: &'a VerifyLimits,
        work: &'a Work,
    ) -> Self {
        let bytes: u64 = manifest.nodes.iter().map(|node| node.bytes).sum();
        Self {
            work,
            sample,
            limits,
            rows_permits: rows::permits(),
            part_permits: Semaphore::new(PARTS_PARALLEL),
            // Of a part about as much; which files it has is known only when every node manifest has been read.
            bytes_total: sample.map_or(bytes, |sample| bytes / u64::from(sample.of.get())),
            bytes_done: AtomicU64::new(0),
            items_done: AtomicU64::new(0),
        }
    }

    fn done(&self, bytes: u64, items: u64, note: &str) {
        let before = self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        let items_before = self.items_done.fetch_add(items, Ordering::Relaxed);
        self.work.report(Progress {
            bytes_done: before + bytes,
            bytes_total: self.bytes_total.max(before + bytes),
            items_done: items_before + items,
            // How many files there are is known only when every node manifest has been read.
            items_total: 0,
            note: note.to_owned(),
        });
    }

    /// A node whose objects were all seen in listings.
    pub fn listed(&self, manifest: &NodeManifest) {
        let files = || manifest.files();
        let note = format!("node {}", manifest.member.host_id);
        self.done(
            files().map(|file| file.bytes).sum(),
            files().count() as u64,
            &note,
        );
    }
}

impl Catalog {
    /// Compares every object of a node, or those of a part, but for those that are known to be wrong.
    pub async fn compare_content(
        &self,
        manifest: &NodeManifest,
        wrong: &WrongFiles,
        level: VerifyLevel,
        work: &Tally<'_>,
    ) -> Result<Content, CatalogError> {
        let is_read = |place: &Place| {
            let (table, file) = place.stored(manifest);
            wrong.of(file).is_none() && sample::has(work.sample, manifest, table, file)
        };
        let files = in_order_of_packs(manifest, is_read);
        let sstables = match level {
            VerifyLevel::Sstables => Some(StoredSstables::of(manifest, wrong, &self.bucket)),
            VerifyLevel::Manifest | VerifyLevel::Objects => None,
        };
        let mut content = Content::default();
        let mut of_rows = Vec::new();
        for batch in files.chunks(BATCH_FILES) {
            let in_pack = |place: &Place| pack_place(place.stored(manifest).1);
            let comparisons: Vec<_> = runs(batch.to_vec(), in_pack, RUN_LIMITS)
                .into_iter()
                .map(|run| self.damage_of_run(manifest, run, sstables.as_ref(), work))
                .collect();
            let found: Vec<Vec<Damages>> = stream::iter(comparisons)
                .buffer_unordered(OBJECTS_PARALLEL)
                .try_collect()
                .await?;
            for found in found.into_iter().flatten() {
                content.damage.extend(found.own);
                of_rows.extend(found.of_rows);
                content.not_checked.add_of_one_sstable(found.not_checked);
            }
        }
        let of_rows = rows::of_sound_sstables(manifest, of_rows, &content.damage);
        content.damage.extend(of_rows);
        let bytes = files.iter().map(|place| place.stored(manifest).1.bytes);
        content.bytes = bytes.sum();
        Ok(content)
    }

    /// Reads what comes with one request, and compares its files one after the other.
    async fn damage_of_run(
        &self,
        manifest: &NodeManifest,
        run: Run<Place>,
        sstables: Option<&StoredSstables<'_>>,
        work: &Tally<'_>,
    ) -> Result<Vec<Damages>, CatalogError> {
        let _place = work.limits.gate.enter().await;
        // Held until the last of them is compared.
        let (_permit, loaded) = match &run {
            Run::Part(part, _) if part.bytes() <= RUN_LIMITS.bytes_max => {
                let permit = work.part_permits.acquire().await.ok();
                (permit, self.load_part(part).await?)
            }
            Run::Whole(_) | Run::Part(..) => (None, None),
        };
        let mut found = Vec::new();
        for place in run.files() {
            let damage = self.damage_of(manifest, *place, sstables, loaded.as_ref(), work);
            found.push(damage.await?);
        }
        Ok(found)
    }

    async fn damage_of(
        &self,
        manifest: &NodeManifest,
        place: Place,
        sstables: Option<&StoredSstables<'_>>,
        loaded: Option<&LoadedPart>,
        work: &Tally<'_>,
    ) -> Result<Damages, CatalogError> {
        let (table, file) = place.stored(manifest);
        let mut checks = Checks::default();
        let mut unread = Vec::new();
        if let Some((sstable, component)) =
            sstables.and_then(|all| all.find(place.table, place.file, loaded))
        {
            checks.rows = rows::begin(&sstable, component, &work.rows_permits).await;
            unread = not_checked::beforehand(&sstable, component);
            let begun = StoredCheck::begin(sstable, component.to_owned()).await;
            checks.component = Some(begun.map_err(CatalogError::store("read a component"))?);
        }
        let compared = self.compare(file, loaded, checks, work).await?;
        unread.extend(compared.not_checked);
        // What was damaged on the node already is reported as such.
        let is_new = |found: &Damage| !manifest.damaged.iter().any(|kept| damage::is(found, kept));
        let object = compared
            .object
            .map(|what| damage::of_file(manifest, table, file, what));
        let component = compared.component.into_iter();
        let component = component.map(|found| damage::of_component(manifest, table, file, found));
        let rows = compared.rows.into_iter();
        let rows = rows.map(|found| damage::of_sibling(manifest, table, file, found));
        Ok(Damages {
            own: object.into_iter().chain(component.filter(is_new)).collect(),
            of_rows: rows.filter(is_new).collect(),
            not_checked: unread,
        })
    }

    /// What is wrong with one object, and with what it holds.
    async fn compare(
        &self,
        file: &StoredFile,
        loaded: Option<&LoadedPart>,
        mut checks: Checks<'_>,
        work: &Tally<'_>,
    ) -> Result<Compared, CatalogError> {
        let gone = |what: &str| Compared {
            object: Some(what.to_owned()),
            ..Compared::default()
        };
        let mut body = match self.body(file, loaded).await {
            Ok(body) => body,
            Err(error) if error.is_not_found() => return Ok(gone("the object is missing")),
            Err(StoreError::OutOfRange { .. }) => {
                return Ok(gone("the pack ends before the file does"));
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
            // The next chunk is asked for afterwards, so that the store sends no faster.
            work.limits.bandwidth.take(chunk.len() as u64).await;
            hasher.update(&chunk);
            length += chunk.len() as u64;
            work.done(chunk.len() as u64, 0, short(&file.object));
            let checked = checks.update(chunk).await;
            checked.map_err(CatalogError::store("read a component"))?;
        }
        work.done(0, 1, short(&file.object));
        let object = difference(file, length, &hasher);
        let found = checks.finish().await;
        let found = found.map_err(CatalogError::store("read a component"))?;
        Ok(Compared { object, ..found })
    }
}

/// What came of reading the objects of a node.
#[derive(Default)]
pub struct Content {
    /// That were read.
    pub bytes: u64,
    pub damage: Vec<Damage>,
    pub not_checked: Reasons,
}

/// What reading one object found.
struct Damages {
    /// Of the object, and of the component that it is.
    own: Vec<Damage>,
    /// Of the rows of its SSTable.
    of_rows: Vec<Damage>,
    /// What of its SSTable was not checked, and why.
    not_checked: Vec<String>,
}

/// What is checked of a component while it is downloaded.
#[derive(Default)]
struct Checks<'a> {
    component: Option<StoredCheck>,
    rows: Option<rows::Begun<'a>>,
}

impl Checks<'_> {
    async fn update(&mut self, piece: bytes::Bytes) -> Result<(), StoreError> {
        if let Some(rows) = &mut self.rows {
            rows.check.update(piece.clone()).await;
        }
        match &mut self.component {
            Some(check) => check.update(piece).await,
            None => Ok(()),
        }
    }

    /// What was found of the component, and of the SSTable's rows.
    async fn finish(self) -> Result<Compared, StoreError> {
        let mut found = Compared::default();
        if let Some(check) = self.component {
            found.component = check.finish().await?;
        }
        if let Some(rows) = self.rows {
            (found.rows, found.not_checked) = rows.finish().await?;
        }
        Ok(found)
    }
}

/// What came of reading one object.
#[derive(Default)]
struct Compared {
    /// Why it is not what was uploaded.
    object: Option<String>,
    component: Vec<Found>,
    /// Of any component of its SSTable.
    rows: Vec<Found>,
    not_checked: Vec<String>,
}

fn difference(file: &StoredFile, length: u64, hasher: &blake3::Hasher) -> Option<String> {
    if length != file.bytes {
        return Some(format!(
            "{length} bytes could be read where {} are expected",
            file.bytes
        ));
    }
    let found = hasher.finalize().to_hex();
    (found.as_str() != file.blake3).then(|| {
        format!(
            "its content has the BLAKE3 {found} where {} is expected",
            file.blake3
        )
    })
}
