//! Documents of which several may be there and the newest counts: their names are `NUMBER-UUID.json`, and the number of each
//! is one above the highest that was there.

use blob_store::Meta;

use crate::catalog::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// The documents under a prefix with their numbers, in the order of their keys.
    pub async fn numbered(&self, prefix: &str) -> Result<Vec<(u32, Meta)>, CatalogError> {
        let number_of = |key: &str| number(key.strip_prefix(prefix)?.split_once('-')?.0, 8);
        let documents = self.metas(prefix).await?.into_iter();
        Ok(documents
            .filter_map(|meta| Some((number_of(&meta.key)?, meta)))
            .collect())
    }
}

/// The number that a part of a key has with exactly so many digits.
pub fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The highest number of some documents; 0 without any.
pub fn highest(documents: &[(u32, Meta)]) -> u32 {
    let numbers = documents.iter().map(|(number, _)| *number);
    numbers.max().unwrap_or(0)
}
