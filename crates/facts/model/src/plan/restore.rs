//! The plan of a restore as data.

use std::fmt;

use crate::{BackupRef, ClusterName, Finding, HostId, SourceShare, TableId, TableRef};
use serde::{Deserialize, Serialize};

use super::PlanStep;

/// A restore, decided. Carried out as it is or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    pub backup: BackupRef,
    pub target: ClusterName,
    pub mode: RestoreMode,
    /// False when any finding is a refusal: then there are no steps.
    pub supported: bool,
    pub findings: Vec<Finding>,
    pub nodes: Vec<NodePlan>,
    pub steps: Vec<PlanStep>,
    pub tables: Vec<TablePlan>,
    /// The target's schema version that the plan was made from; a runner refuses to start from another.
    pub target_schema_version: String,
    /// The target's ring that the plan was made from, by [`crate::ring::fingerprint`].
    pub target_ring: String,
    /// How much of each keyspace's part of the ring the backup holds.
    pub coverage: Vec<KeyspaceCoverage>,
    /// Which changes of the live schema are undone, and the CQL that would do them again after the restore.
    pub schema_changes: Vec<SchemaChange>,
    /// Which objects of the backup's schema are created differently, because the target rejects them as they were.
    pub rewrites: Vec<SchemaRewrite>,
    /// Tables that are tried in scratch keyspaces before anything live is replaced.
    #[serde(default)]
    pub trials: Vec<TrialTable>,
    /// From the first step to the last, by the rates of [`Rates`](super::Rates).
    pub seconds: u64,
    /// By which the task-runner keeps it; 0 for a plan that is not kept.
    pub number: u64,
}

/// How many replicas of a keyspace's data the backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyspaceCoverage {
    pub keyspace: String,
    /// Empty if the replicas are not counted by datacenter.
    pub datacenter: String,
    /// That each range has.
    pub replicas: u32,
    /// Of each number of replicas that are in the backup, from none to all, the part of the ring in millionths.
    pub held_ppm: Vec<u32>,
}

/// A change of the live schema that the restore undoes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// A table, type, view or index.
    pub subject: String,
    /// What is undone, for people.
    pub what: String,
    /// Brings it forward again once the restore is done; empty if CQL cannot.
    pub forward_cql: Vec<String>,
}

/// An object of the backup's schema that is created differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaRewrite {
    pub subject: String,
    pub what: String,
    /// Whether it is done. A change that is not done is offered, and done on request.
    pub applied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreMode {
    /// Cassandra keeps running; SSTables are loaded through it.
    Online,
    /// Cassandra is stopped, folders are swapped, Cassandra is started.
    InPlace,
}

/// What one target node takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// The target node's address.
    pub node: String,
    /// Its agent, host:port.
    pub agent: String,
    pub host_id: HostId,
    /// The source nodes whose files it takes.
    pub sources: Vec<HostId>,
    pub download_bytes: u64,
    /// Peak need on the data disks, staging and reserve included.
    pub disk_bytes_needed: u64,
    pub sstables: u64,
    /// SSTables of which only a part is taken.
    pub sliced_sstables: u64,
    /// Which ranges of the sources' data it takes; none: all of it.
    pub shares: Vec<SourceShare>,
    /// Reads of the object store.
    pub requests: u64,
    /// From the first byte staged to the last SSTable upgraded, by the rates of [`Rates`](super::Rates).
    pub seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableAction {
    /// The table is not there: it is made.
    Create,
    /// The table is there as it was: it is emptied.
    Truncate,
    /// The table is there in another form: it is dropped and made as it was.
    Recreate,
    /// A view over a restored table: rebuilt from it, and none of its files are taken.
    RebuildView,
    /// In place: the files are swapped; a table that is missing is made first.
    Swap,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlan {
    /// On the target.
    pub table: TableRef,
    /// Its name in the backup, if it gets another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TableRef>,
    /// The id in the backup.
    pub source_id: TableId,
    /// The id on the target when files are loaded.
    pub target_id: TableId,
    pub action: TableAction,
    /// In place: it is not there, so that no data of it is replaced. False of planners of earlier releases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// What the backup's nodes together hold of it; 0 for a view of which no files are taken.
    pub bytes: u64,
}

/// A table of which each node loads a few SSTables into a scratch keyspace, to see that it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialTable {
    /// The restored table.
    pub table: TableRef,
    /// The id by which its SSTables are staged, as in its [`TablePlan`].
    pub target_id: TableId,
    /// The scratch table.
    pub trial: TableRef,
}

impl fmt::Display for RestoreMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Online => "online",
            Self::InPlace => "in place",
        })
    }
}
