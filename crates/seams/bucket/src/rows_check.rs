//! Decodes all rows of an SSTable beside a download of its Data.db, so that Data.db comes over once.

mod passing;

use std::io;
use std::sync::Arc;

use blob_store::StoreError;
use bytes::Bytes;
use cassandra_formats::source::{Components, ReadAt};
use cassandra_formats::verify::{Report, verify_rows};
use cassandra_formats::{DATA, Error};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sstable::{StoredReadError, StoredSstable};
use passing::PassingData;

/// Pieces of the download that wait for the check. A download that is faster waits in its turn.
const PIECES_WAITING: usize = 4;

/// Other components up to this size, in bytes, are held in memory while the rows are checked.
const HELD_BYTES_MAX: u64 = 8 << 20;

/// The check of one SSTable's rows, its index and its filter, in a thread of its own. It reads the other components from
/// the bucket. If it is dropped, the thread ends with its next read of Data.db.
pub struct RowsCheck {
    /// `None` once the check has ended.
    pieces: Option<mpsc::Sender<Bytes>>,
    thread: JoinHandle<Result<Report, Error>>,
}

impl RowsCheck {
    /// Begins the check. Every byte of Data.db is to be given to [`update`](Self::update).
    pub fn begin(sstable: Arc<StoredSstable>) -> Self {
        let (pieces, receiver) = mpsc::channel(PIECES_WAITING);
        let thread = tokio::task::spawn_blocking(move || {
            let components = Passing::new(&sstable, receiver).map_err(|source| Error::Read {
                component: DATA.into(),
                source,
            })?;
            verify_rows(&components, sstable.descriptor())
        });
        Self {
            pieces: Some(pieces),
            thread,
        }
    }

    /// Takes the next bytes of Data.db.
    pub async fn update(&mut self, piece: Bytes) {
        if let Some(pieces) = &self.pieces
            && pieces.send(piece).await.is_err()
        {
            // The check has found what ends it.
            self.pieces = None;
        }
    }

    /// What was found, after the last byte. Empty if a component ended early or is gone, which its own check reports, and
    /// if the version is not understood.
    pub async fn finish(self) -> Result<Report, StoreError> {
        drop(self.pieces);
        let checked = match self.thread.await {
            Ok(checked) => checked,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime shuts down, and so does whoever waits for this.
                Err(_) => return Ok(Report::default()),
            },
        };
        match checked {
            Ok(report) => Ok(report),
            Err(Error::Read { source, .. } | Error::Write { source, .. }) => store_error(source),
            Err(Error::Damaged(damage)) => Ok(Report {
                damage: vec![damage],
                ..Report::default()
            }),
            Err(error @ Error::Unsupported { .. }) => Ok(Report {
                warnings: vec![error.to_string()],
                ..Report::default()
            }),
        }
    }
}

fn store_error(error: io::Error) -> Result<Report, StoreError> {
    match error.downcast::<StoredReadError>() {
        Ok(StoredReadError::Store(StoreError::NotFound { .. } | StoreError::OutOfRange { .. })) => {
            Ok(Report::default())
        }
        Ok(StoredReadError::Store(error)) => Err(error),
        Ok(StoredReadError::Short { .. } | StoredReadError::Stopped) | Err(_) => {
            Ok(Report::default())
        }
    }
}

/// The components of a stored SSTable, with Data.db as it passes by.
struct Passing<'a> {
    stored: &'a StoredSstable,
    data: Option<Arc<PassingData>>,
}

impl<'a> Passing<'a> {
    fn new(stored: &'a StoredSstable, pieces: mpsc::Receiver<Bytes>) -> io::Result<Self> {
        let data = stored.open(DATA)?;
        Ok(Self {
            stored,
            data: data.map(|data| Arc::new(PassingData::new(data, pieces))),
        })
    }
}

impl Components for Passing<'_> {
    fn names(&self) -> Vec<String> {
        self.stored.names()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        if component != DATA {
            let found = self.stored.open(component)?;
            if self.stored.is_loaded(component) {
                return Ok(found);
            }
            return found.map(held).transpose();
        }
        let data = self.data.clone();
        Ok(data.map(|data| Box::new(data) as Box<dyn ReadAt>))
    }
}

/// Reads a small component at once: a trie is read in pages of 4 KiB, and each would be a request.
fn held(source: Box<dyn ReadAt>) -> io::Result<Box<dyn ReadAt>> {
    if source.len() > HELD_BYTES_MAX {
        return Ok(source);
    }
    let mut bytes = vec![0; source.len() as usize];
    source.read_exact_at(0, &mut bytes)?;
    Ok(Box::new(bytes))
}
