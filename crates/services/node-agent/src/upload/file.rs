//! One file of a snapshot: recognised in the base or the bucket, or uploaded.

use std::collections::HashMap;
use std::sync::Arc;

use blob_store::{Put, Store};
use cassandra_formats::Component;
use cassandra_node::files::blocking;
use cassandra_node::folders::table_folder_name;
use cassandra_node::sstables::{self, ComponentFile};
use cassandra_node::tables::Table;
use chassis::work::Work;
use futures::StreamExt;
use model::manifest::{KeptDamage, StoredFile};
use model::{BackupName, BackupRef, HostId, layout};
use sstable_files::SstableFiles;
use tracing::warn;

use super::check::{Checked, kept};
use super::read::{self, Content, Expected, ReadFault};
use super::{FileKey, Kept, UploadError};
use crate::journal::Journal;
use crate::snapshot::SnapshotRecord;

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
    pub base: HashMap<FileKey, Kept>,
    /// In the bucket already, by the journal.
    pub done: HashMap<FileKey, Kept>,
    pub journal: Journal<SnapshotRecord>,
    pub keep_damaged: bool,
    pub buffer_bytes: usize,
}

/// One try; a file that changed under it is looked at again.
enum Try {
    Stored(Kept),
    Changed,
}

impl Uploader {
    /// Answers how the bucket holds a file, after bringing it there where need be.
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
        Err(UploadError::Restless {
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
        let key = (table.id, file.index.clone(), file.name().to_owned());
        if let Some(done) = self.done.get(&key)
            && done.file.bytes == file.bytes
            && done.file.source.as_ref() == Some(&file.source)
        {
            self.allow(table, file, &done.damage)?;
            self.work.add_bytes(file.bytes);
            return Ok(Try::Stored(done.clone()));
        }
        let expected = self.expected(file, sstable);
        if let Some(base) = self.base.get(&key)
            && base.file.bytes == file.bytes
        {
            let unread = file.class() != Component::Mutable
                && base.file.source.as_ref() == Some(&file.source);
            if unread {
                return self.reuse(table, file, base.clone()).await;
            }
            match read::content(expected.clone(), self.buffer_bytes, &self.work).await {
                Ok(content) if content.blake3 == base.file.blake3 => {
                    let base = Kept {
                        file: base.file.clone(),
                        damage: kept(table, file, &content.damage),
                    };
                    return self.reuse(table, file, base).await;
                }
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
        base: Kept,
    ) -> Result<Try, UploadError> {
        self.allow(table, file, &base.damage)?;
        self.work.add_bytes(file.bytes);
        let stored = StoredFile {
            from: base.file.from.clone().or_else(|| self.base_name.clone()),
            source: Some(file.source.clone()),
            ..base.file
        };
        self.keep(table, stored, base.damage).await
    }

    async fn upload(
        &self,
        table: &Table,
        file: &ComponentFile,
        expected: Expected,
    ) -> Result<Try, UploadError> {
        let first_key = self.object_key(table, file);
        let mut known = None;
        for number in 1..=KEY_TRIES_MAX {
            let key = match number {
                1 => first_key.clone(),
                _ => format!("{first_key}.{number}"),
            };
            let (put, outcome) = self.put(&key, &expected).await?;
            let content = match outcome.or_else(|| known.take().map(Ok)) {
                Some(outcome) => outcome,
                // The store noticed the object before it had read the file.
                None => read::content(expected.clone(), self.buffer_bytes, &self.work).await,
            };
            let content = match content {
                Ok(content) => content,
                Err(ReadFault::Changed) => return Ok(Try::Changed),
                Err(fault) => return Err(self.fault(table, file, fault)),
            };
            let ours = match put {
                Put::Created => true,
                Put::Exists => self.object_hash(&key).await? == content.blake3,
            };
            if ours {
                self.work.add_bytes(file.bytes);
                let stored = StoredFile {
                    name: file.name().to_owned(),
                    index: file.index.clone(),
                    bytes: file.bytes,
                    blake3: content.blake3,
                    object: key,
                    from: None,
                    source: Some(file.source.clone()),
                };
                let damage = kept(table, file, &content.damage);
                return self.keep(table, stored, damage).await;
            }
            known = Some(content);
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
    ) -> Result<(Put, Option<Result<Content, ReadFault>>), UploadError> {
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

    async fn keep(
        &self,
        table: &Table,
        file: StoredFile,
        damage: Vec<KeptDamage>,
    ) -> Result<Try, UploadError> {
        let record = SnapshotRecord::Stored {
            backup: self.backup.clone(),
            table: table.id,
            file: file.clone(),
            damage: damage.clone(),
        };
        self.journal.append(&record).await?;
        for damage in &damage {
            warn!(table = %table.table, file = file.name, %damage, "damage is kept on demand");
        }
        Ok(Try::Stored(Kept { file, damage }))
    }

    fn expected(&self, file: &ComponentFile, sstable: &Arc<SstableFiles>) -> Expected {
        Expected {
            path: file.path.clone(),
            bytes: file.bytes,
            source: file.source.clone(),
            checked: Checked {
                sstable: sstable.clone(),
                component: file.component.clone(),
            },
            keep_damaged: self.keep_damaged,
        }
    }

    fn fault(&self, table: &Table, file: &ComponentFile, fault: ReadFault) -> UploadError {
        match fault {
            ReadFault::File(error) => error.into(),
            ReadFault::Stopped(stopped) => stopped.into(),
            ReadFault::Changed => UploadError::Restless {
                path: file.path.clone(),
                tries: 1,
            },
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
        match self.keep_damaged || damage.is_empty() {
            true => Ok(()),
            false => Err(self.damaged(table, file, damage.to_vec())),
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
