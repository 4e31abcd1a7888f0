//! Parts of packs, read once while their files are compared.

use blob_store::{ByteStream, StoreError};
use bucket::{LoadedPart, PackPart, RunLimits};
use futures::stream::{self, StreamExt};
use model::manifest::StoredFile;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// Of a pack that is held in memory while its files are compared, and read once. A larger file is compared while it comes.
pub const RUN_LIMITS: RunLimits = RunLimits {
    bytes_max: 16 << 20,
    files_max: 4096,
};
/// Parts of packs that are in memory at once, over all nodes.
pub const PARTS_PARALLEL: usize = 4;

impl Catalog {
    /// Reads a part of a pack; none if it is not there as a whole, which is found out for each of its files.
    pub async fn load_part(&self, part: &PackPart) -> Result<Option<LoadedPart>, CatalogError> {
        match self.bucket.load_part(part).await {
            Ok(loaded) => Ok(Some(loaded)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(StoreError::OutOfRange { .. }) => Ok(None),
            Err(source) => Err(CatalogError::Store {
                doing: "read a pack",
                source,
            }),
        }
    }

    /// The bytes of a file: from memory, if its part of a pack is there.
    pub async fn body(
        &self,
        file: &StoredFile,
        loaded: Option<&LoadedPart>,
    ) -> Result<ByteStream, StoreError> {
        match loaded.and_then(|part| part.file(file)) {
            Some(bytes) => Ok(stream::iter([Ok(bytes)]).boxed()),
            None => self.bucket.open(file, None).await,
        }
    }
}
