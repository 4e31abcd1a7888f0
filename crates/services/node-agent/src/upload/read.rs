//! Reads a file once: bytes out for the upload, hashed and checked as they pass.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use blob_store::{ByteStream, source_error};
use bucket::{StreamingCheck, UnreadableComponent};
use bytes::Bytes;
use cassandra_formats::Damage;
use cassandra_node::files::{FileError, blocking};
use cassandra_node::sstables::source_file;
use chassis::work::{Counter, Stopped, Work};
use futures::StreamExt;
use model::manifest::SourceFile;
use sstable_files::SstableFiles;
use tokio::sync::oneshot;

/// Why the bytes of a file are not to be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadFault {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the file changed while it was read")]
    Changed,
    /// Only if damage is not to be kept.
    #[error("it is damaged")]
    Damaged(Vec<Damage>),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The file as it was found; what is read must be that.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub path: PathBuf,
    pub bytes: u64,
    pub source: SourceFile,
    /// The SSTable that it belongs to.
    pub sstable: Arc<SstableFiles>,
    /// For example `Data.db`.
    pub component: String,
    /// Whether damage is reported at the end and does not stop the reading.
    pub keep_damaged: bool,
}

/// What was read, to the last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Hex.
    pub blake3: String,
    pub damage: Vec<Damage>,
}

/// Reads, hashes and checks a file piece by piece.
struct Reader {
    file: File,
    expected: Expected,
    buffer_bytes: usize,
    blake3: blake3::Hasher,
    check: StreamingCheck,
    bytes: u64,
    /// As found at the end.
    damage: Vec<Damage>,
}

impl Reader {
    fn open(expected: Expected, buffer_bytes: usize) -> Result<Self, ReadFault> {
        let path = &expected.path;
        let file = File::open(path).map_err(FileError::at("open", path))?;
        let sstable = &*expected.sstable;
        let check = StreamingCheck::begin(sstable, sstable.descriptor(), &expected.component);
        Ok(Self {
            file,
            buffer_bytes,
            blake3: blake3::Hasher::new(),
            check: check.map_err(|error| unreadable(sstable, error))?,
            bytes: 0,
            damage: Vec::new(),
            expected,
        })
    }

    /// The next piece; empty at the end, when everything has been found as expected.
    fn next(&mut self) -> Result<Bytes, ReadFault> {
        let left = self.expected.bytes.saturating_sub(self.bytes);
        // One byte more than is expected, so that growth is seen.
        let want = (self.buffer_bytes as u64).min(left + 1) as usize;
        let mut piece = vec![0; want];
        let mut filled = 0;
        while filled < want {
            match self.file.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::at("read", &self.expected.path)(error).into()),
            }
        }
        piece.truncate(filled);
        self.bytes += filled as u64;
        if self.bytes > self.expected.bytes {
            return Err(ReadFault::Changed);
        }
        self.blake3.update(&piece);
        if piece.is_empty() {
            self.end()?;
        } else {
            let checked = self.check.update(&piece);
            checked.map_err(|error| unreadable(&self.expected.sstable, error))?;
        }
        Ok(piece.into())
    }

    /// A file that has changed is not damaged: what was read is of two files.
    fn end(&mut self) -> Result<(), ReadFault> {
        let path = &self.expected.path;
        let now = self
            .file
            .metadata()
            .map_err(FileError::at("inspect", path))?;
        let same = source_file(&now) == self.expected.source && now.len() == self.expected.bytes;
        if !same || self.bytes != self.expected.bytes {
            return Err(ReadFault::Changed);
        }
        let finished = self.check.finish();
        finished.map_err(|error| unreadable(&self.expected.sstable, error))?;
        let damage = std::mem::take(&mut self.check).into_damage();
        if !damage.is_empty() && !self.expected.keep_damaged {
            return Err(ReadFault::Damaged(damage));
        }
        self.damage = damage;
        Ok(())
    }

    fn content(&self) -> Content {
        Content {
            blake3: self.blake3.finalize().to_hex().to_string(),
            damage: self.damage.clone(),
        }
    }
}

/// A component beside the one that is read.
fn unreadable(sstable: &SstableFiles, error: UnreadableComponent) -> FileError {
    FileError::at("read", sstable.path(&error.component))(error.source)
}

/// The file as a stream that ends with an error if what was read is not to be kept. Each piece counts as progress. What
/// was read is sent when the stream ends.
pub(super) fn stream(
    key: &str,
    expected: Expected,
    buffer_bytes: usize,
    work: Work,
    counter: Arc<Counter>,
) -> (ByteStream, oneshot::Receiver<Result<Content, ReadFault>>) {
    let (sender, reading) = oneshot::channel();
    let key = key.to_owned();
    let first = Some((Step::Open(expected, buffer_bytes), sender));
    let pieces = futures::stream::unfold(first, move |state| {
        let (work, key, counter) = (work.clone(), key.clone(), counter.clone());
        async move {
            let (step, sender) = state?;
            match advance(step, &work).await {
                Ok((piece, reader)) if piece.is_empty() => {
                    // If the upload was given up, no one waits for it.
                    let _ = sender.send(Ok(reader.content()));
                    None
                }
                Ok((piece, reader)) => {
                    counter.add_bytes(piece.len() as u64);
                    Some((Ok(piece), Some((Step::Read(reader), sender))))
                }
                Err(fault) => {
                    let error = source_error(&key, fault.to_string());
                    let _ = sender.send(Err(fault));
                    Some((Err(error), None))
                }
            }
        }
    });
    (pieces.boxed(), reading)
}

enum Step {
    Open(Expected, usize),
    Read(Box<Reader>),
}

async fn advance(step: Step, work: &Work) -> Result<(Bytes, Box<Reader>), ReadFault> {
    work.check()?;
    blocking(move || {
        let mut reader = match step {
            Step::Open(expected, buffer_bytes) => Box::new(Reader::open(expected, buffer_bytes)?),
            Step::Read(reader) => reader,
        };
        let piece = reader.next()?;
        Ok((piece, reader))
    })
    .await
}

/// Reads a file without uploading it.
pub(super) async fn content(
    expected: Expected,
    buffer_bytes: usize,
    work: &Work,
) -> Result<Content, ReadFault> {
    let mut step = Step::Open(expected, buffer_bytes);
    loop {
        let (piece, reader) = advance(step, work).await?;
        if piece.is_empty() {
            return Ok(reader.content());
        }
        step = Step::Read(reader);
    }
}
