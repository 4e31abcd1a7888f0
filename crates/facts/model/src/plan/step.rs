//! The steps of plans: exactly those that run, and what each waits for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a step does. Steps without a node in the plan run once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Does nothing. Steps that wait for many others wait for it instead, so that a plan grows with its nodes and not
    /// with their square.
    Barrier,

    // Of a restore.
    /// The backup is kept from being deleted.
    Pin,
    /// A node brings its files to local disk, checked.
    Stage,
    /// CQL that makes the scratch keyspaces of the trial, run once on any node.
    TrialSchema,
    /// A node loads a few of its staged SSTables into the scratch keyspaces, and reads from them.
    Trial,
    /// CQL that drops the scratch keyspaces, run once on any node; then every node deletes what is left of them.
    TrialDrop,
    /// The cluster is compared with the one of the plan, last of all before something is changed.
    Check,
    /// CQL that makes what is missing and touches no data that is there (in place it raises gc_grace_seconds), run once on any
    /// node; done when all nodes agree on the schema.
    Schema,
    /// CQL that drops and empties what is there, run once on any node. From here on a restore only goes forward.
    Replace,
    /// A node loads its staged files.
    Load,
    /// All nodes are made quiet before the first stops: what clients have written until then is dropped once the nodes
    /// start again, and clients are cut off.
    Quiesce,
    /// A node's Cassandra is drained and stopped.
    Stop,
    /// A node's live files are moved aside and the staged ones into their place.
    Swap,
    /// A node's restored files are moved aside and the old ones back into their place.
    SwapBack,
    /// A node's Cassandra is started.
    Start,
    /// A node rewrites SSTables of older formats.
    UpgradeSstables,
    /// CQL that makes the views again, run once on any node; then every node builds its part.
    Views,
    /// A node deletes what the restore left on it.
    Finish,
    /// The backup's pin is released.
    Unpin,

    // Of a backup.
    /// The catalog reserves the backup's name.
    Begin,
    /// A node takes its snapshot.
    Snapshot,
    /// Schema and ring are read again, after the snapshots.
    Capture,
    /// A node uploads its snapshot.
    Upload,
    /// The catalog checks the nodes' manifests and writes the backup's.
    Commit,
    /// A node deletes its snapshot.
    Clear,

    // Of tasks on a backup that exists.
    /// The catalog reads a backup back.
    Verify,
    /// The catalog deletes a backup.
    Delete,
    /// The catalog deletes the backups that retention lets go, one after the other.
    Retain,
    /// The catalog deletes what is of no use.
    Collect,

    // Of a maintenance task.
    /// A node runs a command.
    Maintain,
}

/// One step. It runs when all steps in `after` have succeeded, and is safe to run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// `<kind>-<node>`, or `<kind>` for a step of the whole cluster; of a barrier `barrier-<kind>`, by what it waits for; of
    /// the second and later jobs of a maintenance task `maintain-<number>-<node>`.
    pub id: String,
    pub kind: StepKind,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    pub after: Vec<String>,
    /// For the steps trialschema, trialdrop, schema, replace and views: the CQL, in order. Each statement is safe to run again, in this order.
    pub cql: Vec<String>,
}

/// A word that names no kind of step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of step")]
pub struct UnknownStepKind(pub String);

impl StepKind {
    const ALL: [(Self, &str); 30] = [
        (Self::Barrier, "barrier"),
        (Self::Pin, "pin"),
        (Self::Stage, "stage"),
        (Self::TrialSchema, "trialschema"),
        (Self::Trial, "trial"),
        (Self::TrialDrop, "trialdrop"),
        (Self::Check, "check"),
        (Self::Schema, "schema"),
        (Self::Replace, "replace"),
        (Self::Load, "load"),
        (Self::Quiesce, "quiesce"),
        (Self::Stop, "stop"),
        (Self::Swap, "swap"),
        (Self::SwapBack, "swapback"),
        (Self::Start, "start"),
        (Self::UpgradeSstables, "upgradesstables"),
        (Self::Views, "views"),
        (Self::Finish, "finish"),
        (Self::Unpin, "unpin"),
        (Self::Begin, "begin"),
        (Self::Snapshot, "snapshot"),
        (Self::Capture, "capture"),
        (Self::Upload, "upload"),
        (Self::Commit, "commit"),
        (Self::Clear, "clear"),
        (Self::Verify, "verify"),
        (Self::Delete, "delete"),
        (Self::Retain, "retain"),
        (Self::Collect, "collect"),
        (Self::Maintain, "maintain"),
    ];

    pub fn as_str(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known
            .map(|(_, word)| *word)
            .expect("every kind is in the list")
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StepKind {
    type Err = UnknownStepKind;

    fn from_str(text: &str) -> Result<Self, UnknownStepKind> {
        let known = Self::ALL.iter().find(|(_, word)| *word == text);
        known
            .map(|(kind, _)| *kind)
            .ok_or_else(|| UnknownStepKind(text.to_owned()))
    }
}
