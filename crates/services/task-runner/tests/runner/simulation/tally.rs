//! Counts what has happened in all courses of events, so that a simulation in which nothing happens is noticed.

use std::collections::BTreeMap;

/// What must have happened in a thousand courses.
const MUST_HAVE: [&str; 12] = [
    "deaths of runners",
    "pauses at the end",
    "backups beside restores",
    "turns waited for",
    "Backup Succeeded",
    "Restore Succeeded",
    "Restore Cancelled",
    "resumed restore Succeeded",
    "limits of tasks",
    "Delete Succeeded",
    "Delete Failed",
    "run Succeeded",
];

#[derive(Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn add(&mut self, what: &str, count: u64) {
        *self.0.entry(what.to_owned()).or_default() += count;
    }

    pub fn extend(&mut self, other: Self) {
        for (what, count) in other.0 {
            self.add(&what, count);
        }
    }

    #[track_caller]
    pub fn check(&self) {
        for what in MUST_HAVE {
            let count = self.0.get(what).copied().unwrap_or_default();
            assert!(count > 0, "{what} never happened: {:#?}", self.0);
        }
    }
}
