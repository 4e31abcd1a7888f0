//! Whose turn it is: a pure decision over the tasks that have not ended.
//!
//! Tasks get their turn by the time since which they wait, and a lower priority counts as an hour more: so nothing waits for
//! ever. Restores and rollbacks of one cluster keep the order in which they were asked for, whatever their priorities: which of
//! two is newer decides later whether one may be resumed or rolled back. The earlier ones get the place of the later ones then.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::task::{Priority, TaskKind};
use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};

use super::need::Need;

/// How much waiting counts as much as one priority.
const OF_A_PRIORITY: SignedDuration = SignedDuration::from_hours(1);

/// How many tasks run at once; 0: no limit. Tasks of high priority do not wait for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunningLimits {
    pub per_cluster: usize,
    /// Of those that read or write the object store.
    pub per_store: usize,
}

/// A task that has not ended, as the index of those has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    pub cluster: ClusterName,
    pub kind: TaskKind,
    pub priority: Priority,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    pub phase: Phase,
}

/// How far a task is that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    Waiting {
        since: Timestamp,
        /// Whether it waits for another task, so that it would not use a place that becomes free.
        blocked: bool,
    },
    Running,
    Paused,
}

/// A task that has something of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HolderNow {
    pub task: TaskId,
    pub kind: TaskKind,
    pub need: Need,
}

/// What comes of a request for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    /// This task has to end, or to run, first.
    After {
        task: TaskId,
        kind: TaskKind,
    },
    /// As many run as may.
    Full {
        why: String,
    },
}

impl RunningLimits {
    pub fn are_none(self) -> bool {
        self == Self::default()
    }
}

impl Unfinished {
    /// A backup that is about to be created, and is due since then.
    pub fn waiting_backup(cluster: &ClusterName, need: Need, since: Timestamp) -> Self {
        Self {
            cluster: cluster.clone(),
            kind: TaskKind::Backup,
            priority: Priority::of(TaskKind::Backup),
            need: Some(need),
            phase: Phase::Waiting {
                since,
                blocked: false,
            },
        }
    }

    fn waits_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Waiting { since, .. } => Some(since),
            Phase::Running | Phase::Paused => None,
        }
    }

    fn keeps_order(&self) -> bool {
        matches!(self.kind, TaskKind::Restore | TaskKind::Rollback)
    }

    fn uses_store(&self) -> bool {
        !matches!(
            self.kind,
            TaskKind::Maintenance | TaskKind::Rollback | TaskKind::Accept
        )
    }

    fn is_limited(&self) -> bool {
        self.priority > Priority::High
    }

    /// Whether it would use a place that becomes free.
    fn wants_place(&self) -> bool {
        matches!(self.phase, Phase::Waiting { blocked: false, .. }) && self.is_limited()
    }
}

/// The tasks that wait, in the order in which they get their turns.
fn in_order(all: &[(TaskId, Unfinished)]) -> Vec<&(TaskId, Unfinished)> {
    let mut waiting: Vec<(Timestamp, &(TaskId, Unfinished))> = all
        .iter()
        .filter_map(|entry| {
            let since = entry.1.waits_since()?;
            let later = OF_A_PRIORITY * i32::from(entry.1.priority.rank());
            // A time that far in the future is that of a clock that is wrong: it comes last.
            Some((since.checked_add(later).unwrap_or(Timestamp::MAX), entry))
        })
        .collect();
    // From the newest to the oldest: each that keeps its order is no later than those that were asked for after it.
    waiting.sort_by_key(|(_, (id, _))| std::cmp::Reverse(id.0));
    let mut earliest: BTreeMap<&ClusterName, Timestamp> = BTreeMap::new();
    for (at, (_, entry)) in &mut waiting {
        if entry.keeps_order() {
            let first = earliest.entry(&entry.cluster).or_insert(*at);
            *first = (*first).min(*at);
            *at = *first;
        }
    }
    waiting.sort_by_key(|(at, (id, _))| (*at, id.0));
    waiting.into_iter().map(|(_, entry)| entry).collect()
}

/// Whether it is the turn of a task. `all` are the tasks that have not ended, itself among them unless it is about to be created;
/// `holders` those that have something of its cluster.
pub(crate) fn turn(
    id: TaskId,
    mine: &Unfinished,
    all: &[(TaskId, Unfinished)],
    holders: &[HolderNow],
    limits: RunningLimits,
) -> Turn {
    let mut with_new: Vec<(TaskId, Unfinished)> = Vec::new();
    let all = if all.iter().any(|(other, _)| *other == id) {
        all
    } else {
        with_new.extend_from_slice(all);
        with_new.push((id, mine.clone()));
        &with_new
    };
    let order = in_order(all);
    let ahead = order.iter().take_while(|(other, _)| *other != id);
    if let Some(need) = &mine.need {
        for holder in holders.iter().filter(|holder| holder.task != id) {
            if !need.may_start_beside(&holder.need) {
                let (task, kind) = (holder.task, holder.kind);
                return Turn::After { task, kind };
            }
        }
        for (task, other) in ahead.clone() {
            // One that could start all the same does not mind.
            let held_up = other
                .need
                .as_ref()
                .is_some_and(|other| !other.may_start_beside(need));
            if other.cluster == mine.cluster && held_up {
                let (task, kind) = (*task, other.kind);
                return Turn::After { task, kind };
            }
        }
    }
    if !mine.is_limited() {
        return Turn::Now;
    }
    let running = all
        .iter()
        .filter(|(other, entry)| *other != id && entry.phase == Phase::Running);
    let mut places = Places::taken_by(running.map(|(_, entry)| entry), limits);
    for (_, other) in ahead.filter(|(_, entry)| entry.wants_place()) {
        places.reserve(other);
    }
    match places.full_for(mine) {
        Some(why) => Turn::Full { why },
        None => Turn::Now,
    }
}

/// The places that are taken by tasks that run, and reserved for those that are before another.
struct Places<'a> {
    limits: RunningLimits,
    of_clusters: BTreeMap<&'a ClusterName, usize>,
    of_store: usize,
}

impl<'a> Places<'a> {
    fn taken_by(running: impl Iterator<Item = &'a Unfinished>, limits: RunningLimits) -> Self {
        let mut places = Self {
            limits,
            of_clusters: BTreeMap::new(),
            of_store: 0,
        };
        for entry in running {
            *places.of_clusters.entry(&entry.cluster).or_default() += 1;
            places.of_store += usize::from(entry.uses_store());
        }
        places
    }

    fn is_cluster_full(&self, cluster: &ClusterName) -> bool {
        let taken = self.of_clusters.get(cluster).copied().unwrap_or_default();
        self.limits.per_cluster > 0 && taken >= self.limits.per_cluster
    }

    /// A task that cannot start for the limit of its cluster would not use a place at the object store.
    fn reserve(&mut self, entry: &'a Unfinished) {
        let is_full = self.is_cluster_full(&entry.cluster);
        self.of_store += usize::from(entry.uses_store() && !is_full);
        *self.of_clusters.entry(&entry.cluster).or_default() += 1;
    }

    /// Why there is no place for a task.
    fn full_for(&self, entry: &Unfinished) -> Option<String> {
        let RunningLimits {
            per_cluster,
            per_store,
        } = self.limits;
        if self.is_cluster_full(&entry.cluster) {
            let cluster = &entry.cluster;
            return Some(format!(
                "{per_cluster} tasks of cluster {cluster} run already"
            ));
        }
        let is_full = per_store > 0 && entry.uses_store() && self.of_store >= per_store;
        is_full.then(|| format!("{per_store} tasks use the object store already"))
    }
}

#[cfg(test)]
mod tests;
