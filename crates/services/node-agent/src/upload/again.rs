//! Reads ranges of a file once more, for a store that sends what it has read before.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use blob_store::{ReadAgain, StoreError, source_error};
use bytes::Bytes;
use cassandra_node::files::{FileError, blocking};
use chassis::work::Work;
use futures::StreamExt;
use futures::stream::try_unfold;

use super::pieces::Pieces;

/// Each range is read with a file of its own, so that several can be read at once.
pub(super) fn again(key: &str, path: PathBuf, pieces: Pieces, work: Work) -> ReadAgain {
    let reading = Arc::new(Again {
        key: key.to_owned(),
        path,
        pieces,
        work,
    });
    Arc::new(move |range| {
        let start = (reading.clone(), None, range);
        try_unfold(start, |(reading, file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let (piece, file) = reading.piece(file, range.clone()).await?;
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
}

impl Again {
    /// The first piece of a range.
    async fn piece(
        &self,
        file: Option<File>,
        range: Range<u64>,
    ) -> Result<(Bytes, File), StoreError> {
        let left = range.end - range.start;
        let buffer = self.pieces.buffer(left, &self.work).await;
        let mut buffer = buffer.map_err(|stopped| source_error(&self.key, stopped))?;
        let path = self.path.clone();
        let read = blocking(move || {
            let file = match file {
                Some(file) => file,
                None => File::open(&path).map_err(FileError::at("open", &path))?,
            };
            let space = buffer.space();
            let len = usize::try_from(left).map_or(space.len(), |left| left.min(space.len()));
            let read = file.read_exact_at(&mut space[..len], range.start);
            read.map_err(FileError::at("read", &path))?;
            Ok::<_, FileError>((buffer.into_bytes(len), file))
        });
        read.await.map_err(|error| source_error(&self.key, error))
    }
}
