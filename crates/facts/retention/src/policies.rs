//! All policies of a cluster, applied to its backups together.
//!
//! Clocks: `now` is one machine's clock, and the time of a backup is that of another at the time when it was begun. Either may
//! be wrong by days or by years. Ages and the ends of pins are therefore measured against the start of the second newest good
//! backup, or an earlier one if the floor is higher: no single backup moves it, and a cluster that is no longer backed up loses
//! nothing by age. If dates leap, nothing goes by them until the backups since then span as many days as the policy
//! ([`model::ages`]). A backup with a later time than `now` is kept and takes no place in any rule, so that of those that can be
//! dated as many stay as without it. One that is dated clearly before its task is kept, because it looks older than it is. What
//! cannot be known: whether the clock that dates backups and that of the task-runner are wrong together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::BackupName;
use schedule::ScheduleName;
use serde::{Deserialize, Serialize};

use crate::decide::decide;
use crate::{Backup, KeepReason, Policy, PolicyError, Verdict};

/// The policies of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// About every backup that no policy of a schedule is about.
    pub cluster: Option<Policy>,
    /// About the backups that a schedule has made, by its name.
    pub schedules: BTreeMap<ScheduleName, Policy>,
}

/// What the policies of a cluster say of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The backup.
    pub name: BackupName,
    /// When it was begun.
    pub started_at: Timestamp,
    /// The schedule whose policy it is; none: that of the cluster, or none at all.
    pub schedule: Option<ScheduleName>,
    /// Whether it goes, and why.
    pub verdict: Verdict,
    /// Good backups that must still be there when it goes; the names that the floor counts.
    pub relied_on: Vec<BackupName>,
}

impl Policies {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_none() && self.schedules.is_empty()
    }

    /// Whether any of them is about the backups of a schedule.
    pub fn has_for(&self, schedule: &ScheduleName) -> bool {
        self.cluster.is_some() || self.schedules.contains_key(schedule)
    }

    /// The schedule whose policy is about a backup; none if that of the cluster is.
    pub fn schedule_of(&self, backup: &BackupName) -> Option<ScheduleName> {
        ScheduleName::of_backup(backup).filter(|schedule| self.schedules.contains_key(schedule))
    }

    /// Gives every backup of the cluster its verdict, in the order of the list, which must be complete. One that goes by its
    /// own policy and is the base of one that goes by another's stays until that is gone.
    pub fn decide(&self, backups: &[Backup], now: Timestamp) -> Result<Vec<Ruled>, PolicyError> {
        let owners: Vec<Option<ScheduleName>> = backups
            .iter()
            .map(|backup| self.schedule_of(&backup.name))
            .collect();
        let mut ruled: Vec<Ruled> = backups
            .iter()
            .zip(&owners)
            .map(|(backup, owner)| Ruled {
                name: backup.name.clone(),
                started_at: backup.started_at,
                schedule: owner.clone(),
                verdict: Verdict::Keep(vec![KeepReason::OutOfScope]),
                relied_on: Vec::new(),
            })
            .collect();
        let of_cluster = self.cluster.iter().map(|policy| (None, policy));
        let of_schedules = self.schedules.iter();
        let of_schedules = of_schedules.map(|(schedule, policy)| (Some(schedule), policy));
        for (schedule, policy) in of_cluster.chain(of_schedules) {
            let is_own = |owner: &Option<ScheduleName>| owner.as_ref() == schedule;
            let scoped: Vec<Backup> = backups
                .iter()
                .zip(&owners)
                .map(|(backup, owner)| Backup {
                    in_scope: is_own(owner),
                    ..backup.clone()
                })
                .collect();
            let decided = decide(policy, &scoped, now)?;
            let own = ruled
                .iter_mut()
                .zip(decided.verdicts)
                .zip(decided.relied_on);
            for ((ruled, verdict), relied_on) in own {
                if is_own(&ruled.schedule) {
                    ruled.verdict = verdict;
                    ruled.relied_on = relied_on;
                }
            }
        }
        Ok(ruled)
    }

    /// The backups that go, in an order in which they can: a base after the differentials that build on it.
    pub fn going<'a>(ruled: &'a [Ruled], backups: &[Backup]) -> Vec<&'a Ruled> {
        let goes = |(ruled, _): &(&Ruled, &Backup)| matches!(ruled.verdict, Verdict::Go(_));
        let mut going: Vec<(&Ruled, &Backup)> = ruled.iter().zip(backups).filter(goes).collect();
        going.sort_by_key(|(_, backup)| (backup.base.is_none(), backup.started_at, &backup.name));
        going.into_iter().map(|(ruled, _)| ruled).collect()
    }
}

#[cfg(test)]
mod tests;
