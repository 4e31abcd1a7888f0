//! The plan of a backup, and what it depends on.

use serde::{Deserialize, Serialize};

use crate::manifest::BackupKind;
use crate::{BackupRef, Finding, NodeDescription, Selection, TableRef};

/// Everything that the plan of a backup depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupRequest {
    pub backup: BackupRef,
    /// Both kinds take the same tables; what a base holds of them is seen file by file, later.
    pub kind: BackupKind,
    /// One for each agent of the cluster that replied.
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
    pub selection: Selection,
}

/// A backup, decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// False when any finding is a refusal.
    pub supported: bool,
    pub findings: Vec<Finding>,
    /// The tables and views that the selection means, by keyspace and name.
    pub tables: Vec<TableRef>,
}

/// Whether a backup of one release restores into another, by the releases alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compatibility {
    pub supported: bool,
    pub findings: Vec<Finding>,
}

/// An agent of the cluster that did not reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreachableAgent {
    /// host:port.
    pub agent: String,
    pub reason: String,
}
