//! Small files that are uploaded together: read into one buffer, hashed there, and stored as one object.

use std::sync::Arc;

use blob_store::{Buffer, Put};
use bucket::{keys, pack_name};
use bytes::Bytes;
use cassandra_node::files::blocking;
use cassandra_node::sstables::ComponentFile;
use cassandra_node::tables::Table;
use chassis::work::{Counter, Work};
use model::TableId;
use model::manifest::StoredFile;
use sstable_files::SstableFiles;

use super::damage::{kept, warn_of};
use super::file::{KEY_TRIES_MAX, Uploader};
use super::read::{self, Content, Expected, ReadFault};
use super::{Kept, UploadError};
use crate::snapshot::{PackedFile, SnapshotRecord};

/// A file of the snapshot, with its table and its SSTable.
#[derive(Clone)]
pub(super) struct Piece {
    pub table: Arc<Table>,
    pub file: ComponentFile,
    pub sstable: Arc<SstableFiles>,
}

/// A pack in memory.
struct ReadPack {
    bytes: Bytes,
    files: Vec<ReadFile>,
    /// They changed while they were read, and are not in it.
    changed: Vec<Piece>,
}

struct ReadFile {
    piece: Piece,
    offset: u64,
    content: Content,
}

impl Uploader {
    /// Stores files together. One that changes while it is read is stored by itself. Bytes count as progress while they are
    /// read, and are taken back at the end: a file counts once, when it is kept.
    pub async fn store_pack(
        &self,
        pieces: Vec<Piece>,
    ) -> Result<Vec<(TableId, Kept)>, UploadError> {
        self.work.check()?;
        let counter = Arc::new(self.work.counter());
        let pack = self.read_pack(pieces, counter.clone()).await?;
        let mut stored = match pack.files.is_empty() {
            true => Vec::new(),
            false => self.store_read(&pack).await?,
        };
        counter.take_back();
        self.work
            .add_bytes(stored.iter().map(|(_, kept)| kept.file.bytes).sum());
        let changed = pack.changed;
        // Its memory is given back before another file waits for some.
        drop(pack.bytes);
        for Piece {
            table,
            file,
            sstable,
        } in changed
        {
            stored.push((table.id, self.store_file(&table, file, sstable).await?));
        }
        Ok(stored)
    }

    async fn read_pack(
        &self,
        pieces: Vec<Piece>,
        counter: Arc<Counter>,
    ) -> Result<ReadPack, UploadError> {
        let bytes: u64 = pieces.iter().map(|piece| piece.file.bytes).sum();
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let buffer = self.work.or_stop(self.pieces.budget.buffer(bytes)).await?;
        let pieces = pieces.into_iter().map(|piece| {
            let expected = self.expected(&piece.file, &piece.sstable);
            (piece, expected)
        });
        let (pieces, work) = (pieces.collect(), self.work.clone());
        let pack = blocking(move || read_into(buffer, pieces, &work, &counter)).await;
        pack.map_err(|ended| {
            let (piece, fault) = *ended;
            self.fault(&piece.table, &piece.file, fault)
        })
    }

    /// Stores what was read, and notes it in the journal: all files at once, so that a pack is never known in part.
    async fn store_read(&self, pack: &ReadPack) -> Result<Vec<(TableId, Kept)>, UploadError> {
        let object = self.put_pack(pack).await?;
        let stored: Vec<(TableId, Kept)> = pack
            .files
            .iter()
            .map(|read| (read.piece.table.id, read.kept(&object)))
            .collect();
        let files = stored.iter().map(|(table, kept)| PackedFile {
            table: *table,
            file: kept.file.clone(),
            damage: kept.damage.clone(),
        });
        let record = SnapshotRecord::Packed {
            backup: self.backup.clone(),
            files: files.collect(),
        };
        self.journal.append(&record).await?;
        for (read, (_, kept)) in pack.files.iter().zip(&stored) {
            warn_of(&read.piece.table, kept);
        }
        Ok(stored)
    }

    /// Returns the key of the object with the bytes of a pack, after creating it if need be. An earlier try may have stored
    /// it and died before its journal had it.
    async fn put_pack(&self, pack: &ReadPack) -> Result<String, UploadError> {
        let files = pack.files.iter();
        let name = pack_name(files.map(ReadFile::named));
        let first_key = keys::pack(&self.backup, &self.host_id, &name);
        for number in 1..=KEY_TRIES_MAX {
            let key = keys::numbered(&first_key, number);
            let stored = self.bucket.store_pack(&key, pack.bytes.clone());
            let is_ours = match self.work.or_stop(stored).await?? {
                Put::Created => true,
                Put::Exists => {
                    let found = self.work.or_stop(self.bucket.hash_of_file(&key)).await??;
                    found == hash(pack.bytes.clone()).await
                }
            };
            if is_ours {
                return Ok(key);
            }
        }
        Err(UploadError::NoFreeKey {
            key: first_key,
            tries: KEY_TRIES_MAX,
            path: pack.files[0].piece.file.path.clone(),
        })
    }
}

impl ReadFile {
    /// As the name of its pack counts it.
    fn named(&self) -> bucket::PackedFile<'_> {
        let Piece { table, file, .. } = &self.piece;
        bucket::PackedFile {
            table: table.id,
            index: file.index.as_deref(),
            name: file.name(),
            bytes: file.bytes,
            blake3: &self.content.blake3,
        }
    }

    fn kept(&self, object: &str) -> Kept {
        let Piece { table, file, .. } = &self.piece;
        let stored = StoredFile {
            name: file.name().to_owned(),
            index: file.index.clone(),
            bytes: file.bytes,
            blake3: self.content.blake3.clone(),
            object: object.to_owned(),
            offset: Some(self.offset),
            from: None,
            copied_from: None,
            source: Some(file.source.clone()),
        };
        Kept {
            file: stored,
            damage: kept(table, file, &self.content.damage),
        }
    }
}

async fn hash(bytes: Bytes) -> String {
    blocking(move || blake3::hash(&bytes).to_hex().to_string()).await
}

/// Reads files one behind the other. The buffer has room for all of them. Blocks.
fn read_into(
    mut buffer: Buffer,
    pieces: Vec<(Piece, Expected)>,
    work: &Work,
    counter: &Counter,
) -> Result<ReadPack, Box<(Piece, ReadFault)>> {
    let (mut files, mut changed) = (Vec::new(), Vec::new());
    let mut at = 0;
    for (piece, expected) in pieces {
        let read = work.check().map_err(ReadFault::from).and_then(|()| {
            let end = at + usize::try_from(piece.file.bytes).unwrap_or(usize::MAX - at);
            let space = buffer.space().get_mut(at..end);
            let space = space.expect("a pack is laid out for what is taken of the budget");
            Ok((read::whole(expected, space)?, end))
        });
        match read {
            Ok((content, end)) => {
                counter.add_bytes(piece.file.bytes);
                files.push(ReadFile {
                    piece,
                    offset: at as u64,
                    content,
                });
                at = end;
            }
            Err(ReadFault::Changed) => changed.push(piece),
            Err(fault) => return Err(Box::new((piece, fault))),
        }
    }
    Ok(ReadPack {
        bytes: buffer.into_bytes(at),
        files,
        changed,
    })
}
