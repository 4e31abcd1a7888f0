//! Whether a node manifest can be believed: whose it is, and whether its names stay where they belong.
//!
//! Names become parts of paths on the nodes, and objects are fetched by their keys. Whoever can write to the bucket can
//! write a manifest, so every reader checks it, before anything else is done with it.

use std::collections::HashSet;

use super::{DocumentError, DocumentKind, NodeManifest, StoredFile, TableFiles, open};
use crate::{BackupName, BackupRef, layout};

/// File systems allow no longer names.
const NAME_LEN_MAX: usize = 255;
/// How much of a name an error shows.
const SHOWN_CHARS_MAX: usize = 120;
const BLAKE3_HEX_LEN: usize = 64;

/// Unwraps the node manifest that lies under `key` and checks it; returns it with its body's hash.
pub fn open_node(key: &str, sealed: &[u8]) -> Result<(NodeManifest, String), DocumentError> {
    let (manifest, blake3) = open::<NodeManifest>(DocumentKind::NodeManifest, sealed)?;
    manifest.check(key)?;
    Ok((manifest, blake3))
}

impl NodeManifest {
    /// Refuses a manifest that belongs under another key than `key`, and one with a name or an object key that could lead
    /// out of its folder or into another backup.
    pub fn check(&self, key: &str) -> Result<(), DocumentError> {
        let own = layout::node_manifest(&self.backup, &self.member.host_id);
        if own != key {
            return Err(DocumentError::Misplaced { own });
        }
        let data = Data::of(self);
        let mut ids = HashSet::new();
        for table in &self.tables {
            let complaint = match ids.insert(table.id) {
                true => table_complaint(table, &data),
                false => Some("its id is that of another table".to_owned()),
            };
            if let Some(what) = complaint {
                let (keyspace, name) = (shown(&table.keyspace), shown(&table.table));
                return Err(DocumentError::Content {
                    what: format!("table {keyspace}.{name}: {what}"),
                });
            }
        }
        Ok(())
    }
}

/// Where the objects of a backup may lie: among its own, or among those of its base.
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
            (name, layout::data(&base))
        });
        Self {
            own: layout::data(&manifest.backup),
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
        let what = match names.insert((file.index.as_deref(), file.name.as_str())) {
            true => file_complaint(file, data),
            false => Some("it is named twice"),
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
