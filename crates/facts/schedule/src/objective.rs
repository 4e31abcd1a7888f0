//! How much may be lost at most, and whether a schedule can promise it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Cron, Schedule};

/// A recovery point objective: how many seconds of writes may be lost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Objective {
    /// More than that must not lie between now and the start of the last good backup.
    pub seconds: u64,
}

/// Whether an objective is met now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryPoint {
    /// A restore would lose this many seconds, which is within the objective.
    Met {
        /// Since the start of the last good backup.
        age_seconds: u64,
    },
    /// It would lose more.
    Broken {
        /// Since the start of the last good backup.
        age_seconds: u64,
    },
    /// There is no good backup.
    NoBackup,
}

/// How far ahead gaps between runs are searched: over a leap day and all changes of clocks.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 4 + 24);
/// Runs that are inspected for it.
const RUNS_MAX: usize = 5_000;

/// Expressions by the seconds between their runs, the most frequent first.
const REGULAR: &[(u64, &str)] = &[
    (300, "*/5 * * * *"),
    (600, "*/10 * * * *"),
    (900, "*/15 * * * *"),
    (1_200, "*/20 * * * *"),
    (1_800, "*/30 * * * *"),
    (3_600, "0 * * * *"),
    (7_200, "0 */2 * * *"),
    (10_800, "0 */3 * * *"),
    (14_400, "0 */4 * * *"),
    (21_600, "0 */6 * * *"),
    (28_800, "0 */8 * * *"),
    (43_200, "0 */12 * * *"),
    (86_400, "0 0 * * *"),
];

impl Objective {
    /// Whether it is met, by the start of the last good backup: what was written later is not in it.
    pub fn state(self, last_good_start: Option<Timestamp>, now: Timestamp) -> RecoveryPoint {
        let Some(start) = last_good_start else {
            return RecoveryPoint::NoBackup;
        };
        let age_seconds = u64::try_from(now.duration_since(start).as_secs()).unwrap_or(0);
        if age_seconds <= self.seconds {
            RecoveryPoint::Met { age_seconds }
        } else {
            RecoveryPoint::Broken { age_seconds }
        }
    }
}

impl Schedule {
    /// The most seconds that a restore could lose if every run succeeds and takes `run_seconds`: a backup holds what was
    /// written before it started, and counts once it has ended. None if the schedule has fewer than two runs.
    pub fn worst_loss_seconds(&self, from: Timestamp, run_seconds: u64) -> Option<u64> {
        let until = from.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let runs = self
            .preview(from, None)
            .take(RUNS_MAX)
            .take_while(|run| run.due <= until);
        let starts: Vec<Timestamp> = runs.map(|run| run.starts_at).collect();
        let gaps = starts
            .windows(2)
            .map(|pair| pair[1].duration_since(pair[0]).as_secs());
        let longest = u64::try_from(gaps.max()?).unwrap_or(0);
        Some(longest.saturating_add(run_seconds))
    }
}

/// The least frequent regular expression that meets an objective if every run takes at most `run_seconds`; in UTC, because
/// elsewhere a day may have 25 hours. None if no expression is frequent enough.
pub fn derive_cron(objective: Objective, run_seconds: u64) -> Option<Cron> {
    let fits = |seconds: u64| seconds.saturating_add(run_seconds) <= objective.seconds;
    let (_, text) = REGULAR.iter().rev().find(|(seconds, _)| fits(*seconds))?;
    Some(
        text.parse()
            .expect("the expressions of this table are expressions"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::schedule;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_worst_loss_is_the_longest_gap_and_the_time_of_a_run() {
        for (cron, zone, worst) in [
            ("0 */6 * * *", "UTC", 6 * 3_600),
            // The day on which Berlin's clocks go back has 25 hours.
            ("0 0 * * *", "Europe/Berlin", 25 * 3_600),
            ("0 2 * * mon-fri", "UTC", 72 * 3_600),
            ("0 0 29 2 *", "UTC", 0),
        ] {
            let mut schedule = schedule(cron);
            schedule.zone = zone.parse().expect("a zone");
            let found = schedule.worst_loss_seconds(time("2026-01-01T00:00:00Z"), 600);
            let expected = (worst > 0).then_some(worst + 600);
            assert_eq!(found, expected, "{cron} {zone}");
        }
    }

    #[test]
    fn a_derived_expression_meets_its_objective_and_the_next_longer_one_does_not() {
        for (hours, run_seconds, cron) in [
            (6, 600, Some("0 */4 * * *")),
            (24, 0, Some("0 0 * * *")),
            (24, 1, Some("0 */12 * * *")),
            (1_000, 600, Some("0 0 * * *")),
            (1, 3_600, None),
        ] {
            let objective = Objective {
                seconds: hours * 3_600,
            };
            let derived = derive_cron(objective, run_seconds);
            assert_eq!(derived.as_ref().map(Cron::as_str), cron, "{hours} h");
            if let Some(cron) = derived {
                let worst = schedule(cron.as_str())
                    .worst_loss_seconds(time("2026-01-01T00:00:00Z"), run_seconds)
                    .expect("runs");
                assert!(worst <= objective.seconds, "{cron}: {worst}");
            }
        }
    }

    #[test]
    fn an_objective_is_broken_by_age_and_a_backup_of_the_future_has_none() {
        let objective = Objective { seconds: 100 };
        let start = time("2026-01-01T00:00:00Z");
        for (now, state) in [
            (
                "2026-01-01T00:01:40Z",
                RecoveryPoint::Met { age_seconds: 100 },
            ),
            (
                "2026-01-01T00:01:41Z",
                RecoveryPoint::Broken { age_seconds: 101 },
            ),
            (
                "2025-12-31T00:00:00Z",
                RecoveryPoint::Met { age_seconds: 0 },
            ),
        ] {
            assert_eq!(objective.state(Some(start), time(now)), state, "{now}");
        }
        assert_eq!(objective.state(None, start), RecoveryPoint::NoBackup);
    }
}
