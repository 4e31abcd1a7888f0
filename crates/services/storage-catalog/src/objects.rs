//! Compares what manifests say of objects with what the bucket says.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;
use model::manifest::NodeManifest;

use crate::catalog::Catalog;
use crate::error::CatalogError;

/// An object that is not as a manifest says.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub key: String,
    pub expected: u64,
    /// `None`: it is not there.
    pub found: Option<u64>,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.found {
            None => f.write_str("the object is missing"),
            Some(found) => write!(
                f,
                "the object has {found} bytes where {} are expected",
                self.expected
            ),
        }
    }
}

impl Catalog {
    /// The objects of a node manifest that are missing or have another size. Lists the folders that the objects lie in
    /// instead of asking for each: one request for a thousand objects.
    pub async fn wrong_objects(&self, manifest: &NodeManifest) -> Result<Vec<Wrong>, CatalogError> {
        let mut expected: HashMap<&str, u64> = HashMap::new();
        for file in manifest.tables.iter().flat_map(|table| &table.files) {
            expected.insert(&file.object, file.bytes);
        }
        let folders: BTreeSet<&str> = expected.keys().map(|key| node_folder(key)).collect();
        let mut wrong = Vec::new();
        for folder in folders {
            let mut objects = self.store.list(folder);
            let listing = CatalogError::store("list the bucket");
            let next = async {
                while let Some(object) = objects.try_next().await? {
                    match expected.remove(object.key.as_str()) {
                        Some(bytes) if bytes != object.size => wrong.push(Wrong {
                            key: object.key,
                            expected: bytes,
                            found: Some(object.size),
                        }),
                        _ => {}
                    }
                }
                Ok(())
            };
            next.await.map_err(listing)?;
        }
        let missing = expected.into_iter().map(|(key, expected)| Wrong {
            key: key.to_owned(),
            expected,
            found: None,
        });
        wrong.extend(missing);
        wrong.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(wrong)
    }
}

/// `ringkeep/1/data/<cluster>/<backup>/<node>/` of an object's key; less where the key is shorter.
fn node_folder(key: &str) -> &str {
    const SEGMENTS: usize = 6;
    match key.match_indices('/').nth(SEGMENTS - 1) {
        Some((at, _)) => &key[..=at],
        None => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_folder_is_that_of_one_node() {
        let key = "ringkeep/1/data/c/b/node/ks/t-1/f";
        assert_eq!(node_folder(key), "ringkeep/1/data/c/b/node/");
        assert_eq!(node_folder("short/key"), "short/key");
    }
}
