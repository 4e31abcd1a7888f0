//! What a task may leave behind on a node, named after the task.

use serde::{Deserialize, Serialize};

use crate::TaskId;
use crate::plan::UnreachableAgent;

/// What is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverKind {
    /// A snapshot of a backup, with its journal.
    Snapshot,
    /// What a restore has staged and not used, with its journal.
    Staged,
    /// What a restore in place has moved aside, perhaps with staged files, and its journal.
    OldFiles,
}

/// Something that a task has left on a node. A task leaves at most one of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    pub kind: LeftoverKind,
    pub task: TaskId,
    /// Of all its files. Files of a snapshot and of an import may be linked elsewhere, too.
    pub bytes: u64,
    /// Whether a swap has begun and not ended, so that old files may be the only copy of what was live.
    pub half_swapped: bool,
}

/// What became of something that was to be cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedLeftover {
    pub kind: LeftoverKind,
    pub task: TaskId,
    pub freed_bytes: u64,
    /// Why it is still there; none if it is gone.
    pub kept_because: Option<String>,
}

/// What the task-runner knows of the task that something is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverOwner {
    /// Nothing: it is another runner's, or its record is gone.
    Unknown,
    /// It is not at its end.
    Alive,
    /// It has failed and can be resumed, which uses what is left.
    Resumable,
    /// It has ended and needs nothing of it.
    Ended,
}

/// Something that was found on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLeftover {
    /// The agent's address.
    pub agent: String,
    pub leftover: Leftover,
    pub owner: LeftoverOwner,
}

/// All that was found on the nodes of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLeftovers {
    pub found: Vec<FoundLeftover>,
    /// Nodes of which nothing is known.
    pub unreachable: Vec<UnreachableAgent>,
}

/// What became of it on the nodes of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedLeftovers {
    /// By the agent's address.
    pub cleared: Vec<(String, ClearedLeftover)>,
    pub unreachable: Vec<UnreachableAgent>,
}
