//! Reads a file once: bytes out for the upload, hashed and checked as they pass.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use blob_store::{Buffer, ByteStream, source_error};
use bucket::{StreamingCheck, UnreadableComponent};
use bytes::Bytes;
use cassandra_formats::Damage;
use cassandra_node::files::{FileError, blocking};
use cassandra_node::sstables::source_file;
use chassis::work::{Counter, Stopped, Work};
use futures::StreamExt;
use model::manifest::SourceFile;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use sstable_files::SstableFiles;
use tokio::sync::oneshot;

use super::pieces::Pieces;

/// What is read and hashed at a time, so that it is hashed while it is in the processor's cache.
const STEP_BYTES: usize = 256 << 10;
/// A smaller file is in memory with one request to the disk, and what becomes of it there does not matter.
const UNADVISED_BYTES_MAX: u64 = 1 << 20;

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
    blake3: blake3::Hasher,
    check: StreamingCheck,
    bytes: u64,
    /// As found at the end.
    damage: Vec<Damage>,
}

impl Reader {
    fn open(expected: Expected) -> Result<Self, ReadFault> {
        let path = &expected.path;
        let file = File::open(path).map_err(FileError::at("open", path))?;
        if expected.bytes > UNADVISED_BYTES_MAX {
            read_once(&file);
        }
        let sstable = &*expected.sstable;
        let check = StreamingCheck::begin(sstable, sstable.descriptor(), &expected.component);
        Ok(Self {
            file,
            blake3: blake3::Hasher::new(),
            check: check.map_err(|error| unreadable(sstable, error))?,
            bytes: 0,
            damage: Vec::new(),
            expected,
        })
    }

    /// What is still to be read of what is expected.
    fn left(&self) -> u64 {
        self.expected.bytes.saturating_sub(self.bytes)
    }

    /// The next piece, as much as the buffer holds.
    fn next(&mut self, mut buffer: Buffer, piece_bytes: usize) -> Result<Bytes, ReadFault> {
        let space = buffer.space();
        let want = space.len().min(piece_bytes);
        let want = usize::try_from(self.left()).map_or(want, |left| left.min(want));
        self.fill(&mut space[..want])?;
        Ok(buffer.into_bytes(want))
    }

    /// Reads the next bytes, as many as there is space for.
    fn fill(&mut self, space: &mut [u8]) -> Result<(), ReadFault> {
        let mut filled = 0;
        while filled < space.len() {
            let end = space.len().min(filled + STEP_BYTES);
            let read = match self.file.read(&mut space[filled..end]) {
                // It is shorter than expected.
                Ok(0) => return Err(ReadFault::Changed),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(FileError::at("read", &self.expected.path)(error).into()),
            };
            let step = &space[filled..filled + read];
            self.blake3.update(step);
            let checked = self.check.update(step);
            checked.map_err(|error| unreadable(&self.expected.sstable, error))?;
            filled += read;
        }
        self.bytes += filled as u64;
        Ok(())
    }

    /// Checks at the end of what is expected that everything was found so. A file that has changed is not damaged: what
    /// was read is of two files.
    fn end(&mut self) -> Result<(), ReadFault> {
        let path = &self.expected.path;
        let beyond = self.file.read(&mut [0]);
        let beyond = beyond.map_err(FileError::at("read", path))?;
        let now = self
            .file
            .metadata()
            .map_err(FileError::at("inspect", path))?;
        let same = source_file(&now) == self.expected.source && now.len() == self.expected.bytes;
        if !same || beyond > 0 {
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
/// was read is sent when the stream ends. Nothing is read that was not asked for, and the end needs no memory.
pub(super) fn stream(
    key: &str,
    expected: Expected,
    pieces: Pieces,
    work: Work,
    counter: Arc<Counter>,
) -> (ByteStream, oneshot::Receiver<Result<Content, ReadFault>>) {
    let (sender, reading) = oneshot::channel();
    let key = key.to_owned();
    let first = Some((Step::Open(expected), sender));
    let pieces = futures::stream::unfold(first, move |state| {
        let (work, key, counter, pieces) =
            (work.clone(), key.clone(), counter.clone(), pieces.clone());
        async move {
            let (step, sender) = state?;
            match advance(step, &pieces, &work).await {
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
    Open(Expected),
    Read(Box<Reader>),
}

/// Reads the next piece where it may block; an empty one at the end.
async fn advance(
    step: Step,
    pieces: &Pieces,
    work: &Work,
) -> Result<(Bytes, Box<Reader>), ReadFault> {
    work.check()?;
    let left = match &step {
        Step::Open(expected) => expected.bytes,
        Step::Read(reader) => reader.left(),
    };
    let buffer = match left {
        0 => None,
        left => Some(pieces.buffer(left, work).await?),
    };
    let piece_bytes = pieces.bytes;
    blocking(move || {
        let mut reader = match step {
            Step::Open(expected) => Box::new(Reader::open(expected)?),
            Step::Read(reader) => reader,
        };
        let Some(buffer) = buffer else {
            reader.end()?;
            return Ok((Bytes::new(), reader));
        };
        let piece = reader.next(buffer, piece_bytes)?;
        Ok((piece, reader))
    })
    .await
}

/// Reads a file without uploading it.
pub(super) async fn content(
    expected: Expected,
    pieces: &Pieces,
    work: &Work,
) -> Result<Content, ReadFault> {
    let mut step = Step::Open(expected);
    loop {
        let (piece, reader) = advance(step, pieces, work).await?;
        if piece.is_empty() {
            return Ok(reader.content());
        }
        step = Step::Read(reader);
    }
}

/// Reads a small file into a space of just its size. Blocks.
pub(super) fn whole(expected: Expected, space: &mut [u8]) -> Result<Content, ReadFault> {
    let mut reader = Reader::open(expected)?;
    reader.fill(space)?;
    reader.end()?;
    Ok(reader.content())
}

/// Tells the kernel that a file is read in order and only once. Its pages are dropped before those that Cassandra uses,
/// which they are of the same file, so that they must not be dropped by name.
fn read_once(file: &File) {
    for advice in [
        PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL,
        PosixFadviseAdvice::POSIX_FADV_NOREUSE,
    ] {
        // It is only advice, and some file systems take none.
        let _ = posix_fadvise(file, 0, 0, advice);
    }
}
