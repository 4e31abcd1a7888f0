//! Compares the files of a node manifest with what a listing of the bucket says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use blob_store::StoreError;
use futures::TryStreamExt;
use model::manifest::{NodeManifest, StoredFile};

use crate::Bucket;

/// A stored file that is missing or has another size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongFile {
    /// The size that the manifest gives, in bytes; of a pack the end of its last file.
    pub expected: u64,
    /// The size that the listing gives; `None` if the file is missing.
    pub found: Option<u64>,
    /// Whether it is a pack, of which there may be more than the manifest names.
    pub is_pack: bool,
}

impl WrongFile {
    /// What is wrong with an object of this size, if anything is.
    fn of(expected: Expected, found: Option<u64>) -> Option<Self> {
        let is_right = match (expected, found) {
            (_, None) => false,
            (Expected::Whole(bytes), Some(found)) => found == bytes,
            (Expected::Pack(end), Some(found)) => found >= end,
        };
        (!is_right).then_some(Self {
            expected: match expected {
                Expected::Whole(bytes) | Expected::Pack(bytes) => bytes,
            },
            found,
            is_pack: matches!(expected, Expected::Pack(_)),
        })
    }
}

/// What a manifest says of the size of an object.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Whole(u64),
    /// At least so much.
    Pack(u64),
}

impl fmt::Display for WrongFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            None => f.write_str("the object is missing"),
            Some(found) if self.is_pack => write!(
                f,
                "the pack has {found} bytes where at least {} are expected",
                self.expected
            ),
            Some(found) => write!(
                f,
                "the object has {found} bytes where {} are expected",
                self.expected
            ),
        }
    }
}

/// The files of a node manifest that are not as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrongFiles {
    by_object: BTreeMap<String, WrongFile>,
}

impl WrongFiles {
    /// What is wrong with a file of the manifest; `None` if nothing is known to be.
    pub fn of(&self, file: &StoredFile) -> Option<&WrongFile> {
        let wrong = self.by_object.get(&file.object)?;
        // Of a pack that was cut off, the files in front are there.
        let is_there = match (file.place(), wrong.found) {
            (Some(place), Some(found)) => place.end <= found,
            _ => false,
        };
        (!is_there).then_some(wrong)
    }

    /// Whether every file is there with its size.
    pub fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }

    /// All of them, each with the key of its object, in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &WrongFile)> {
        let all = self.by_object.iter();
        all.map(|(object, wrong)| (object.as_str(), wrong))
    }
}

impl Bucket {
    /// The files of a node manifest that are missing or have another size. Lists the folders that they are in instead of
    /// asking for each: one request for a thousand files.
    pub async fn wrong_files(&self, manifest: &NodeManifest) -> Result<WrongFiles, StoreError> {
        let mut expected: HashMap<&str, Expected> = HashMap::new();
        for file in manifest.files() {
            let of_file = match file.place() {
                None => Expected::Whole(file.bytes),
                Some(place) => match expected.get(file.object.as_str()) {
                    Some(Expected::Pack(end)) => Expected::Pack(place.end.max(*end)),
                    _ => Expected::Pack(place.end),
                },
            };
            expected.insert(&file.object, of_file);
        }
        let folders: BTreeSet<&str> = expected.keys().map(|key| node_folder(key)).collect();
        let mut wrong = WrongFiles::default();
        for folder in folders {
            let mut objects = self.store.list(folder);
            while let Some(object) = objects.try_next().await? {
                let expected = expected.remove(object.key.as_str());
                let file = expected.and_then(|of| WrongFile::of(of, Some(object.size)));
                if let Some(file) = file {
                    wrong.by_object.insert(object.key, file);
                }
            }
        }
        for (object, expected) in expected {
            if let Some(file) = WrongFile::of(expected, None) {
                wrong.by_object.insert(object.to_owned(), file);
            }
        }
        Ok(wrong)
    }
}

/// `ringkeep/1/data/<cluster>/<backup>/<node>/` of an object's key; all of the key if it is shorter.
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
