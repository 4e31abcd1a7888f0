//! Hours, days, weeks, months and years, of each of which one backup is kept.

use std::fmt;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

/// A span of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// An hour by the clock; one that clocks show twice is two.
    Hour,
    /// A day of the calendar.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl Period {
    /// From the shortest on.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// A number that two points in time share exactly if they are in one period. A later period has a higher number.
    pub(crate) fn number(self, time: &Zoned) -> i64 {
        let (year, month, day) = (
            i64::from(time.year()),
            i64::from(time.month()),
            i64::from(time.day()),
        );
        match self {
            // When the hour began: one that clocks show twice began twice.
            Self::Hour => {
                let since = i64::from(time.minute()) * 60 + i64::from(time.second());
                time.timestamp().as_second() - since
            }
            Self::Day => (year * 12 + month) * 31 + day,
            Self::Week => {
                let week = time.date().iso_week_date();
                i64::from(week.year()) * 53 + i64::from(week.week())
            }
            Self::Month => year * 12 + month,
            Self::Year => year,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Zone;

    #[test]
    fn an_hour_is_that_of_the_clock() {
        let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
        let number = |text: &str| {
            let time = zone.at(text.parse().expect("a time"));
            Period::Hour.number(&time)
        };
        // 10:10, 10:50 and 11:20.
        let [first, second, third] = [
            "2026-01-01T04:40:00Z",
            "2026-01-01T05:20:00Z",
            "2026-01-01T05:50:00Z",
        ]
        .map(number);
        assert_eq!(first, second);
        assert!(second < third);
    }

    #[test]
    fn a_later_period_has_a_higher_number() {
        let zone: Zone = "Europe/Berlin".parse().expect("a zone");
        let at = |text: &str| zone.at(text.parse().expect("a time"));
        for (period, earlier, later, same) in [
            (
                Period::Hour,
                "2026-01-01T00:59:59Z",
                "2026-01-01T01:00:00Z",
                false,
            ),
            // Clocks show 02:30 twice.
            (
                Period::Hour,
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                false,
            ),
            (
                Period::Day,
                "2026-01-31T22:59:59Z",
                "2026-01-31T23:00:00Z",
                false,
            ),
            (
                Period::Day,
                "2026-01-30T23:00:00Z",
                "2026-01-31T22:59:59Z",
                true,
            ),
            (
                Period::Week,
                "2025-12-28T22:00:00Z",
                "2025-12-28T23:00:00Z",
                false,
            ),
            // A Wednesday and a Thursday, with New Year's Day between them.
            (
                Period::Week,
                "2025-12-31T12:00:00Z",
                "2026-01-01T12:00:00Z",
                true,
            ),
            (
                Period::Month,
                "2025-12-31T12:00:00Z",
                "2026-01-01T12:00:00Z",
                false,
            ),
            (
                Period::Year,
                "2026-01-01T00:00:00Z",
                "2026-12-31T22:00:00Z",
                true,
            ),
        ] {
            let (earlier, later) = (period.number(&at(earlier)), period.number(&at(later)));
            assert!(earlier <= later, "{period}");
            assert_eq!(earlier == later, same, "{period} {earlier} {later}");
        }
    }
}
