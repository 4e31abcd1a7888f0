//! What a plan needs to know of an SSTable, read from its own small components when it was backed up.

use serde::{Deserialize, Serialize};

/// Facts of one SSTable of a table, its secondary indexes left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SstableFacts {
    /// What the names of its components share, for example `nb-12-big`.
    pub name: String,
    /// All its components.
    pub bytes: u64,
    /// Of its first and last partition, as Cassandra writes tokens; absent if the SSTable is encrypted or
    /// damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_token: Option<String>,
    /// The partitioner's simple class name if it is not that of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioner: Option<String>,
    /// Cells and rows that would expire after the snapshot, by when; ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expiring: Vec<Expiring>,
    /// All cells, as the SSTable estimates them: what [`expiring`](Self::expiring) is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Features that not every release reads correctly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
}

/// Cells that expire at about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiring {
    /// Seconds since 1970.
    pub at_seconds: u64,
    pub cells: u64,
}

/// How an SSTable is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Encryption {
    /// The compressor's simple class name, for example `EncryptingLZ4Compressor`.
    pub compressor: String,
    /// The name of the system key; empty if the SSTable does not name it.
    pub key: String,
}

/// A thing in an SSTable that some releases read wrong or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// A part of a larger SSTable that DSE streamed without copying: its index names more than is there.
    ZeroCopySlice,
    /// Columns of tuple types, which DSE before 6.8.36 writes in a way that later releases lose.
    Tuples,
    /// Counters with shards of before 2.1.
    LegacyCounterShards,
    /// The serialization header has a user-defined type that is not frozen where the schema of 3.0 had it frozen.
    UnfrozenType,
}

/// A system key that encrypted tables need, known by its content and never by its content alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyFingerprint {
    /// The file's name below the system key directory.
    pub name: String,
    /// Hex; absent if the key is not on the node or cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// The fingerprint of a system key's file. Salted by the backup, so that keys of little strength cannot be looked up in a
/// table made once for all backups; cut, because it is compared and nothing else.
pub fn key_fingerprint(backup: &crate::BackupRef, content: &[u8]) -> String {
    const BYTES: usize = 16;
    let salt = blake3::derive_key(
        "ringkeep system key fingerprint v1",
        backup.to_string().as_bytes(),
    );
    let mut hash = blake3::keyed_hash(&salt, content).to_hex().to_string();
    hash.truncate(2 * BYTES);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_keys_and_backups_apart() {
        let backup = |name: &str| crate::BackupRef {
            cluster: "prod".parse().expect("a name"),
            name: name.parse().expect("a name"),
        };
        let one = key_fingerprint(&backup("a"), b"AES/CBC/PKCS5Padding:128:key");
        assert_eq!(one.len(), 32);
        assert_eq!(
            one,
            key_fingerprint(&backup("a"), b"AES/CBC/PKCS5Padding:128:key")
        );
        assert_ne!(
            one,
            key_fingerprint(&backup("b"), b"AES/CBC/PKCS5Padding:128:key")
        );
        assert_ne!(
            one,
            key_fingerprint(&backup("a"), b"AES/CBC/PKCS5Padding:128:yek")
        );
    }

    #[test]
    fn facts_that_are_not_known_take_no_room() {
        let facts = SstableFacts {
            name: "nb-1-big".into(),
            bytes: 5,
            ..SstableFacts::default()
        };
        let text = serde_json::to_string(&facts).expect("text");
        assert_eq!(text, r#"{"name":"nb-1-big","bytes":5}"#);
    }
}
