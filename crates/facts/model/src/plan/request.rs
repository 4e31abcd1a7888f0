//! What the plan of a restore depends on.

use std::collections::BTreeMap;

use crate::manifest::{BackupManifest, KeyFingerprint, NodeSstables, VerificationResult};
use crate::{ClusterName, Damage, NodeDescription, Schema, Selection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Rename, RestoreMode, UnreachableAgent};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestedMode {
    /// The planner picks: online.
    #[default]
    Auto,
    Online,
    InPlace,
}

/// How a restore is done: everything that a user may choose besides the backup and the target.
///
/// The task-runner keeps it with the plans that it has shown, so a field keeps its name, and one that is missing there has
/// its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreOptions {
    /// Which tables are restored.
    pub selection: Selection,
    /// With Cassandra running or stopped.
    pub mode: RequestedMode,
    /// Lifts VERSION_PAIR_UNSUPPORTED, never a downgrade, never an unreadable format.
    pub allow_unlisted_version: bool,
    /// Which datacenter of the target is fed by which of the backup, source first; several targets of one source are
    /// separated by commas. Empty: those of the same name.
    pub datacenters: BTreeMap<String, String>,
    /// Which replicas the backup may lack.
    pub completeness: Completeness,
    /// Does what the plan would only offer to make the backup's schema fit the target.
    pub rewrite_schema: bool,
    /// Replaces live data without having tried the restore in a scratch keyspace.
    pub skip_trial: bool,
    /// What gets another name on the target. If there are any, nothing else is restored.
    pub renames: Vec<Rename>,
}

/// Everything that the plan of a restore depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreRequest {
    pub backup: BackupManifest,
    pub target: ClusterName,
    /// One for each agent of the target that replied.
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
    /// The target's schema now.
    pub schema: Schema,
    pub options: RestoreOptions,
    /// What is known of the backup's SSTables; a node that is missing here, or a table without SSTables that has bytes, is
    /// taken as far as the backup manifest's figures go.
    pub sstables: Vec<NodeSstables>,
    /// The fingerprints of the keys that the backup's tables need, as the target's nodes have them.
    pub target_keys: Vec<NodeKeys>,
    /// The newest verification of the backup at each level.
    pub verifications: Vec<VerificationResult>,
    /// What the backup names and the bucket lacks, or has with another size; none: that was not looked for.
    pub missing: Option<Vec<Damage>>,
    /// When the plan is made.
    pub now: Timestamp,
    pub rates: Rates,
}

/// Which replicas a restore may do without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// None: every replica that the ring had is in the backup.
    #[default]
    All,
    /// Less than half of them: what was written at QUORUM is there.
    Quorum,
    /// All but one of each range: something is there of everything.
    One,
    /// Whatever is missing.
    Any,
}

/// The system keys on one node of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKeys {
    /// The node's address.
    pub node: String,
    pub keys: Vec<KeyFingerprint>,
}

/// How fast a node's share of a restore goes, for estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pub download_bytes_per_second: u64,
    pub load_bytes_per_second: u64,
    pub upgrade_bytes_per_second: u64,
}

impl Default for Rates {
    /// What one node of common size does without a limit of its own.
    fn default() -> Self {
        Self {
            download_bytes_per_second: 200 << 20,
            load_bytes_per_second: 500 << 20,
            upgrade_bytes_per_second: 40 << 20,
        }
    }
}

impl RequestedMode {
    /// What is planned for it.
    pub fn decided(self) -> RestoreMode {
        match self {
            Self::Auto | Self::Online => RestoreMode::Online,
            Self::InPlace => RestoreMode::InPlace,
        }
    }
}
