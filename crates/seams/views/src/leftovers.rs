//! What tasks have left on nodes, and what became of it.

use model::leftover::{
    ClearedLeftover, ClearedLeftovers, FoundLeftover, FoundLeftovers, LeftoverKind, LeftoverOwner,
};
use serde::Serialize;

use crate::cluster::UnreachableView;

/// What tasks have left on the nodes of a cluster.
#[derive(Debug, Clone, Serialize)]
pub struct LeftoversView {
    /// Of all nodes that replied.
    pub leftovers: Vec<LeftoverView>,
    /// Agents that did not reply.
    pub unreachable: Vec<UnreachableView>,
}

/// One thing that a task has left on a node.
#[derive(Debug, Clone, Serialize)]
pub struct LeftoverView {
    /// host:port.
    pub agent: String,
    /// `snapshot`, `staged` or `old-files`.
    pub kind: &'static str,
    /// The task that it is named after.
    pub task: String,
    /// Of all its files.
    pub bytes: u64,
    /// Whether old files may be the only copy of what was live.
    pub half_swapped: bool,
    /// What is known of the task: `unknown`, `alive`, `resumable` or `ended`.
    pub owner: &'static str,
}

/// What became of what was to be cleared.
#[derive(Debug, Clone, Serialize)]
pub struct ClearedView {
    /// Of all nodes that replied.
    pub leftovers: Vec<ClearedOneView>,
    /// Agents that did not reply.
    pub unreachable: Vec<UnreachableView>,
}

/// One thing that was to be cleared.
#[derive(Debug, Clone, Serialize)]
pub struct ClearedOneView {
    /// host:port.
    pub agent: String,
    /// `snapshot`, `staged` or `old-files`.
    pub kind: &'static str,
    /// The task that it is named after.
    pub task: String,
    /// What clearing it has freed.
    pub freed_bytes: u64,
    /// Why it is still there; null if it is gone.
    pub kept_because: Option<String>,
}

fn kind_word(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::Snapshot => "snapshot",
        LeftoverKind::Staged => "staged",
        LeftoverKind::OldFiles => "old-files",
    }
}

fn owner_word(owner: LeftoverOwner) -> &'static str {
    match owner {
        LeftoverOwner::Unknown => "unknown",
        LeftoverOwner::Alive => "alive",
        LeftoverOwner::Resumable => "resumable",
        LeftoverOwner::Ended => "ended",
    }
}

impl From<FoundLeftover> for LeftoverView {
    fn from(found: FoundLeftover) -> Self {
        Self {
            agent: found.agent,
            kind: kind_word(found.leftover.kind),
            task: found.leftover.task.to_string(),
            bytes: found.leftover.bytes,
            half_swapped: found.leftover.half_swapped,
            owner: owner_word(found.owner),
        }
    }
}

impl From<FoundLeftovers> for LeftoversView {
    fn from(found: FoundLeftovers) -> Self {
        Self {
            leftovers: found.found.into_iter().map(Into::into).collect(),
            unreachable: found.unreachable.iter().map(Into::into).collect(),
        }
    }
}

impl From<(String, ClearedLeftover)> for ClearedOneView {
    fn from((agent, cleared): (String, ClearedLeftover)) -> Self {
        Self {
            agent,
            kind: kind_word(cleared.kind),
            task: cleared.task.to_string(),
            freed_bytes: cleared.freed_bytes,
            kept_because: cleared.kept_because,
        }
    }
}

impl From<ClearedLeftovers> for ClearedView {
    fn from(cleared: ClearedLeftovers) -> Self {
        Self {
            leftovers: cleared.cleared.into_iter().map(Into::into).collect(),
            unreachable: cleared.unreachable.iter().map(Into::into).collect(),
        }
    }
}

impl ClearedView {
    /// How many of them are still there, and nodes on which some may be.
    pub fn kept(&self) -> usize {
        let leftovers = self.leftovers.iter();
        let kept = leftovers.filter(|leftover| leftover.kept_because.is_some());
        kept.count() + self.unreachable.len()
    }
}
