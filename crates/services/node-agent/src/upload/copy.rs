//! Unchanged files of a full backup: copied inside the store from an earlier backup, so that their bytes do not leave the
//! node a second time.
//!
//! Which files are unchanged is decided as for a differential, in [`Uploader::known`]. No pin is needed: the copy is an object
//! of this backup, whole or not there at all. Whatever keeps a file from being copied, it is uploaded instead.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use blob_store::{Put, StoreError};
use bucket::keys;
use cassandra_node::sstables::ComponentFile;
use cassandra_node::tables::Table;
use model::TableId;
use model::manifest::StoredFile;
use tracing::{debug, warn};

use super::damage::warn_of;
use super::earlier::Reuse;
use super::file::{KEY_TRIES_MAX, Known, Uploader};
use super::pack::Piece;
use super::{FileKey, Kept, UploadError};
use crate::limits::TaskLimits;
use crate::snapshot::{PackedFile, SnapshotRecord};

/// How often an object is copied before it is uploaded, if the store is unavailable; its client has tried several times by then.
const COPY_TRIES_MAX: u32 = 2;
/// After so many refusals, and no copy that worked, a store is not asked again.
const REFUSALS_MAX: u32 = 4;
/// A pack is copied if at least one of so many of its bytes is still needed.
const PACK_BYTES_PER_LIVE_MAX: u64 = 2;

/// What is known of the copies of an upload: of their sources, and of how many requests to copy were refused.
pub(super) struct Copying {
    /// Of each pack, where its last file ends.
    pack_ends: HashMap<String, u64>,
    has_worked: AtomicBool,
    refusals: AtomicU32,
    has_warned: AtomicBool,
}

impl Copying {
    /// Of the files that the earlier backup holds.
    pub fn of(files: &HashMap<FileKey, Kept>) -> Self {
        let mut pack_ends: HashMap<String, u64> = HashMap::new();
        for kept in files.values() {
            if let Some(place) = kept.file.place() {
                let end = pack_ends.entry(kept.file.object.clone()).or_default();
                *end = place.end.max(*end);
            }
        }
        Self {
            pack_ends,
            has_worked: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
            has_warned: AtomicBool::new(false),
        }
    }

    fn is_open(&self) -> bool {
        self.has_worked.load(Ordering::Relaxed)
            || self.refusals.load(Ordering::Relaxed) < REFUSALS_MAX
    }

    /// The sizes that a pack may have of which so many bytes are needed; none if too few are.
    fn pack_sizes(&self, object: &str, live_bytes: u64) -> Option<RangeInclusive<u64>> {
        let most = live_bytes.saturating_mul(PACK_BYTES_PER_LIVE_MAX);
        let end = *self.pack_ends.get(object)?;
        (end <= most && most > 0).then_some(end..=most)
    }
}

/// An unchanged file in the copy of its object.
fn copied(file: &StoredFile, object: String) -> StoredFile {
    StoredFile {
        object,
        from: None,
        ..file.clone()
    }
}

impl Uploader {
    fn copying(&self) -> Option<&Copying> {
        match &self.earlier.reuse {
            Reuse::Copy(copying) => Some(copying).filter(|copying| copying.is_open()),
            Reuse::Refer(_) | Reuse::Nothing => None,
        }
    }

    /// Copies the object of an unchanged file, and notes it in the journal. `None`: the file has to be uploaded.
    pub(super) async fn copy_file(
        &self,
        table: &Table,
        file: &ComponentFile,
        unchanged: Kept,
    ) -> Result<Option<Kept>, UploadError> {
        let Some(copying) = self.copying() else {
            return Ok(None);
        };
        // A small part of a larger object is not an object.
        if unchanged.file.offset.is_some() {
            return Ok(None);
        }
        let (from, bytes) = (&unchanged.file.object, file.bytes);
        let table_id = (&table.table, &table.id);
        let index = file.index.as_deref();
        let first_key = keys::file(&self.backup, &self.host_id, table_id, index, file.name());
        for number in 1..=KEY_TRIES_MAX {
            let key = keys::numbered(&first_key, number);
            let is_ours = match self.copy_object(copying, from, &key, bytes..=bytes).await? {
                None => return Ok(None),
                Some(Put::Created) => true,
                // An earlier try has left it, and died before its journal had it.
                Some(Put::Exists) => self.hash(&key).await? == unchanged.file.blake3,
            };
            if is_ours {
                let kept = Kept {
                    file: copied(&unchanged.file, key),
                    damage: unchanged.damage,
                };
                self.note(table, &kept).await?;
                self.work.add_bytes(bytes);
                warn_of(table, &kept);
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    /// Copies the packs that hold unchanged small files, if enough of each is still needed. Returns the files that are in the
    /// copies, by their places in the list.
    pub(super) async fn copy_packs(
        &self,
        limits: &TaskLimits,
        small: &[Piece],
        known: &[Known],
        parallel: usize,
    ) -> Result<Vec<(usize, Kept)>, UploadError> {
        let mut packs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, known) in known.iter().enumerate() {
            if let Known::Copyable(Kept { file, .. }) = known
                && file.offset.is_some()
            {
                packs.entry(&file.object).or_default().push(at);
            }
        }
        let mut copied = Vec::new();
        let copy = |places: Vec<usize>| self.copy_pack(small, known, places);
        let all = packs.into_values().collect();
        limits
            .for_each(&self.work, parallel, all, copy, |files| {
                copied.extend(files)
            })
            .await?;
        Ok(copied)
    }

    /// Copies the pack that the unchanged files at these places are in; nothing if it was not copied.
    async fn copy_pack(
        &self,
        small: &[Piece],
        known: &[Known],
        places: Vec<usize>,
    ) -> Result<Vec<(usize, Kept)>, UploadError> {
        let unchanged = places.iter().filter_map(|&at| match &known[at] {
            Known::Copyable(kept) => Some((at, &small[at], kept)),
            _ => None,
        });
        let unchanged: Vec<_> = unchanged.collect();
        let live_bytes = unchanged.iter().map(|(.., kept)| kept.file.bytes).sum();
        let (Some(copying), Some((.., first))) = (self.copying(), unchanged.first()) else {
            return Ok(Vec::new());
        };
        let pack = &first.file.object;
        let Some(sizes) = copying.pack_sizes(pack, live_bytes) else {
            return Ok(Vec::new());
        };
        let Some(object) = self.copy_pack_object(copying, pack, sizes).await? else {
            return Ok(Vec::new());
        };
        let mut stored = Vec::new();
        let mut noted = Vec::new();
        for (at, piece, kept) in unchanged {
            let kept = Kept {
                file: copied(&kept.file, object.clone()),
                damage: kept.damage.clone(),
            };
            noted.push(packed(piece.table.id, &kept));
            self.work.add_bytes(kept.file.bytes);
            warn_of(&piece.table, &kept);
            stored.push((at, kept));
        }
        let record = SnapshotRecord::Packed {
            backup: self.backup.clone(),
            files: noted,
        };
        self.journal.append(&record).await?;
        Ok(stored)
    }

    /// The key of the copy of a pack.
    async fn copy_pack_object(
        &self,
        copying: &Copying,
        pack: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Option<String>, UploadError> {
        let Some(name) = keys::name_of_pack(pack) else {
            return Ok(None);
        };
        let first_key = keys::pack(&self.backup, &self.host_id, name);
        for number in 1..=KEY_TRIES_MAX {
            let key = keys::numbered(&first_key, number);
            let is_ours = match self.copy_object(copying, pack, &key, sizes.clone()).await? {
                None => return Ok(None),
                Some(Put::Created) => true,
                Some(Put::Exists) => {
                    let source = self.work.or_stop(self.bucket.hash_of_file(pack)).await?;
                    match source {
                        // Without the source there is nothing to compare it by.
                        Err(error) if error.is_not_found() => return Ok(None),
                        source => source? == self.hash(&key).await?,
                    }
                }
            };
            if is_ours {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn hash(&self, key: &str) -> Result<String, UploadError> {
        Ok(self.work.or_stop(self.bucket.hash_of_file(key)).await??)
    }

    /// Copies an object. `None`: it is not copied, for whatever reason.
    async fn copy_object(
        &self,
        copying: &Copying,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Option<Put>, UploadError> {
        let mut tries = 1;
        loop {
            self.work.check()?;
            let copy = self.bucket.copy_object(from, key, sizes.clone());
            let error = match self.work.or_stop(copy).await? {
                Ok(put) => {
                    copying.has_worked.store(true, Ordering::Relaxed);
                    return Ok(Some(put));
                }
                Err(error) => error,
            };
            if error.is_retryable() && tries < COPY_TRIES_MAX {
                tries += 1;
                continue;
            }
            if is_refusal(&error) {
                copying.refusals.fetch_add(1, Ordering::Relaxed);
            }
            let is_first = !copying.has_warned.swap(true, Ordering::Relaxed);
            let error = api::error::chain(&error);
            // Once for an upload: of many files the reason is likely to be the same.
            match is_first {
                true => warn!(from, error, "not copied inside the store, but uploaded"),
                false => debug!(from, error, "not copied inside the store, but uploaded"),
            }
            return Ok(None);
        }
    }
}

/// Whether a store that responds so is likely to refuse every copy. Of one object nothing follows for others, and a store that
/// is unavailable or full may not be so any more.
fn is_refusal(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::PermissionDenied { .. }
            | StoreError::Unsuitable { .. }
            | StoreError::Config { .. }
            | StoreError::Other { .. }
    )
}

fn packed(table: TableId, kept: &Kept) -> PackedFile {
    PackedFile {
        table,
        file: kept.file.clone(),
        damage: kept.damage.clone(),
    }
}
