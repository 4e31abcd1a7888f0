//! Reads a file once: bytes out for the upload, hashed and checked as they pass.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use blob_store::{ByteStream, StoreError, source_error};
use bytes::Bytes;
use cassandra_formats::Damage;
use cassandra_node::files::{FileError, blocking};
use cassandra_node::sstables::source_file;
use chassis::work::{Counter, Stopped, Work};
use futures::StreamExt;
use model::manifest::SourceFile;

use super::check::{Check, Checked};

/// Why the bytes of a file are not to be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadFault {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the file changed while it was read")]
    Changed,
    /// Only where it is not to be kept.
    #[error("it is damaged")]
    Damaged(Vec<Damage>),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What the file was when it was looked at; what is read must be that.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub path: PathBuf,
    pub bytes: u64,
    pub source: SourceFile,
    pub checked: Checked,
    /// Whether damage is told of at the end and does not stop the reading.
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
    check: Check,
    bytes: u64,
    /// As found at the end.
    damage: Vec<Damage>,
}

impl Reader {
    fn open(expected: Expected, buffer_bytes: usize) -> Result<Self, ReadFault> {
        let path = &expected.path;
        let file = File::open(path).map_err(FileError::at("open", path))?;
        Ok(Self {
            file,
            buffer_bytes,
            blake3: blake3::Hasher::new(),
            check: Check::begin(&expected.checked)?,
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
        match piece.is_empty() {
            true => self.end()?,
            false => self.check.update(&piece)?,
        }
        Ok(piece.into())
    }

    /// A file that has changed is not damaged: what was read is of two files.
    fn end(&mut self) -> Result<(), ReadFault> {
        let path = &self.expected.path;
        let now = self
            .file
            .metadata()
            .map_err(FileError::at("look at", path))?;
        let same = source_file(&now) == self.expected.source && now.len() == self.expected.bytes;
        if !same || self.bytes != self.expected.bytes {
            return Err(ReadFault::Changed);
        }
        let damage = self.check.finish()?;
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

/// What came of a read: the content's hash, or why there is none.
type Outcome = Arc<Mutex<Option<Result<Content, ReadFault>>>>;

/// The result of reading a file as a stream, to be asked when the stream has ended.
pub(super) struct Reading {
    outcome: Outcome,
}

impl Reading {
    /// Nothing where the stream was not read to its end.
    pub fn outcome(&self) -> Option<Result<Content, ReadFault>> {
        self.outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// The file as a stream that ends with an error when what was read is not to be kept. Each piece counts as progress.
pub(super) fn stream(
    key: &str,
    expected: Expected,
    buffer_bytes: usize,
    work: Work,
    counter: Arc<Counter>,
) -> (ByteStream, Reading) {
    let outcome = Outcome::default();
    let reading = Reading {
        outcome: outcome.clone(),
    };
    let key = key.to_owned();
    let first = Some(Step::Open(expected, buffer_bytes));
    let pieces = futures::stream::unfold(first, move |step| {
        let (outcome, work, key) = (outcome.clone(), work.clone(), key.clone());
        let counter = counter.clone();
        async move {
            let result = advance(step?, &work).await;
            let settle = |end| {
                *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
            };
            match result {
                Ok((piece, reader)) if piece.is_empty() => {
                    settle(Ok(reader.content()));
                    None
                }
                Ok((piece, reader)) => {
                    counter.add_bytes(piece.len() as u64);
                    Some((Ok(piece), Some(Step::Read(reader))))
                }
                Err(fault) => {
                    let told: StoreError = source_error(&key, fault.to_string());
                    settle(Err(fault));
                    Some((Err(told), None))
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
