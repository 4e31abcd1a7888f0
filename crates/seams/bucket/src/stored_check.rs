//! A check beside a download: it runs where it may block, and reads other components from the bucket.

use std::sync::Arc;

use blob_store::StoreError;
use bytes::Bytes;
use cassandra_formats::Damage;

use crate::off_thread;
use crate::sstable::{StoredReadError, StoredSstable};
use crate::streaming_check::{StreamingCheck, UnreadableComponent};

/// What passes before the check is called: often enough to need little memory, seldom enough to cost nothing.
const PIECE_BYTES: usize = 256 << 10;

/// A [`StreamingCheck`] of a component of a [`StoredSstable`], for a task. An error is the store's; a component that
/// ends early or is missing is no error, because that is found when it is itself checked.
pub struct StoredCheck {
    check: StreamingCheck,
    pieces: Vec<Bytes>,
    bytes: usize,
}

impl StoredCheck {
    /// Reads the small components that are needed beside `component`.
    pub async fn begin(sstable: Arc<StoredSstable>, component: String) -> Result<Self, StoreError> {
        let begin = move || StreamingCheck::begin(&*sstable, sstable.descriptor(), &component);
        let check = match off_thread(begin).await {
            Ok(check) => check,
            Err(error) => {
                store_error(error)?;
                StreamingCheck::default()
            }
        };
        Ok(Self {
            check,
            pieces: Vec::new(),
            bytes: 0,
        })
    }

    /// Takes the next bytes.
    pub async fn update(&mut self, piece: Bytes) -> Result<(), StoreError> {
        if !self.check.is_checking() {
            return Ok(());
        }
        self.bytes += piece.len();
        self.pieces.push(piece);
        if self.bytes >= PIECE_BYTES {
            self.pass(false).await?;
        }
        Ok(())
    }

    /// All damage, after the last byte.
    pub async fn finish(mut self) -> Result<Vec<Damage>, StoreError> {
        self.pass(true).await?;
        Ok(self.check.into_damage())
    }

    /// Passes on what has gathered.
    async fn pass(&mut self, is_last: bool) -> Result<(), StoreError> {
        self.bytes = 0;
        let pieces = std::mem::take(&mut self.pieces);
        let mut check = std::mem::take(&mut self.check);
        let (check, passed) = off_thread(move || {
            let mut pieces = pieces.iter();
            let mut passed = pieces.try_for_each(|piece| check.update(piece));
            if is_last && passed.is_ok() {
                passed = check.finish();
            }
            (check, passed)
        })
        .await;
        self.check = check;
        passed.or_else(store_error)
    }
}

/// The store's own error, and none if the other component ends early or is gone.
fn store_error(error: UnreadableComponent) -> Result<(), StoreError> {
    match error.source.downcast::<StoredReadError>() {
        Ok(StoredReadError::Store(StoreError::NotFound { .. } | StoreError::OutOfRange { .. })) => {
            Ok(())
        }
        Ok(StoredReadError::Store(error)) => Err(error),
        Ok(StoredReadError::Short { .. } | StoredReadError::Stopped) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
