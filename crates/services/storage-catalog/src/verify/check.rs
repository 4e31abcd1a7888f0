//! The check of a component whose bytes pass by, where it may block: it reads other components from the bucket.

use std::io;
use std::sync::Arc;

use blob_store::StoreError;
use bytes::Bytes;
use cassandra_formats::verify::ComponentCheck;
use cassandra_formats::{Damage, Error};

use super::stored::StoredSstable;
use crate::error::CatalogError;

/// What passes before the check is called: often enough to need little memory, seldom enough to cost nothing.
const PIECE_BYTES: usize = 256 << 10;

/// The check of one component. What is not understood (an unknown version, encryption) passes unchecked.
pub struct PassingCheck {
    check: Option<Box<ComponentCheck>>,
    pieces: Vec<Bytes>,
    bytes: usize,
    damage: Vec<Damage>,
}

impl PassingCheck {
    pub async fn begin(
        sstable: Arc<StoredSstable>,
        component: String,
    ) -> Result<Self, CatalogError> {
        let mut check = Self {
            check: None,
            pieces: Vec::new(),
            bytes: 0,
            damage: Vec::new(),
        };
        let begin =
            move || ComponentCheck::begin(&*sstable, &sstable.descriptor, &component).map(Box::new);
        check.check = check.take(blocking(begin).await)?;
        Ok(check)
    }

    pub async fn update(&mut self, piece: Bytes) -> Result<(), CatalogError> {
        if self.check.is_none() {
            return Ok(());
        }
        self.bytes += piece.len();
        self.pieces.push(piece);
        match self.bytes >= PIECE_BYTES {
            true => self.pass().await,
            false => Ok(()),
        }
    }

    async fn pass(&mut self) -> Result<(), CatalogError> {
        self.bytes = 0;
        let pieces = std::mem::take(&mut self.pieces);
        let Some(mut check) = self.check.take() else {
            return Ok(());
        };
        let update = move || {
            for piece in pieces {
                check.update(&piece)?;
            }
            Ok(check)
        };
        let updated = blocking(update).await;
        self.check = self.take(updated)?;
        Ok(())
    }

    /// All damage, after the last byte.
    pub async fn finish(mut self) -> Result<Vec<Damage>, CatalogError> {
        self.pass().await?;
        if let Some(check) = self.check.take() {
            let finished = blocking(move || check.finish()).await;
            let found = self.take(finished)?;
            self.damage.extend(found.unwrap_or_default());
        }
        Ok(self.damage)
    }

    fn take<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, CatalogError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                self.damage.push(damage);
                Ok(None)
            }
            Err(Error::Unsupported { .. }) => Ok(None),
            Err(Error::Read { source, .. } | Error::Write { source, .. }) => store_error(source)
                .map_or(Ok(None), |source| {
                    let doing = "read a component";
                    Err(CatalogError::Store { doing, source })
                }),
        }
    }
}

/// The store's own error. None where the other component ends early or has gone: that is found where it is itself read.
fn store_error(error: io::Error) -> Option<StoreError> {
    let error = error.downcast::<StoreError>().ok()?;
    match error {
        StoreError::NotFound { .. } | StoreError::OutOfRange { .. } => None,
        error => Some(error),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
