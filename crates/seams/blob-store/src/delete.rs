//! Deleting many objects where the store takes them one by one.

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::{BlobStore, StoreError};

/// Deletions at once.
const DELETES_PARALLEL: usize = 16;

pub async fn one_by_one<S: BlobStore + ?Sized>(
    store: &S,
    keys: &[String],
) -> Result<(), StoreError> {
    let deletions: Vec<_> = keys.iter().map(|key| store.delete(key)).collect();
    stream::iter(deletions)
        .buffer_unordered(DELETES_PARALLEL)
        .try_collect()
        .await
}
