//! What to do about a schedule at a point in time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Overlap, Run, Schedule};

/// How far a schedule has come. The caller that carries out decisions keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Every run that was due until then has been decided, or is `waiting`. For a new schedule, when it was made.
    pub considered: Timestamp,
    /// When the run was due that has not started yet.
    #[serde(default)]
    pub waiting: Option<Timestamp>,
    /// The run that has started and has not ended.
    #[serde(default)]
    pub active: Option<Active>,
    /// When the last full backup that succeeded was due.
    #[serde(default)]
    pub last_full: Option<Timestamp>,
}

impl Progress {
    /// Of a schedule that is made now.
    pub fn new(now: Timestamp) -> Self {
        Self {
            considered: now,
            waiting: None,
            active: None,
            last_full: None,
        }
    }
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// When it was due.
    pub due: Timestamp,
    /// When it started.
    pub started_at: Timestamp,
}

/// What a schedule has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// In their order; at most one of them starts a run.
    pub decisions: Vec<Decision>,
    /// How far the schedule has come, once the decisions are carried out.
    pub progress: Progress,
    /// When there is something to decide again, if nothing happens before. None: no run is to come.
    pub again_at: Option<Timestamp>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Make this backup.
    Start(Run),
    /// Record that runs were left out.
    Skip {
        /// When the first of them was due.
        first_due: Timestamp,
        /// When the last of them was due.
        last_due: Timestamp,
        /// How many; if there are more than [`SKIPPED_MAX`], that many.
        runs: u64,
        /// Why.
        reason: SkipReason,
    },
    /// Cancel the run that was due then: it has taken longer than the deadline.
    Cancel {
        /// When it was due.
        due: Timestamp,
    },
}

/// Why a run was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// The schedule was paused.
    Paused,
    /// The run before, or another task of the cluster, had not ended.
    Overlap,
    /// It could not start in time.
    TooLate,
    /// A later run was due before it could start.
    Superseded,
}

/// Left-out runs that are counted one by one.
pub const SKIPPED_MAX: u64 = 1000;
/// A run that is due may always start this late: nothing decides at the very moment.
const LATE_SECONDS_MIN: u64 = 60;
/// If the clock is set back by more than this, what was decided in the future is forgotten. Names of backups are made of
/// the time that they were due, so that none is made twice.
const CLOCK_STEP_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Decides what to do now. `busy`: the cluster has a task that is not a run of this schedule and that a backup would have to
/// wait for.
pub fn decide(schedule: &Schedule, progress: &Progress, now: Timestamp, busy: bool) -> Decided {
    let mut deciding = Deciding {
        schedule,
        now,
        progress: progress.clone(),
        decisions: Vec::new(),
    };
    deciding.consider();
    deciding.cancel_overdue();
    let wakes = [
        deciding.settle_waiting(busy),
        deciding.deadline(),
        deciding.next_due(),
    ];
    Decided {
        again_at: wakes.into_iter().flatten().min(),
        decisions: deciding.decisions,
        progress: deciding.progress,
    }
}

struct Deciding<'a> {
    schedule: &'a Schedule,
    now: Timestamp,
    progress: Progress,
    decisions: Vec<Decision>,
}

impl Deciding<'_> {
    /// Takes up the runs that have become due: the last one waits, the others are left out.
    fn consider(&mut self) {
        let considered = self.progress.considered;
        if considered > self.now {
            if considered.duration_since(self.now) > CLOCK_STEP_MAX {
                self.progress.considered = self.now;
            }
            return;
        }
        self.progress.considered = self.now;
        let Some(last) = self.schedule.last_due(self.now) else {
            return;
        };
        if last <= considered {
            return;
        }
        if let Some(older) = self.progress.waiting.take() {
            self.skip(older, older, 1, SkipReason::Superseded);
        }
        self.skip_before(last, considered);
        self.progress.waiting = Some(last);
    }

    /// Leaves out the runs that were due after `considered` and before the last one.
    fn skip_before(&mut self, last: Timestamp, considered: Timestamp) {
        let mut due = considered;
        let mut skipped: Option<(Timestamp, Timestamp, u64)> = None;
        while let Some(next) = self.schedule.next_due(due).filter(|next| *next < last) {
            let (first, _, runs) = skipped.unwrap_or((next, next, 0));
            skipped = Some((first, next, runs + 1));
            due = next;
            if runs + 1 == SKIPPED_MAX {
                break;
            }
        }
        if let Some((first, last, runs)) = skipped {
            let reason = if self.schedule.is_paused(self.now) {
                SkipReason::Paused
            } else {
                SkipReason::Superseded
            };
            self.skip(first, last, runs, reason);
        }
    }

    /// Decides about the run that waits. Returns when to decide again, if it goes on waiting for a known time.
    fn settle_waiting(&mut self, busy: bool) -> Option<Timestamp> {
        let due = self.progress.waiting?;
        if self.schedule.is_paused(self.now) {
            self.leave_out(due, SkipReason::Paused);
            return None;
        }
        let starts_at = self
            .schedule
            .starts_at(due)
            .max(self.schedule.opens(self.now));
        let late = self.schedule.catch_up_seconds.max(LATE_SECONDS_MIN);
        let latest = after(self.schedule.starts_at(due), late);
        if starts_at > latest {
            self.leave_out(due, SkipReason::TooLate);
            return None;
        }
        if starts_at > self.now {
            return Some(starts_at);
        }
        if busy || self.progress.active.is_some() {
            return self.overlaps(due, latest);
        }
        self.progress.waiting = None;
        self.progress.active = Some(Active {
            due,
            started_at: self.now,
        });
        let run = self.schedule.run(due, self.progress.last_full);
        self.decisions.push(Decision::Start(run));
        self.deadline()
    }

    fn overlaps(&mut self, due: Timestamp, latest: Timestamp) -> Option<Timestamp> {
        match self.schedule.overlap {
            Overlap::Wait => Some(after(latest, 1)),
            Overlap::Skip => {
                self.leave_out(due, SkipReason::Overlap);
                None
            }
        }
    }

    fn cancel_overdue(&mut self) {
        let Some(active) = &self.progress.active else {
            return;
        };
        if self.deadline().is_some_and(|deadline| deadline <= self.now) {
            let due = active.due;
            self.decisions.push(Decision::Cancel { due });
        }
    }

    /// When the run that has not ended has taken too long.
    fn deadline(&self) -> Option<Timestamp> {
        let active = self.progress.active.as_ref()?;
        Some(after(active.started_at, self.schedule.deadline_seconds?))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.schedule
            .next_due(self.progress.considered.max(self.now))
    }

    fn leave_out(&mut self, due: Timestamp, reason: SkipReason) {
        self.progress.waiting = None;
        self.skip(due, due, 1, reason);
    }

    fn skip(&mut self, first_due: Timestamp, last_due: Timestamp, runs: u64, reason: SkipReason) {
        self.decisions.push(Decision::Skip {
            first_due,
            last_due,
            runs,
            reason,
        });
    }
}

/// So many seconds later; the end of time if there is no such point.
fn after(time: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    time.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
