//! The upload of one file under one key, and what came of it.

use std::sync::Arc;

use blob_store::{Put, StoreError};

use super::UploadError;
use super::again::{SecondFault, again};
use super::file::Uploader;
use super::pieces::Way;
use super::read::{self, Content, Expected, ReadFault};

/// What came of uploading a file under one key.
pub(super) enum Uploaded {
    /// The object is this upload's and holds what was read.
    Created(Content),
    /// Another object is there. The content of the file, if the store read it to its end before it noticed.
    Exists(Option<Content>),
    /// The bytes of the file are not to be kept. Nothing was stored.
    Unreadable(ReadFault),
}

impl Uploader {
    /// Uploads a file under one key. Bytes count as progress while they are read, and are taken back at the end: the file
    /// counts once, when it is kept.
    pub(super) async fn put(
        &self,
        key: &str,
        expected: &Expected,
    ) -> Result<Uploaded, UploadError> {
        let counter = Arc::new(self.work.counter());
        let bytes = expected.bytes;
        let way = self.pieces.way(bytes, self.bucket.part_bytes(bytes));
        let pieces = match way {
            Way::Once(size) => self.pieces.with_size(size),
            Way::Twice => self.pieces.set_aside(&self.work).await?,
        };
        let (work, counted, own) = (self.work.clone(), counter.clone(), pieces.clone());
        let (body, mut reading) = read::stream(key, expected.clone(), pieces, work, counted);
        let second = SecondFault::default();
        let put = match way {
            Way::Once(_) => {
                let stored = self.bucket.store_file(key, bytes, body);
                self.work.or_stop(stored).await?
            }
            Way::Twice => {
                let path = expected.path.clone();
                let again = again(key, path, own, self.work.clone(), second.clone());
                let stored = self.bucket.store_file_read_twice(key, bytes, body, again);
                self.work.or_stop(stored).await?
            }
        };
        counter.take_back();
        // Nothing if the stream was not read to its end.
        match (put, reading.try_recv().ok()) {
            // The fault of the stream counts, not what the store makes of it.
            (_, Some(Err(fault))) => Ok(Uploaded::Unreadable(fault)),
            (Err(error), _) => match second.take() {
                Some(fault) => Ok(Uploaded::Unreadable(fault)),
                // Both readings went well, and the bytes differ.
                None if way == Way::Twice && matches!(error, StoreError::Source { .. }) => {
                    Ok(Uploaded::Unreadable(ReadFault::Changed))
                }
                None => Err(error.into()),
            },
            (Ok(Put::Created), Some(Ok(content))) => Ok(Uploaded::Created(content)),
            (Ok(Put::Exists), Some(Ok(content))) => Ok(Uploaded::Exists(Some(content))),
            // What was created from a part of the stream is to be compared like any other object.
            (Ok(Put::Created | Put::Exists), None) => Ok(Uploaded::Exists(None)),
        }
    }
}
