//! Every backup's verdict.

mod damaged;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use model::{BackupName, Covers, ages};

use crate::standing::standings;
use crate::{Backup, Period, Policy, PolicyError, Standing};

/// What a policy does with a list of backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// One for each backup, in the order of the list.
    pub verdicts: Vec<Verdict>,
    /// What goes, in an order in which it can: a base after the differentials that build on it.
    pub go: Vec<BackupName>,
    /// For each backup of the list the newest good ones that stay and cover the same, as many as the floor: by these it may go.
    pub relied_on: Vec<Vec<BackupName>>,
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
    /// The policy keeps everything.
    All,
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
    /// It is damaged, and a rule would keep it, for a time of which there is no good one.
    NoGoodInstead,
    /// Damage was found in it or in what it shares files with, and it is not certain that it is damaged.
    Suspect,
    /// It is not known what is in it.
    CoverageUnknown,
    /// Time seems to have leapt between two backups, so that ages are not known.
    ClockLeapt,
    /// It was begun before the task that made it, by their dates, so it may be younger than it looks.
    ClockBehind,
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
            Self::All => f.write_str("all are kept"),
            Self::Last => f.write_str("one of the newest"),
            Self::Young => f.write_str("young enough"),
            Self::NewestOf(period) => write!(f, "the newest of its {period}"),
            Self::Floor => f.write_str("the floor"),
            Self::Pinned(reason) => write!(f, "pinned: {reason}"),
            Self::InUse => f.write_str("in use"),
            Self::BaseOf(name) => write!(f, "base of {name}"),
            Self::PerhapsBase => f.write_str("something that cannot be read may build on it"),
            Self::Running => f.write_str("not ended"),
            Self::FailedLately => {
                f.write_str("failed or damaged, but not long enough before good ones")
            }
            Self::LastResort => f.write_str("damaged, but there are too few good ones"),
            Self::NoGoodInstead => {
                f.write_str("damaged, but a rule wants it and there is no good one in its place")
            }
            Self::Suspect => f.write_str("damage was found in it or in files that it may share"),
            Self::CoverageUnknown => f.write_str("it is not known what is in it"),
            Self::ClockLeapt => {
                f.write_str("there is a gap in the dates of backups that no earlier gap explains")
            }
            Self::ClockBehind => {
                f.write_str("its date is before that of its task, so a clock was wrong")
            }
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
/// After a leap of time nothing goes until the backups since then span so many days, or those that the policy has, if more.
const LEAP_DAYS: u32 = 7;
/// By how much the clocks of two machines may differ without being wrong.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(15);

/// Gives every backup of a cluster its verdict. The list must be complete: a differential that is missing from it does not
/// keep its base.
///
/// Rules and floor count backups that cover exactly the same: a backup of one keyspace, or one without some of the nodes,
/// stands in for none of the whole cluster.
pub fn decide(policy: &Policy, backups: &[Backup], now: Timestamp) -> Result<Decided, PolicyError> {
    let nth = policy.floor as usize;
    decide_by(policy, backups, now, &|dates| ages::reference(dates, nth))
}

/// The same with another reference for ages, found from dates of backups in falling order.
fn decide_by(
    policy: &Policy,
    backups: &[Backup],
    now: Timestamp,
    reference: &dyn Fn(&[Timestamp]) -> Timestamp,
) -> Result<Decided, PolicyError> {
    policy.check()?;
    let mut deciding = Deciding::new(policy, backups, now, reference);
    deciding.keep_by_rules();
    deciding.keep_damaged();
    deciding.keep_by_circumstances();
    deciding.keep_floors();
    deciding.keep_after_leaps();
    deciding.keep_bases();
    Ok(deciding.decided())
}

/// Good backups, from the newest on, with what their dates say of ages.
struct Group {
    good: Vec<usize>,
    reference: Timestamp,
    has_leapt: bool,
}

struct Deciding<'a> {
    policy: &'a Policy,
    backups: &'a [Backup],
    standings: Vec<Standing>,
    now: Timestamp,
    /// The good ones that the policy is about and that are not of the future, by what they cover.
    groups: BTreeMap<&'a Covers, Group>,
    /// All of these together.
    all: Group,
    reasons: Vec<Vec<KeepReason>>,
}

impl<'a> Deciding<'a> {
    fn new(
        policy: &'a Policy,
        backups: &'a [Backup],
        now: Timestamp,
        reference: &dyn Fn(&[Timestamp]) -> Timestamp,
    ) -> Self {
        let standings = standings(backups);
        let group = |mut good: Vec<usize>| {
            good.sort_by_key(|at| std::cmp::Reverse((backups[*at].started_at, &backups[*at].name)));
            let dates: Vec<Timestamp> = good.iter().map(|at| backups[*at].started_at).collect();
            let days = LEAP_DAYS.max(policy.days).max(policy.failed_days);
            Group {
                reference: reference(&dates),
                has_leapt: ages::has_leapt(&dates, days),
                good,
            }
        };
        let mut good: BTreeMap<&Covers, Vec<usize>> = BTreeMap::new();
        for (at, backup) in backups.iter().enumerate() {
            let counts = standings[at] == Standing::Good && backup.started_at <= now;
            if let (true, true, Some(covers)) = (counts, backup.in_scope, &backup.covers) {
                good.entry(covers).or_default().push(at);
            }
        }
        Self {
            policy,
            backups,
            standings,
            now,
            all: group(good.values().flatten().copied().collect()),
            groups: good
                .into_iter()
                .map(|(covers, good)| (covers, group(good)))
                .collect(),
            reasons: vec![Vec::new(); backups.len()],
        }
    }

    fn keep_by_rules(&mut self) {
        for group in self.groups.values() {
            for at in group.good.iter().take(self.policy.last as usize) {
                self.reasons[*at].push(KeepReason::Last);
            }
            for at in &group.good {
                if self.is_young(*at, group) {
                    self.reasons[*at].push(KeepReason::Young);
                }
            }
            for period in Period::ALL {
                let mut kept = BTreeSet::new();
                for at in &group.good {
                    let time = self.policy.zone.at(self.backups[*at].started_at);
                    let is_wanted = kept.len() < self.policy.of(period) as usize;
                    if is_wanted && kept.insert(period.number(&time)) {
                        self.reasons[*at].push(KeepReason::NewestOf(period));
                    }
                }
            }
        }
    }

    /// Whether the rule by days keeps it.
    fn is_young(&self, at: usize, group: &Group) -> bool {
        let days = self.policy.days;
        days > 0 && is_younger(self.backups[at].started_at, days, group.reference)
    }

    /// Keeps what no rule counts.
    fn keep_by_circumstances(&mut self) {
        // One whose base cannot be read, either.
        let is_unclear =
            |backup: &Backup| backup.standing == Standing::Unreadable && backup.base.is_none();
        let unclear = self.backups.iter().any(is_unclear);
        let certain = self.certain_time();
        for (at, backup) in self.backups.iter().enumerate() {
            let mut reasons = Vec::new();
            let standing = self.standings[at];
            if !backup.in_scope {
                reasons.push(KeepReason::OutOfScope);
            }
            if let Some(pin) = backup.pin.as_ref().filter(|pin| pin.is_in_force(certain)) {
                reasons.push(KeepReason::Pinned(pin.reason.clone()));
            }
            if self.policy.keep_all && backup.in_scope {
                reasons.push(KeepReason::All);
            }
            if backup.in_use {
                reasons.push(KeepReason::InUse);
            }
            if unclear && backup.base.is_none() && backup.standing == Standing::Good {
                reasons.push(KeepReason::PerhapsBase);
            }
            // It would take the place of one that is not of the future.
            if backup.started_at > self.now && standing == Standing::Good {
                reasons.push(KeepReason::Future);
            }
            if standing != Standing::Failed && is_dated_too_early(backup) {
                reasons.push(KeepReason::ClockBehind);
            }
            reasons.extend(self.kept_by_standing(standing, backup));
            self.reasons[at].extend(reasons);
        }
    }

    /// The time by which pins end: one that no single clock can move.
    fn certain_time(&self) -> Timestamp {
        if self.all.has_leapt {
            return Timestamp::MIN;
        }
        self.all.reference.min(self.now)
    }

    fn kept_by_standing(&self, standing: Standing, backup: &Backup) -> Option<KeepReason> {
        let since = match standing {
            // A backup of any age may be found damaged today; people have these days to learn of it.
            Standing::Damaged => backup.started_at.max(found_at(backup)),
            _ => backup.started_at,
        };
        let is_recent = is_younger(since, self.policy.failed_days, self.all.reference);
        let lately = is_recent.then_some(KeepReason::FailedLately);
        match (standing, &backup.covers) {
            (Standing::Good | Standing::Damaged, None) => Some(KeepReason::CoverageUnknown),
            (Standing::Good, Some(_)) => None,
            (Standing::Running, _) => Some(KeepReason::Running),
            (Standing::Unreadable, _) => Some(KeepReason::Unreadable),
            (Standing::Deleting, _) => Some(KeepReason::Deleting),
            (Standing::Suspect, _) => Some(KeepReason::Suspect),
            (Standing::Failed, _) => lately,
            (Standing::Damaged, Some(covers)) => {
                let good = self.groups.get(covers).map_or(0, |group| group.good.len());
                let is_last_resort = good < self.policy.floor as usize;
                is_last_resort.then_some(KeepReason::LastResort).or(lately)
            }
        }
    }

    /// Keeps the newest ones, whatever else is kept: an old one that is pinned is no substitute, and would be none any more
    /// once its pin has ended.
    fn keep_floors(&mut self) {
        for group in self.groups.values() {
            for at in group.good.iter().take(self.policy.floor as usize) {
                if self.reasons[*at].is_empty() {
                    self.reasons[*at].push(KeepReason::Floor);
                }
            }
        }
    }

    /// Keeps everything that would go by dates which a wrong clock may have made.
    fn keep_after_leaps(&mut self) {
        for (at, backup) in self.backups.iter().enumerate() {
            let covers = backup.covers.as_ref();
            let group = covers.and_then(|covers| self.groups.get(covers));
            let has_leapt = self.all.has_leapt || group.is_some_and(|group| group.has_leapt);
            if has_leapt && self.reasons[at].is_empty() {
                self.reasons[at].push(KeepReason::ClockLeapt);
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

    /// The newest of a group that stay, as many as the floor.
    fn relied_on(&self, group: &Group) -> Vec<BackupName> {
        let kept = group
            .good
            .iter()
            .filter(|at| !self.reasons[**at].is_empty());
        let kept = kept.take(self.policy.floor as usize);
        kept.map(|at| self.backups[*at].name.clone()).collect()
    }

    fn decided(self) -> Decided {
        let by_covers: BTreeMap<&Covers, Vec<BackupName>> = self
            .groups
            .iter()
            .map(|(covers, group)| (*covers, self.relied_on(group)))
            .collect();
        let of_all = self.relied_on(&self.all);
        let mut go: Vec<&Backup> = Vec::new();
        let mut verdicts = Vec::new();
        let mut relied_on = Vec::new();
        let each = self.backups.iter().zip(&self.standings).zip(self.reasons);
        for ((backup, standing), reasons) in each {
            // One that failed holds nothing that another one could stand in for.
            let covers = backup
                .covers
                .as_ref()
                .filter(|_| *standing != Standing::Failed);
            let same = covers.and_then(|covers| by_covers.get(covers));
            relied_on.push(same.unwrap_or(&of_all).clone());
            if !reasons.is_empty() {
                verdicts.push(Verdict::Keep(reasons));
                continue;
            }
            go.push(backup);
            verdicts.push(Verdict::Go(match standing {
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

/// When damage was found in a backup; before everything if none was, or if it was damaged on its node already.
fn found_at(backup: &Backup) -> Timestamp {
    backup.damage_found_at.unwrap_or(Timestamp::MIN)
}

/// Whether a backup was begun clearly before its task was created: the clock that dated it was behind that of the task-runner.
fn is_dated_too_early(backup: &Backup) -> bool {
    let created_at = backup.task_created_at;
    created_at.is_some_and(|at| at.duration_since(backup.started_at) > CLOCKS_DIFFER)
}

/// Whether it is fewer days since then. Without a reference it always is.
fn is_younger(since: Timestamp, days: u32, reference: Timestamp) -> bool {
    reference.duration_since(since) < DAY * i32::try_from(days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
