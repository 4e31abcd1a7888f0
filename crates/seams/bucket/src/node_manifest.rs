//! Node manifests: read, and checked for the node they belong to and for names that lead out of their place.
//!
//! Names become parts of paths on the nodes, and objects are fetched by their keys. Anyone who can write to the bucket
//! can write a manifest, so every reader checks it, before anything else is done with it.

use std::collections::HashSet;

use blob_store::StoreError;
use model::manifest::{NodeManifest, StoredFile, TableFiles};
use model::{BackupName, BackupRef, HostId};
use serde::Deserialize;

use crate::document::Read;
use crate::envelope::{DocumentError, FORMAT, FORMAT_BEFORE_PACKS};
use crate::error::BucketError;
use crate::{Bucket, keys};

/// File systems allow no longer names.
const NAME_LEN_MAX: usize = 255;
/// How much of a name an error shows.
const SHOWN_CHARS_MAX: usize = 120;
const BLAKE3_HEX_LEN: usize = 64;

/// The nodes of a backup as its backup manifest names them; the rest of it is not kept in memory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommittedNodes {
    /// The backup.
    pub backup: BackupRef,
    /// One for each node.
    pub nodes: Vec<CommittedNode>,
}

/// One node of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommittedNode {
    /// Cassandra's id of the node.
    pub host_id: HostId,
    /// Hex BLAKE3 of the body of its node manifest.
    pub blake3: String,
}

impl Bucket {
    /// Reads the manifest of one node of a backup; `None` if there is none.
    pub async fn node_manifest(
        &self,
        backup: &BackupRef,
        node: &HostId,
    ) -> Result<Option<Read<NodeManifest>>, BucketError> {
        self.read(&keys::node_manifest(backup, node)).await
    }

    /// Reads the manifest of one node, and refuses any other than the one whose body has this hash.
    pub async fn node_manifest_of_hash(
        &self,
        backup: &BackupRef,
        node: &HostId,
        blake3: &str,
    ) -> Result<Option<NodeManifest>, BucketError> {
        match self.node_manifest(backup, node).await? {
            Some(read) if read.blake3 != blake3 => Err(BucketError::Document {
                key: keys::node_manifest(backup, node),
                source: DocumentError::Exchanged {
                    expected: blake3.to_owned(),
                    found: read.blake3,
                },
            }),
            read => Ok(read.map(|read| read.document)),
        }
    }

    /// Reads the very manifest of one node that was committed with a backup; `None` if the node is not in the backup. A
    /// backup that was not committed is an error.
    pub async fn committed_node_manifest(
        &self,
        backup: &BackupRef,
        node: &HostId,
    ) -> Result<Option<NodeManifest>, BucketError> {
        let key = keys::backup_manifest(backup);
        let Some(committed) = self.read::<CommittedNodes>(&key).await? else {
            let store = self.store.describe();
            return Err(StoreError::NotFound { key, store }.into());
        };
        let mut nodes = committed.document.nodes.into_iter();
        match nodes.find(|committed| committed.host_id == *node) {
            Some(committed) => {
                self.node_manifest_of_hash(backup, node, &committed.blake3)
                    .await
            }
            None => Ok(None),
        }
    }
}

/// Refuses a manifest that belongs under another key than `key`, and one with a name or an object key that could lead
/// out of its folder or into another backup.
pub fn check(manifest: &NodeManifest, key: &str) -> Result<(), DocumentError> {
    let own = keys::node_manifest(&manifest.backup, &manifest.member.host_id);
    if own != key {
        return Err(DocumentError::Misplaced { own });
    }
    let data = Data::of(manifest);
    let mut ids = HashSet::new();
    for table in &manifest.tables {
        let complaint = if ids.insert(table.id) {
            table_complaint(table, &data)
        } else {
            Some("its id is that of another table".to_owned())
        };
        if let Some(what) = complaint {
            let (keyspace, name) = (shown(&table.keyspace), shown(&table.table));
            return Err(DocumentError::Content {
                what: format!("table {keyspace}.{name}: {what}"),
            });
        }
    }
    match packs_complaint(manifest) {
        None => Ok(()),
        Some(what) => Err(DocumentError::Content { what }),
    }
}

/// The lowest form that can hold it.
pub(crate) fn format(manifest: &NodeManifest) -> u32 {
    if manifest.files().any(|file| file.offset.is_some()) {
        FORMAT
    } else {
        FORMAT_BEFORE_PACKS
    }
}

/// Files of a pack lie side by side, and no pack is also a file. Bytes that are two files' would be read as often as a
/// manifest names them.
fn packs_complaint(manifest: &NodeManifest) -> Option<String> {
    let packed = manifest
        .files()
        .filter_map(|file| Some((file.object.as_str(), file.place()?)));
    let mut packed: Vec<_> = packed.collect();
    packed.sort_by(|a, b| (a.0, a.1.start, a.1.end).cmp(&(b.0, b.1.start, b.1.end)));
    let overlapping = packed.windows(2).find(|pair| {
        let [(object, place), (next_object, next)] = pair else {
            return false;
        };
        object == next_object && next.start < place.end
    });
    if let Some(pair) = overlapping {
        return Some(format!("files overlap in the pack {}", shown(pair[0].0)));
    }
    let packs: HashSet<&str> = packed.into_iter().map(|(object, _)| object).collect();
    let mut whole = manifest.files().filter(|file| file.offset.is_none());
    let both = whole.find(|file| packs.contains(file.object.as_str()))?;
    Some(format!("the pack {} is also a file", shown(&both.object)))
}

/// Where the objects of a backup may be: among its own, or among those of its base.
struct Data<'a> {
    own: String,
    base: Option<(&'a BackupName, String)>,
}

impl<'a> Data<'a> {
    fn of(manifest: &'a NodeManifest) -> Self {
        let base = manifest.base.as_ref().map(|name| {
            let base = BackupRef {
                cluster: manifest.backup.cluster.clone(),
                name: name.clone(),
            };
            (name, keys::data(&base))
        });
        Self {
            own: keys::data(&manifest.backup),
            base,
        }
    }

    /// The rule that deletion is decided from: an object is the backup's own or its base's, and lies where it belongs.
    fn complaint(&self, file: &StoredFile) -> Option<&'static str> {
        let prefix = match (&file.from, &self.base) {
            (None, _) => &self.own,
            (Some(from), Some((base, prefix))) if from == *base => prefix,
            (Some(_), _) => return Some("it refers to a backup that is not the base"),
        };
        let Some(rest) = file.object.strip_prefix(prefix.as_str()) else {
            return Some("its object does not lie where the backup's objects lie");
        };
        let leads_out = |segment: &str| matches!(segment, "" | "." | "..");
        rest.split('/')
            .any(leads_out)
            .then_some("its object's key has an empty segment, `.` or `..`")
    }
}

fn table_complaint(table: &TableFiles, data: &Data<'_>) -> Option<String> {
    if !is_name(&table.keyspace) || !is_name(&table.table) {
        return Some("its keyspace or its name is not one".to_owned());
    }
    let mut names = HashSet::new();
    table.files.iter().find_map(|file| {
        let what = if names.insert((file.index.as_deref(), file.name.as_str())) {
            file_complaint(file, data)
        } else {
            Some("it is named twice")
        };
        what.map(|what| format!("file {}: {what}", shown(&file.name)))
    })
}

fn file_complaint(file: &StoredFile, data: &Data<'_>) -> Option<&'static str> {
    if !is_file_name(&file.name) {
        return Some("its name is not that of a file of an SSTable");
    }
    if file.index.as_deref().is_some_and(|index| !is_name(index)) {
        return Some("the name of its index is not one");
    }
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if file.blake3.len() != BLAKE3_HEX_LEN || !file.blake3.bytes().all(is_hex) {
        return Some("its hash is not one");
    }
    if file
        .offset
        .is_some_and(|at| at.checked_add(file.bytes).is_none())
    {
        return Some("it reaches beyond the end of any object");
    }
    data.complaint(file)
}

/// Of a keyspace, a table or an index. Cassandra allows letters, digits and `_`.
fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// What the names of all components are made of; the agent reads the parts.
fn is_file_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+');
    (1..=NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('.')
        && !name.contains("..")
}

/// In quotes, shortened, and without characters that a terminal would obey.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    format!("`{}`", short.escape_debug())
}

#[cfg(test)]
mod tests;
