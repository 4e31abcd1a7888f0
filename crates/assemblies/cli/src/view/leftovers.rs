//! What tasks have left on nodes, and what became of it.

use model::leftover::{
    ClearedLeftover, ClearedLeftovers, FoundLeftover, FoundLeftovers, LeftoverKind, LeftoverOwner,
};
use model::plan::UnreachableAgent;
use plan::TextTable;
use serde::Serialize;

use crate::human;

#[derive(Debug, Clone, Serialize)]
pub struct LeftoversView {
    pub leftovers: Vec<LeftoverView>,
    pub unreachable: Vec<UnreachableView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct LeftoverView {
    pub agent: String,
    pub kind: &'static str,
    pub task: String,
    pub bytes: u64,
    /// Whether old files may be the only copy of what was live.
    pub half_swapped: bool,
    pub owner: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct UnreachableView {
    pub agent: String,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ClearedView {
    pub leftovers: Vec<ClearedOneView>,
    pub unreachable: Vec<UnreachableView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ClearedOneView {
    pub agent: String,
    pub kind: &'static str,
    pub task: String,
    pub freed_bytes: u64,
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

impl From<UnreachableAgent> for UnreachableView {
    fn from(agent: UnreachableAgent) -> Self {
        Self {
            agent: agent.agent,
            reason: agent.reason,
        }
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
            unreachable: found.unreachable.into_iter().map(Into::into).collect(),
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
            unreachable: cleared.unreachable.into_iter().map(Into::into).collect(),
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

pub fn list_text(view: &LeftoversView) -> String {
    if view.leftovers.is_empty() {
        return String::new();
    }
    let mut table = TextTable::new(&["AGENT", "KIND", "TASK", ">SIZE", "OWNER"]);
    for leftover in &view.leftovers {
        let owner = match leftover.half_swapped {
            true => format!("{}, half swapped", leftover.owner),
            false => leftover.owner.to_owned(),
        };
        table.row([
            leftover.agent.clone(),
            leftover.kind.to_owned(),
            leftover.task.clone(),
            human::bytes(leftover.bytes),
            owner,
        ]);
    }
    table.render()
}

pub fn cleared_text(view: &ClearedView) -> String {
    let mut text = String::new();
    for leftover in &view.leftovers {
        let ClearedOneView {
            agent, kind, task, ..
        } = leftover;
        let what = match &leftover.kept_because {
            None => format!("{} freed", human::bytes(leftover.freed_bytes)),
            Some(why) => format!("stays: {why}"),
        };
        text.push_str(&format!("{agent}: {kind} of task {task}: {what}\n"));
    }
    for agent in &view.unreachable {
        text.push_str(&format!(
            "{}: did not reply: {}\n",
            agent.agent, agent.reason
        ));
    }
    if text.is_empty() {
        text.push_str("there was nothing of these tasks\n");
    }
    text
}
