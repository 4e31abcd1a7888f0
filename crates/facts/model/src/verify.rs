//! Verifying a backup: how deeply, and what was found.

use serde::{Deserialize, Serialize};

use crate::BackupRef;

mod sample;

pub use sample::{InvalidSample, Sample, SampleParts, SampleProgress, SampleRead};

/// How deep a verification goes; each level includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyLevel {
    /// Manifests are whole, and every object that they name exists with its size.
    Manifest,
    /// Every object is read and its BLAKE3 compared.
    Objects,
    /// Every SSTable is checked by its own checksums and structure, and all its rows by their order.
    Sstables,
}

impl VerifyLevel {
    /// From the least deep one on.
    pub const ALL: [Self; 3] = [Self::Manifest, Self::Objects, Self::Sstables];

    /// Its name in documents and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Objects => "objects",
            Self::Sstables => "sstables",
        }
    }
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
    /// What the level asks for and was not checked, sorted by reason.
    #[serde(default)]
    pub not_checked: Vec<NotChecked>,
    /// The part that was read; none: all of it. Manifests are checked, and objects listed, of the whole in any case.
    #[serde(default)]
    pub sample: Option<SampleRead>,
}

/// SSTables of which a part was not checked. That is no damage, and no proof that there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotChecked {
    /// What was not checked and why, for people.
    pub reason: String,
    /// How many SSTables, on all nodes together.
    pub sstables: u64,
}

/// One thing that is damaged or missing. Texts that do not apply are empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// Bytes from the start of the component, if the damage has a place.
    pub offset: Option<u64>,
    /// What is wrong, for people.
    pub what: String,
}
