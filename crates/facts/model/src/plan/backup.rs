//! The plan of a backup, and what it depends on.

use serde::{Deserialize, Serialize};

use super::{Completeness, KeyspaceCoverage, PlanStep};
use crate::manifest::{BackupKind, MissingNode};
use crate::{BackupRef, Finding, HostId, NodeDescription, Schema, Selection};

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
    /// Which of the replicas the backup may go without.
    pub completeness: Completeness,
    /// How keyspaces are replicated, by which what is missing is weighed; empty if nothing may be missing.
    pub schema: Schema,
}

/// A backup, decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// False when any finding is a refusal.
    pub supported: bool,
    pub findings: Vec<Finding>,
    /// The nodes that are backed up.
    pub nodes: Vec<PlannedNode>,
    /// The members of the ring that are not.
    pub missing: Vec<MissingNode>,
    /// If any are missing: how many replicas of each keyspace the backup will have.
    pub coverage: Vec<KeyspaceCoverage>,
    /// Every step that runs, in an order in which they can. None if the backup is refused.
    pub steps: Vec<PlanStep>,
}

/// A node that a plan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNode {
    pub host_id: HostId,
    /// As the ring knows it.
    pub address: String,
    /// Its agent, host:port.
    pub agent: String,
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
