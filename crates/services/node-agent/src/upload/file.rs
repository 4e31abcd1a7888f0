//! One file of a snapshot: recognised in the base or the bucket, or uploaded.

use std::collections::HashMap;
use std::sync::Arc;

use bucket::{Bucket, PACKED_FILE_BYTES_MAX, keys};
use cassandra_formats::Component;
use cassandra_node::files::blocking;
use cassandra_node::sstables::{self, ComponentFile};
use cassandra_node::tables::Table;
use chassis::work::Work;
use model::manifest::{KeptDamage, StoredFile};
use model::{BackupName, BackupRef, HostId};
use sstable_files::SstableFiles;

use super::damage::{kept, warn_of};
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
    pub base_name: Option<BackupName>,
    pub base: HashMap<FileKey, Kept>,
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
    /// It changed while it was compared with what the base has.
    Changed,
    No,
}

/// What came of one try. A file that changed meanwhile is read again.
enum Try {
    Stored(Kept),
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
                return Ok(kept);
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
            Known::Done(kept) | Known::OfBase(kept) => Ok(Try::Stored(kept)),
            Known::Changed => Ok(Try::Changed),
            Known::No => {
                let expected = self.expected(file, sstable);
                self.upload(table, file, expected).await
            }
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
        let Some(base) = self.base.get(&key) else {
            return Ok(Known::No);
        };
        if base.file.bytes != file.bytes {
            return Ok(Known::No);
        }
        let unread =
            file.class() != Component::Mutable && base.file.source.as_ref() == Some(&file.source);
        if unread {
            // Not noted: to find it again costs less. That holds for comparing a small file, too.
            return Ok(Known::OfBase(self.reuse(table, file, base.clone())?));
        }
        let expected = self.expected(file, sstable);
        match read::content(expected, &self.pieces, &self.work).await {
            Ok(content) if content.blake3 == base.file.blake3 => {
                let base = Kept {
                    file: base.file.clone(),
                    damage: kept(table, file, &content.damage),
                };
                let kept = self.reuse(table, file, base)?;
                if file.bytes > PACKED_FILE_BYTES_MAX {
                    self.note(table, &kept).await?;
                }
                Ok(Known::OfBase(kept))
            }
            Ok(_) => Ok(Known::No),
            Err(ReadFault::Changed) => Ok(Known::Changed),
            Err(fault) => Err(self.fault(table, file, fault)),
        }
    }

    fn reuse(&self, table: &Table, file: &ComponentFile, base: Kept) -> Result<Kept, UploadError> {
        self.allow(table, file, &base.damage)?;
        self.work.add_bytes(file.bytes);
        let stored = StoredFile {
            from: base.file.from.clone().or_else(|| self.base_name.clone()),
            source: Some(file.source.clone()),
            ..base.file
        };
        let kept = Kept {
            file: stored,
            damage: base.damage,
        };
        warn_of(table, &kept);
        Ok(kept)
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
                    source: Some(file.source.clone()),
                };
                let kept = Kept {
                    file: stored,
                    damage: kept(table, file, &content.damage),
                };
                self.note(table, &kept).await?;
                warn_of(table, &kept);
                return Ok(Try::Stored(kept));
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
    async fn note(&self, table: &Table, kept: &Kept) -> Result<(), UploadError> {
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

    fn unreadable(
        &self,
        table: &Table,
        file: &ComponentFile,
        fault: ReadFault,
    ) -> Result<Try, UploadError> {
        match fault {
            ReadFault::Changed => Ok(Try::Changed),
            fault => Err(self.fault(table, file, fault)),
        }
    }

    /// Why the upload ends.
    pub(super) fn fault(
        &self,
        table: &Table,
        file: &ComponentFile,
        fault: ReadFault,
    ) -> UploadError {
        match fault {
            ReadFault::Changed => UploadError::FileChanged {
                path: file.path.clone(),
                tries: 1,
            },
            ReadFault::File(error) => error.into(),
            ReadFault::Stopped(stopped) => stopped.into(),
            ReadFault::Damaged(damage) => self.damaged(table, file, kept(table, file, &damage)),
        }
    }

    /// Damage that was found at an earlier reading counts as it did then.
    fn allow(
        &self,
        table: &Table,
        file: &ComponentFile,
        damage: &[KeptDamage],
    ) -> Result<(), UploadError> {
        if self.keep_damaged || damage.is_empty() {
            Ok(())
        } else {
            Err(self.damaged(table, file, damage.to_vec()))
        }
    }

    fn damaged(&self, table: &Table, file: &ComponentFile, damage: Vec<KeptDamage>) -> UploadError {
        UploadError::Damaged {
            node: self.host_id.to_string(),
            table: table.table.clone(),
            path: file.path.clone(),
            damage,
        }
    }
}
