//! The time that ages of backups and ends of pins are measured against, so that no single wrong clock moves it.
//!
//! Backups are dated by the clock of the storage-catalog, and the process that measures an age has a clock, too. Either may be a year
//! ahead. Time has passed for certain only if several backups say so.

use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A gap of that many days needs no explanation, whatever the gaps before it.
const PLAUSIBLE_GAP_DAYS: i32 = 32;
/// How many times as long as any gap before it a gap may be.
const PLAUSIBLE_FACTOR: i32 = 3;
/// Backups whose dates one wrong clock moves at a time, and one more.
pub const REFERENCE_MIN: usize = 2;

/// The date of the `nth` newest backup, counted from 1, and at least that of the second newest. Without so many nothing is
/// old. The dates are in falling order.
pub fn reference(falling: &[Timestamp], nth: usize) -> Timestamp {
    let at = nth.max(REFERENCE_MIN) - 1;
    falling.get(at).copied().unwrap_or(Timestamp::MIN)
}

/// Whether time seems to have leapt: a gap between two backups is much longer than any before it, and those after it do not
/// span `days` by themselves yet. Either backups were not made for long, or a clock was wrong. The dates are in falling order.
pub fn has_leapt(falling: &[Timestamp], days: u32) -> bool {
    let Some(newest) = falling.first() else {
        return false;
    };
    let span = DAY * i32::try_from(days).unwrap_or(i32::MAX);
    let mut longest = SignedDuration::ZERO;
    let mut leapt = false;
    for pair in falling.windows(2).rev() {
        let gap = pair[0].duration_since(pair[1]);
        let plausible = (DAY * PLAUSIBLE_GAP_DAYS).max(longest * PLAUSIBLE_FACTOR);
        leapt |= gap > plausible && newest.duration_since(pair[0]) < span;
        longest = longest.max(gap);
    }
    leapt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days before some time, in rising order, make dates in falling order.
    fn dates(days_ago: &[i32]) -> Vec<Timestamp> {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a time");
        let date = |days: &i32| now.checked_sub(DAY * *days).expect("a time");
        days_ago.iter().map(date).collect()
    }

    #[test]
    fn one_wrong_date_does_not_move_the_reference() {
        assert_eq!(reference(&[], 1), Timestamp::MIN);
        assert_eq!(reference(&dates(&[0]), 1), Timestamp::MIN);
        assert_eq!(reference(&dates(&[0, 5, 9]), 1), dates(&[5])[0]);
        assert_eq!(reference(&dates(&[0, 5, 9]), 3), dates(&[9])[0]);
    }

    #[test]
    fn a_leap_is_a_gap_that_no_earlier_one_explains_and_that_is_not_long_ago() {
        for (days_ago, leapt) in [
            (&[0, 365, 366, 367][..], true),
            // Two backups with the wrong clock explain no more than one.
            (&[0, 1, 2, 365, 366], true),
            (&[0, 365], true),
            (&[0, 31], false),
            (&[0, 1, 2, 3], false),
            // Backups by the quarter.
            (&[0, 91, 183, 275], false),
            // After thirty days of backups the gap is taken for what it seems.
            (&[0, 10, 20, 30, 365, 366], false),
        ] {
            assert_eq!(has_leapt(&dates(days_ago), 30), leapt, "{days_ago:?}");
        }
    }
}
