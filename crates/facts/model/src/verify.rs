//! Verifying a backup: how deeply, and what was found.

use serde::{Deserialize, Serialize};

use crate::BackupRef;

/// How deeply a backup is verified; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyLevel {
    /// The manifests are read and checked.
    Manifest,
    /// Every object is there with its size.
    Objects,
    /// Every object is read: its hash, and the SSTables' own checksums and structure.
    Sstables,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    pub backup: BackupRef,
    pub level: VerifyLevel,
    /// Whether nothing is damaged or missing.
    pub ok: bool,
    pub objects_checked: u64,
    pub bytes_checked: u64,
    pub sstables_checked: u64,
    pub damage: Vec<Damage>,
}

/// One thing that is damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The host id of the node that the file is from.
    pub node: String,
    pub keyspace: String,
    pub table: String,
    /// What the names of the SSTable's components share; empty for a manifest.
    pub sstable: String,
    pub component: String,
    /// The object's key.
    pub object: String,
    /// What is wrong, for people.
    pub what: String,
    /// Bytes from the start of the component, if the damage has a place.
    pub offset: Option<u64>,
}
