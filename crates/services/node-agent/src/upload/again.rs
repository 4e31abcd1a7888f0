//! Reads ranges of a file once more, for a store that sends what it has read before.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use blob_store::{ReadAgain, StoreError, source_error};
use bytes::Bytes;
use cassandra_node::files::{FileError, blocking};
use chassis::work::Work;
use futures::StreamExt;
use futures::stream::try_unfold;

use super::pieces::Pieces;
use super::read::ReadFault;

/// Why the second reading failed, which the store passes on as words at best.
#[derive(Debug, Clone, Default)]
pub(super) struct SecondFault(Arc<Mutex<Option<ReadFault>>>);

impl SecondFault {
    pub fn take(&self) -> Option<ReadFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, key: &str, fault: ReadFault) -> StoreError {
        let error = source_error(key, fault.to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        error
    }
}

/// Each range is read with a file of its own, so that several can be read at once.
pub(super) fn again(
    key: &str,
    path: PathBuf,
    pieces: Pieces,
    work: Work,
    fault: SecondFault,
) -> ReadAgain {
    let reading = Arc::new(Again {
        key: key.to_owned(),
        path,
        pieces,
        work,
        fault,
    });
    Arc::new(move |range| {
        let start = (reading.clone(), None, range);
        try_unfold(start, |(reading, file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let read = reading.piece(file, range.clone()).await;
            let (piece, file) = read.map_err(|fault| reading.fault.set(&reading.key, fault))?;
            let rest = range.start + piece.len() as u64..range.end;
            Ok(Some((piece, (reading, Some(file), rest))))
        })
        .boxed()
    })
}

struct Again {
    key: String,
    path: PathBuf,
    pieces: Pieces,
    work: Work,
    fault: SecondFault,
}

impl Again {
    /// The first piece of a range.
    async fn piece(
        &self,
        file: Option<File>,
        range: Range<u64>,
    ) -> Result<(Bytes, File), ReadFault> {
        let left = range.end - range.start;
        let mut buffer = self.pieces.buffer(left, &self.work).await?;
        let path = self.path.clone();
        blocking(move || {
            let file = match file {
                Some(file) => file,
                None => File::open(&path).map_err(FileError::at("open", &path))?,
            };
            let space = buffer.space();
            let len = usize::try_from(left).map_or(space.len(), |left| left.min(space.len()));
            match file.read_exact_at(&mut space[..len], range.start) {
                Ok(()) => Ok((buffer.into_bytes(len), file)),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(ReadFault::Changed),
                Err(error) => Err(FileError::at("read", &path)(error).into()),
            }
        })
        .await
    }
}
