//! Every backup's verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use model::BackupName;

use crate::{Backup, Period, Policy, PolicyError, Standing};

/// What a policy does with a list of backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// One for each backup, in the order of the list.
    pub verdicts: Vec<Verdict>,
    /// What goes, in an order in which it can: a base after the differentials that build on it.
    pub go: Vec<BackupName>,
    /// The newest good ones that stay, as many as the floor: by these the others may go.
    pub relied_on: Vec<BackupName>,
}

/// What happens to a backup, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every reason that keeps it.
    Keep(Vec<KeepReason>),
    /// It goes.
    Go(Gone),
}

/// Why a backup is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason {
    /// It is one of the newest.
    Last,
    /// It is young enough.
    Young,
    /// It is the newest one of a period.
    NewestOf(Period),
    /// It is one of the newest good ones, as many as the floor.
    Floor,
    /// It is pinned, for this reason.
    Pinned(String),
    /// A task reads it or builds on it.
    InUse,
    /// A backup that is kept builds on it.
    BaseOf(BackupName),
    /// A backup that cannot be read may build on it.
    PerhapsBase,
    /// It has not ended.
    Running,
    /// It failed or is damaged, but not long enough ago.
    FailedLately,
    /// It is damaged, and there are fewer good backups than the floor, so it may be needed.
    LastResort,
    /// It cannot be read.
    Unreadable,
    /// Its deletion has begun.
    Deleting,
    /// It was begun at a time that has not come, so a clock was wrong and its age is not known.
    Future,
    /// The policy is not about it.
    OutOfScope,
}

/// Why a backup goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// No rule keeps it.
    Expired,
    /// It failed.
    Failed,
    /// It is damaged.
    Damaged,
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("one of the newest"),
            Self::Young => f.write_str("young enough"),
            Self::NewestOf(period) => write!(f, "the newest of its {period}"),
            Self::Floor => f.write_str("the floor"),
            Self::Pinned(reason) => write!(f, "pinned: {reason}"),
            Self::InUse => f.write_str("in use"),
            Self::BaseOf(name) => write!(f, "base of {name}"),
            Self::PerhapsBase => f.write_str("something that cannot be read may build on it"),
            Self::Running => f.write_str("not ended"),
            Self::FailedLately => f.write_str("failed lately"),
            Self::LastResort => f.write_str("damaged, but there are too few good ones"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Deleting => f.write_str("its deletion has begun"),
            Self::Future => f.write_str("its time is ahead of what is plausible"),
            Self::OutOfScope => f.write_str("not of this policy"),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "no rule keeps it",
            Self::Failed => "it failed",
            Self::Damaged => "it is damaged",
        })
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Gives every backup of a cluster its verdict. The list must be complete: a differential that is missing from it does not
/// keep its base.
pub fn decide(policy: &Policy, backups: &[Backup], now: Timestamp) -> Result<Decided, PolicyError> {
    policy.check()?;
    let mut deciding = Deciding::new(policy, backups, now);
    deciding.keep_by_rules();
    deciding.keep_by_circumstances();
    deciding.keep_floor();
    deciding.keep_bases();
    Ok(deciding.decided())
}

struct Deciding<'a> {
    policy: &'a Policy,
    backups: &'a [Backup],
    now: Timestamp,
    /// The good ones that the policy is about and that are not of the future, from the newest on.
    good: Vec<usize>,
    reasons: Vec<Vec<KeepReason>>,
}

impl<'a> Deciding<'a> {
    fn new(policy: &'a Policy, backups: &'a [Backup], now: Timestamp) -> Self {
        let mut good: Vec<usize> = (0..backups.len())
            .filter(|at| {
                let backup = &backups[*at];
                backup.in_scope && backup.started_at <= now && is_good(backup, backups)
            })
            .collect();
        good.sort_by_key(|at| {
            let backup = &backups[*at];
            std::cmp::Reverse((backup.started_at, backup.name.clone()))
        });
        Self {
            policy,
            backups,
            now,
            good,
            reasons: vec![Vec::new(); backups.len()],
        }
    }

    fn keep_by_rules(&mut self) {
        for at in self.good.iter().take(self.policy.last as usize) {
            self.reasons[*at].push(KeepReason::Last);
        }
        for at in &self.good {
            if is_younger(&self.backups[*at], self.policy.days, self.now) {
                self.reasons[*at].push(KeepReason::Young);
            }
        }
        for period in Period::ALL {
            let mut kept = BTreeSet::new();
            for at in &self.good {
                let time = self.policy.zone.at(self.backups[*at].started_at);
                let is_wanted = kept.len() < self.policy.of(period) as usize;
                if is_wanted && kept.insert(period.number(&time)) {
                    self.reasons[*at].push(KeepReason::NewestOf(period));
                }
            }
        }
    }

    /// Keeps what no rule counts.
    fn keep_by_circumstances(&mut self) {
        // One whose base cannot be read, either.
        let is_unclear =
            |backup: &Backup| backup.standing == Standing::Unreadable && backup.base.is_none();
        let unclear = self.backups.iter().any(is_unclear);
        for (backup, reasons) in self.backups.iter().zip(&mut self.reasons) {
            if !backup.in_scope {
                reasons.push(KeepReason::OutOfScope);
            }
            if let Some(pin) = backup.pin.as_ref().filter(|pin| pin.is_in_force(self.now)) {
                reasons.push(KeepReason::Pinned(pin.reason.clone()));
            }
            if backup.in_use {
                reasons.push(KeepReason::InUse);
            }
            if unclear && backup.base.is_none() && backup.standing == Standing::Good {
                reasons.push(KeepReason::PerhapsBase);
            }
            // It would take the place of one that is not of the future.
            if backup.started_at > self.now && is_good(backup, self.backups) {
                reasons.push(KeepReason::Future);
            }
            let is_recent = is_younger(backup, self.policy.failed_days, self.now);
            match standing(backup, self.backups) {
                Standing::Good => {}
                Standing::Running => reasons.push(KeepReason::Running),
                Standing::Unreadable => reasons.push(KeepReason::Unreadable),
                Standing::Deleting => reasons.push(KeepReason::Deleting),
                Standing::Damaged if self.good.len() < self.policy.floor as usize => {
                    reasons.push(KeepReason::LastResort);
                }
                Standing::Damaged | Standing::Failed if is_recent => {
                    reasons.push(KeepReason::FailedLately);
                }
                Standing::Damaged | Standing::Failed => {}
            }
        }
    }

    /// Keeps the newest ones, whatever else is kept: an old one that is pinned is no substitute, and would be none any more
    /// once its pin has ended.
    fn keep_floor(&mut self) {
        for at in self.good.iter().take(self.policy.floor as usize) {
            if self.reasons[*at].is_empty() {
                self.reasons[*at].push(KeepReason::Floor);
            }
        }
    }

    /// A base lives as long as what builds on it; bases of bases too, should there ever be any.
    fn keep_bases(&mut self) {
        let places = places(self.backups);
        let mut unseen: Vec<usize> = (0..self.backups.len())
            .filter(|at| !self.reasons[*at].is_empty())
            .collect();
        while let Some(at) = unseen.pop() {
            let backup = &self.backups[at];
            let Some(base) = backup.base.as_ref().and_then(|base| places.get(base)) else {
                continue;
            };
            let was_kept = !self.reasons[*base].is_empty();
            self.reasons[*base].push(KeepReason::BaseOf(backup.name.clone()));
            if !was_kept {
                unseen.push(*base);
            }
        }
    }

    fn decided(self) -> Decided {
        let kept = self.good.iter().filter(|at| !self.reasons[**at].is_empty());
        let relied_on = kept
            .take(self.policy.floor as usize)
            .map(|at| self.backups[*at].name.clone())
            .collect();
        let mut go: Vec<&Backup> = Vec::new();
        let mut verdicts = Vec::new();
        for (backup, reasons) in self.backups.iter().zip(self.reasons) {
            if !reasons.is_empty() {
                verdicts.push(Verdict::Keep(reasons));
                continue;
            }
            go.push(backup);
            verdicts.push(Verdict::Go(match standing(backup, self.backups) {
                Standing::Failed => Gone::Failed,
                Standing::Damaged => Gone::Damaged,
                _ => Gone::Expired,
            }));
        }
        go.sort_by_key(|backup| (backup.base.is_none(), backup.started_at, &backup.name));
        Decided {
            verdicts,
            go: go.into_iter().map(|backup| backup.name.clone()).collect(),
            relied_on,
        }
    }
}

fn places(backups: &[Backup]) -> BTreeMap<&BackupName, usize> {
    let names = backups.iter().map(|backup| &backup.name);
    names.enumerate().map(|(at, name)| (name, at)).collect()
}

pub(crate) fn is_good(backup: &Backup, backups: &[Backup]) -> bool {
    standing(backup, backups) == Standing::Good
}

/// What a backup is worth, its base included: without a good base, a complete differential is not.
fn standing(backup: &Backup, backups: &[Backup]) -> Standing {
    let Some(base) = &backup.base else {
        return backup.standing;
    };
    let found = backups.iter().find(|other| other.name == *base);
    let base = found.map_or(Standing::Failed, |base| base.standing);
    match (backup.standing, base) {
        (Standing::Good, Standing::Good) => Standing::Good,
        // The deletion of a base that something builds on is refused, and its mark taken back.
        (Standing::Good, Standing::Unreadable | Standing::Deleting) => Standing::Unreadable,
        (Standing::Good, _) => Standing::Damaged,
        (own, _) => own,
    }
}

/// Whether a backup is younger than so many days; one of the future is.
fn is_younger(backup: &Backup, days: u32, now: Timestamp) -> bool {
    now.duration_since(backup.started_at) < DAY * i32::try_from(days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
