//! One file of a snapshot: recognised in the base or the bucket, or uploaded.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use blob_store::{Put, Store};
use cassandra_formats::Component;
use futures::StreamExt;
use model::manifest::StoredFile;
use model::{BackupName, BackupRef, HostId, layout};

use super::read::{self, Expected, ReadFault};
use super::{FileKey, UploadError};
use crate::files::blocking;
use crate::folders::table_folder_name;
use crate::journal::Journal;
use crate::snapshot::SnapshotRecord;
use crate::sstables::{self, ComponentFile, DIGEST};
use crate::tables::Table;
use crate::work::Work;

/// How often a file is read again that changed while it was read. Only TOC.txt ever does.
const READ_TRIES_MAX: u32 = 5;
/// How many other objects may stand where a file's object belongs: one for each try of a backup that was killed between
/// upload and journal, with the file rewritten in between.
const KEY_TRIES_MAX: u32 = 16;

pub(super) struct Uploader {
    pub store: Store,
    pub work: Work,
    pub backup: BackupRef,
    pub host_id: HostId,
    pub base_name: Option<BackupName>,
    pub base: HashMap<FileKey, StoredFile>,
    /// In the bucket already, by the journal.
    pub done: HashMap<FileKey, StoredFile>,
    pub journal: Journal<SnapshotRecord>,
    pub buffer_bytes: usize,
}

/// One try; a file that changed under it is looked at again.
enum Try {
    Stored(StoredFile),
    Changed,
}

impl Uploader {
    /// Answers how the bucket holds a file, after bringing it there where need be.
    pub async fn store_file(
        &self,
        table: &Table,
        mut file: ComponentFile,
    ) -> Result<StoredFile, UploadError> {
        for _ in 0..READ_TRIES_MAX {
            self.work.check()?;
            if let Try::Stored(stored) = self.try_file(table, &file).await? {
                return Ok(stored);
            }
            let path = file.path.clone();
            if let Some((bytes, source)) = blocking(move || sstables::stat(&path)).await? {
                (file.bytes, file.source) = (bytes, source);
            }
        }
        Err(UploadError::Restless {
            path: file.path,
            tries: READ_TRIES_MAX,
        })
    }

    async fn try_file(&self, table: &Table, file: &ComponentFile) -> Result<Try, UploadError> {
        let key = (table.id, file.index.clone(), file.name().to_owned());
        if let Some(done) = self.done.get(&key)
            && done.bytes == file.bytes
            && done.source.as_ref() == Some(&file.source)
        {
            self.work.add_bytes(file.bytes);
            return Ok(Try::Stored(done.clone()));
        }
        let expected = self.expected(table, file).await?;
        if let Some(base) = self.base.get(&key)
            && base.bytes == file.bytes
        {
            let unread =
                file.class() != Component::Mutable && base.source.as_ref() == Some(&file.source);
            if unread {
                return self.reuse(table, file, base).await;
            }
            match read::hash(expected.clone(), self.buffer_bytes, &self.work).await {
                Ok(hash) if hash == base.blake3 => return self.reuse(table, file, base).await,
                Ok(_) => {}
                Err(ReadFault::Changed) => return Ok(Try::Changed),
                Err(fault) => return Err(self.fault(table, file, fault)),
            }
        }
        self.upload(table, file, expected).await
    }

    async fn reuse(
        &self,
        table: &Table,
        file: &ComponentFile,
        base: &StoredFile,
    ) -> Result<Try, UploadError> {
        self.work.add_bytes(file.bytes);
        let stored = StoredFile {
            from: base.from.clone().or_else(|| self.base_name.clone()),
            source: Some(file.source.clone()),
            ..base.clone()
        };
        self.keep(table, stored).await
    }

    async fn upload(
        &self,
        table: &Table,
        file: &ComponentFile,
        expected: Expected,
    ) -> Result<Try, UploadError> {
        let first_key = self.object_key(table, file);
        let mut known_hash = None;
        for number in 1..=KEY_TRIES_MAX {
            let key = match number {
                1 => first_key.clone(),
                _ => format!("{first_key}.{number}"),
            };
            let (put, outcome) = self.put(&key, &expected).await?;
            let hash = match outcome.or_else(|| known_hash.take().map(Ok)) {
                Some(outcome) => outcome,
                // The store noticed the object before it had read the file.
                None => read::hash(expected.clone(), self.buffer_bytes, &self.work).await,
            };
            let hash = match hash {
                Ok(hash) => hash,
                Err(ReadFault::Changed) => return Ok(Try::Changed),
                Err(fault) => return Err(self.fault(table, file, fault)),
            };
            let ours = match put {
                Put::Created => true,
                Put::Exists => self.object_hash(&key).await? == hash,
            };
            if ours {
                self.work.add_bytes(file.bytes);
                let stored = StoredFile {
                    name: file.name().to_owned(),
                    index: file.index.clone(),
                    bytes: file.bytes,
                    blake3: hash,
                    object: key,
                    from: None,
                    source: Some(file.source.clone()),
                };
                return self.keep(table, stored).await;
            }
            known_hash = Some(hash);
        }
        Err(UploadError::NoFreeKey {
            key: first_key,
            tries: KEY_TRIES_MAX,
            path: file.path.clone(),
        })
    }

    /// Uploads under one key. Bytes count as progress while they are read, and are taken back at the end: who keeps the
    /// file counts it once.
    async fn put(
        &self,
        key: &str,
        expected: &Expected,
    ) -> Result<(Put, Option<Result<String, ReadFault>>), UploadError> {
        let counter = Arc::new(self.work.counter());
        let (body, reading) = read::stream(
            key,
            expected.clone(),
            self.buffer_bytes,
            self.work.clone(),
            counter.clone(),
        );
        let put = self
            .work
            .or_stop(self.store.put_stream(key, Some(expected.bytes), body))
            .await?;
        counter.take_back();
        match (put, reading.outcome()) {
            // The stream's own fault is what counts, not the store's words for it.
            (Err(_), Some(Err(fault))) => Ok((Put::Exists, Some(Err(fault)))),
            (Err(error), _) => Err(error.into()),
            (Ok(put), outcome) => Ok((put, outcome)),
        }
    }

    async fn keep(&self, table: &Table, stored: StoredFile) -> Result<Try, UploadError> {
        let record = SnapshotRecord::Stored {
            backup: self.backup.clone(),
            table: table.id,
            file: stored.clone(),
        };
        self.journal.append(&record).await?;
        Ok(Try::Stored(stored))
    }

    /// What must be read; the digest is read here, before its SSTable's data.
    async fn expected(&self, table: &Table, file: &ComponentFile) -> Result<Expected, UploadError> {
        let mut digest = None;
        if file.is_data() {
            let path = sibling(&file.path, &format!("{}-{DIGEST}", file.descriptor));
            match blocking(move || read::digest(&path)).await? {
                Some(Ok(crc32)) => digest = Some(crc32),
                Some(Err(text)) => {
                    return Err(self.damaged(
                        table,
                        file,
                        "a number".to_owned(),
                        format!("{text:?} there"),
                    ));
                }
                // Slices that DSE streamed have none.
                None => {}
            }
        }
        Ok(Expected {
            path: file.path.clone(),
            bytes: file.bytes,
            source: file.source.clone(),
            digest,
        })
    }

    fn fault(&self, table: &Table, file: &ComponentFile, fault: ReadFault) -> UploadError {
        match fault {
            ReadFault::File(error) => error.into(),
            ReadFault::Stopped(stopped) => stopped.into(),
            ReadFault::Changed => UploadError::Restless {
                path: file.path.clone(),
                tries: 1,
            },
            ReadFault::Digest { expected, found } => {
                self.damaged(table, file, expected.to_string(), found.to_string())
            }
        }
    }

    fn damaged(
        &self,
        table: &Table,
        file: &ComponentFile,
        expected: String,
        found: String,
    ) -> UploadError {
        UploadError::Damaged {
            node: self.host_id.to_string(),
            table: table.table.clone(),
            path: file.path.clone(),
            expected,
            found,
        }
    }

    fn object_key(&self, table: &Table, file: &ComponentFile) -> String {
        let folder = format!(
            "{}{}/{}/{}",
            layout::data(&self.backup),
            self.host_id,
            table.table.keyspace,
            table_folder_name(&table.table, &table.id)
        );
        match &file.index {
            Some(index) => format!("{folder}/.{index}/{}", file.name()),
            None => format!("{folder}/{}", file.name()),
        }
    }

    /// The hash of an object that an earlier try has left.
    async fn object_hash(&self, key: &str) -> Result<String, UploadError> {
        let mut body = self.store.get_stream(key, None).await?;
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = self.work.or_stop(body.next()).await? {
            hasher.update(&piece?);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

fn sibling(path: &Path, name: &str) -> std::path::PathBuf {
    path.with_file_name(name)
}
