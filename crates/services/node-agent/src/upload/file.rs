//! One file of a snapshot: recognised in the base or the bucket, or uploaded.

use std::collections::HashMap;
use std::sync::Arc;

use bucket::{Bucket, PACKED_FILE_BYTES_MAX, keys};
use cassandra_formats::Component;
use cassandra_node::files::blocking;
use cassandra_node::sstables::{self, ComponentFile};
use cassandra_node::tables::Table;
use chassis::work::Work;
use model::manifest::StoredFile;
use model::{BackupRef, HostId};
use sstable_files::SstableFiles;

use super::damage::{kept, warn_of};
use super::earlier::{Earlier, Reuse};
use super::pieces::Pieces;
use super::put::Uploaded;
use super::read::{self, Expected, ReadFault};
use super::{FileKey, Kept, UploadError};
use crate::journal::Journal;
use crate::snapshot::SnapshotRecord;

/// How often a file is read again that changed while it was read. Only TOC.txt ever does.
const READ_TRIES_MAX: u32 = 5;
/// How many other objects may be where a file's object belongs: one for each try of a backup that was killed between
/// upload and journal, with the file rewritten in between.
pub(super) const KEY_TRIES_MAX: u32 = 16;

pub(super) struct Uploader {
    pub bucket: Bucket,
    pub work: Work,
    pub backup: BackupRef,
    pub host_id: HostId,
    pub earlier: Earlier,
    /// In the bucket already, according to the journal.
    pub done: HashMap<FileKey, Kept>,
    pub journal: Journal<SnapshotRecord>,
    pub keep_damaged: bool,
    pub pieces: Pieces,
}

/// What is known of a file before it is uploaded.
pub(super) enum Known {
    /// An earlier try of this upload has stored it.
    Done(Kept),
    /// The base has it.
    OfBase(Kept),
    /// The backup that is copied from has it.
    Copyable(Kept),
    /// It changed while it was compared with what an earlier backup has.
    Changed,
    No,
}

/// What came of one try. A file that changed meanwhile is read again.
pub(super) enum Try {
    Stored(Box<Kept>),
    Changed,
}

impl Uploader {
    /// Returns how the bucket holds a file, after uploading it if need be.
    pub async fn store_file(
        &self,
        table: &Table,
        mut file: ComponentFile,
        sstable: Arc<SstableFiles>,
    ) -> Result<Kept, UploadError> {
        for _ in 0..READ_TRIES_MAX {
            self.work.check()?;
            if let Try::Stored(kept) = self.try_file(table, &file, &sstable).await? {
                return Ok(*kept);
            }
            let path = file.path.clone();
            if let Some((bytes, source)) = blocking(move || sstables::stat(&path)).await? {
                (file.bytes, file.source) = (bytes, source);
            }
        }
        Err(UploadError::FileChanged {
            path: file.path,
            tries: READ_TRIES_MAX,
        })
    }

    async fn try_file(
        &self,
        table: &Table,
        file: &ComponentFile,
        sstable: &Arc<SstableFiles>,
    ) -> Result<Try, UploadError> {
        match self.known(table, file, sstable).await? {
            Known::Done(kept) | Known::OfBase(kept) => Ok(Try::Stored(Box::new(kept))),
            Known::Changed => Ok(Try::Changed),
            Known::Copyable(unchanged) => match self.copy_file(table, file, unchanged).await? {
                Some(kept) => Ok(Try::Stored(Box::new(kept))),
                None => self.upload(table, file, self.expected(file, sstable)).await,
            },
            Known::No => self.upload(table, file, self.expected(file, sstable)).await,
        }
    }

    /// Whether the bucket has a file already. If it does, its bytes count as done.
    pub async fn known(
        &self,
        table: &Table,
        file: &ComponentFile,
        sstable: &Arc<SstableFiles>,
    ) -> Result<Known, UploadError> {
        self.work.check()?;
        let key = (table.id, file.index.clone(), file.name().to_owned());
        if let Some(done) = self.done.get(&key)
            && done.file.bytes == file.bytes
            && done.file.source.as_ref() == Some(&file.source)
        {
            self.allow(table, file, &done.damage)?;
            self.work.add_bytes(file.bytes);
            return Ok(Known::Done(done.clone()));
        }
        let Some(before) = self.earlier.files.get(&key) else {
            return Ok(Known::No);
        };
        if before.file.bytes != file.bytes {
            return Ok(Known::No);
        }
        // What was damaged may have been repaired since, and is read again.
        if matches!(self.earlier.reuse, Reuse::Copy(_)) && !before.damage.is_empty() {
            return Ok(Known::No);
        }
        let unread =
            file.class() != Component::Mutable && before.file.source.as_ref() == Some(&file.source);
        if unread {
            // Not noted: to find it again costs less. That holds for comparing a small file, too.
            return self.unchanged(table, file, before.clone());
        }
        let expected = self.expected(file, sstable);
        match read::content(expected, &self.pieces, &self.work).await {
            Ok(content) if content.blake3 == before.file.blake3 => {
                let before = Kept {
                    file: before.file.clone(),
                    damage: kept(table, file, &content.damage),
                };
                let known = self.unchanged(table, file, before)?;
                if let Known::OfBase(kept) = &known
                    && file.bytes > PACKED_FILE_BYTES_MAX
                {
                    self.note(table, kept).await?;
                }
                Ok(known)
            }
            Ok(_) => Ok(Known::No),
            Err(ReadFault::Changed) => Ok(Known::Changed),
            Err(fault) => Err(self.fault(table, file, fault)),
        }
    }

    /// What becomes of a file that an earlier backup holds. What is referred to counts as done.
    fn unchanged(
        &self,
        table: &Table,
        file: &ComponentFile,
        before: Kept,
    ) -> Result<Known, UploadError> {
        let base = match &self.earlier.reuse {
            Reuse::Nothing => return Ok(Known::No),
            Reuse::Copy(_) => None,
            Reuse::Refer(base) => Some(base.clone()),
        };
        self.allow(table, file, &before.damage)?;
        let unchanged = Kept {
            file: StoredFile {
                from: before.file.from.clone().or_else(|| base.clone()),
                copied_from: before
                    .file
                    .copied_from
                    .or_else(|| self.earlier.copied_from.clone()),
                source: Some(file.source.clone()),
                ..before.file
            },
            damage: before.damage,
        };
        if base.is_none() {
            return Ok(Known::Copyable(unchanged));
        }
        self.work.add_bytes(file.bytes);
        warn_of(table, &unchanged);
        Ok(Known::OfBase(unchanged))
    }

    async fn upload(
        &self,
        table: &Table,
        file: &ComponentFile,
        expected: Expected,
    ) -> Result<Try, UploadError> {
        let table_id = (&table.table, &table.id);
        let index = file.index.as_deref();
        let first_key = keys::file(&self.backup, &self.host_id, table_id, index, file.name());
        let mut known = None;
        for number in 1..=KEY_TRIES_MAX {
            let key = keys::numbered(&first_key, number);
            let (content, is_ours) = match self.put(&key, &expected).await? {
                Uploaded::Created(content) => (content, true),
                Uploaded::Exists(content) => {
                    let content = match content.or(known.take()) {
                        Some(content) => Ok(content),
                        // The store noticed the object before it had read the file.
                        None => read::content(expected.clone(), &self.pieces, &self.work).await,
                    };
                    let content = match content {
                        Ok(content) => content,
                        Err(fault) => return self.unreadable(table, file, fault),
                    };
                    let hash = self.work.or_stop(self.bucket.hash_of_file(&key)).await?;
                    let is_ours = hash? == content.blake3;
                    (content, is_ours)
                }
                Uploaded::Unreadable(fault) => return self.unreadable(table, file, fault),
            };
            if is_ours {
                self.work.add_bytes(file.bytes);
                let stored = StoredFile {
                    name: file.name().to_owned(),
                    index: file.index.clone(),
                    bytes: file.bytes,
                    blake3: content.blake3,
                    object: key,
                    offset: None,
                    from: None,
                    copied_from: None,
                    source: Some(file.source.clone()),
                };
                let kept = Kept {
                    file: stored,
                    damage: kept(table, file, &content.damage),
                };
                self.note(table, &kept).await?;
                warn_of(table, &kept);
                return Ok(Try::Stored(Box::new(kept)));
            }
            known = Some(content);
        }
        Err(UploadError::NoFreeKey {
            key: first_key,
            tries: KEY_TRIES_MAX,
            path: file.path.clone(),
        })
    }

    /// Notes in the journal how the bucket holds a file.
    pub(super) async fn note(&self, table: &Table, kept: &Kept) -> Result<(), UploadError> {
        let Kept { file, damage } = kept;
        let record = SnapshotRecord::Stored {
            backup: self.backup.clone(),
            table: table.id,
            file: file.clone(),
            damage: damage.clone(),
        };
        Ok(self.journal.append(&record).await?)
    }

    pub(super) fn expected(&self, file: &ComponentFile, sstable: &Arc<SstableFiles>) -> Expected {
        Expected {
            path: file.path.clone(),
            bytes: file.bytes,
            source: file.source.clone(),
            sstable: sstable.clone(),
            component: file.component.clone(),
            keep_damaged: self.keep_damaged,
        }
    }
}
