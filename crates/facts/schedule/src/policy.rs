//! What a schedule is, and which runs it has.

use jiff::{SignedDuration, Timestamp, Zoned};
use model::manifest::BackupKind;
use model::plan::Completeness;
use model::{BackupName, ClusterName, Selection, Zone};
use serde::{Deserialize, Serialize};

use crate::{Cron, FullOn, Objective, ScheduleName, Window};

/// When to back up a cluster, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Of the cluster that is backed up.
    pub cluster: ClusterName,
    /// Unique within the cluster.
    pub name: ScheduleName,
    /// When runs are due.
    pub cron: Cron,
    /// By whose clocks.
    #[serde(default)]
    pub zone: Zone,
    /// No run is due before it.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// The hours in which runs may start; a run that is due outside them waits. Absent: any.
    #[serde(default)]
    pub window: Option<Window>,
    /// Runs start up to this much later than they are due, by a share that is fixed for each of them, so that many clusters
    /// with one expression do not start at once.
    #[serde(default)]
    pub jitter_seconds: u32,
    /// Which runs are full.
    pub kinds: Kinds,
    /// Which tables.
    #[serde(default)]
    pub selection: Selection,
    /// Which replicas a backup may do without.
    #[serde(default)]
    pub completeness: Completeness,
    /// What to do if the run before has not ended, or if the cluster has another task.
    #[serde(default)]
    pub overlap: Overlap,
    /// How late a run may start, if it could not start when it was due. Of several missed runs only the last one starts.
    /// Less than a minute counts as a minute.
    pub catch_up_seconds: u64,
    /// A run that takes longer is cancelled, so that it does not hold up the next. Absent: never.
    #[serde(default)]
    pub deadline_seconds: Option<u64>,
    /// How much may be lost at most; it is reported if more would be.
    #[serde(default)]
    pub objective: Option<Objective>,
    /// Absent unless it is paused.
    #[serde(default)]
    pub pause: Option<Pause>,
}

/// Which runs of a schedule are full backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kinds {
    /// All.
    Full,
    /// The first one, and those after which no full backup is left to build on.
    Differential,
    /// The first run on each of these days. If it does not succeed, the next run is full instead.
    FullOn(FullOn),
}

/// What happens to a run that is due while the run before has not ended, or while the cluster has another task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It starts afterwards, if the next run is not due before that.
    #[default]
    Wait,
    /// It is left out.
    Skip,
}

/// Why a schedule makes no backups for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// For people.
    pub reason: String,
    /// When it ends by itself; absent if it does not.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A backup that a schedule makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When the expression matched.
    pub due: Timestamp,
    /// When it may start: `due`, the jitter, and the wait for the window.
    pub starts_at: Timestamp,
    /// The backup's name, made from the schedule's and `due`.
    pub backup: BackupName,
    /// Of the backup.
    pub kind: BackupKind,
}

/// Days of full backups that are searched backwards, before a schedule counts as one without any.
const FULL_DAYS_MAX: usize = 1000;

impl Schedule {
    /// The first time after another at which a run is due.
    pub fn next_due(&self, after: Timestamp) -> Option<Timestamp> {
        let nanosecond = SignedDuration::from_nanos(1);
        let after = match self.start {
            Some(start) => after.max(start.checked_sub(nanosecond).unwrap_or(start)),
            None => after,
        };
        let due = self.cron.next_after(&self.zone.at(after))?;
        Some(due.timestamp())
    }

    /// The last time at or before another at which a run was due.
    pub fn last_due(&self, until: Timestamp) -> Option<Timestamp> {
        let due = self.cron.last_until(&self.zone.at(until))?.timestamp();
        let started = self.start.is_none_or(|start| start <= due);
        started.then_some(due)
    }

    /// The run that is due at a point in time. `last_full` is when the last full backup of this schedule that succeeded
    /// was due.
    pub fn run(&self, due: Timestamp, last_full: Option<Timestamp>) -> Run {
        Run {
            due,
            starts_at: self.starts_at(due),
            backup: self.name.backup(due),
            kind: self.kind(due, last_full),
        }
    }

    /// The runs after a point in time, in their order, as they come if each of them succeeds.
    pub fn preview(
        &self,
        after: Timestamp,
        last_full: Option<Timestamp>,
    ) -> impl Iterator<Item = Run> {
        let (mut after, mut last_full) = (after, last_full);
        std::iter::from_fn(move || {
            let run = self.run(self.next_due(after)?, last_full);
            after = run.due;
            if run.kind == BackupKind::Full {
                last_full = Some(run.due);
            }
            Some(run)
        })
    }

    /// Whether it is paused at a point in time.
    pub fn is_paused(&self, now: Timestamp) -> bool {
        let pause = self.pause.as_ref();
        pause.is_some_and(|pause| pause.until.is_none_or(|until| now < until))
    }

    /// When a run that is due may start: the jitter later, and within the window.
    pub(crate) fn starts_at(&self, due: Timestamp) -> Timestamp {
        let jittered = due
            .checked_add(SignedDuration::from_secs(self.jitter(due).into()))
            .unwrap_or(due);
        self.opens(jittered)
    }

    /// The first time, not before this one, at which runs may start.
    pub(crate) fn opens(&self, time: Timestamp) -> Timestamp {
        let opens = self
            .window
            .and_then(|window| window.opens(&self.zone.at(time)));
        opens.map_or(time, |opens| opens.timestamp())
    }

    /// A share of the jitter that looks random, but is the same whenever it is asked for.
    fn jitter(&self, due: Timestamp) -> u32 {
        let mut hasher = blake3::Hasher::new();
        for part in [self.cluster.as_str(), "/", self.name.as_str(), "/"] {
            hasher.update(part.as_bytes());
        }
        hasher.update(&due.as_nanosecond().to_be_bytes());
        let hash = hasher.finalize();
        let first = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        let seconds = u64::from_be_bytes(*first) % (u64::from(self.jitter_seconds) + 1);
        u32::try_from(seconds).expect("at most the jitter, which is a u32")
    }

    fn kind(&self, due: Timestamp, last_full: Option<Timestamp>) -> BackupKind {
        let is_full = match (&self.kinds, last_full) {
            (Kinds::Full, _) | (_, None) => true,
            (Kinds::Differential, Some(_)) => false,
            (Kinds::FullOn(days), Some(last)) => {
                let due = self.zone.at(due);
                self.last_full_due(days, &due)
                    .is_some_and(|owed| owed.timestamp() > last)
            }
        };
        if is_full {
            BackupKind::Full
        } else {
            BackupKind::Differential
        }
    }

    /// The last run, this one included, that was the first one on a day of full backups.
    fn last_full_due(&self, days: &FullOn, due: &Zoned) -> Option<Zoned> {
        let mut time = due.clone();
        for _ in 0..FULL_DAYS_MAX {
            let day = days.last_day(&time)?;
            let before = day.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let first = self.cron.next_after(&before)?;
            if first.date() == day.date() && first <= *due {
                return Some(first);
            }
            time = before;
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests;
