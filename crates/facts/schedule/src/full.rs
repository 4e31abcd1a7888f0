//! The days on which a schedule makes a full backup.

use std::fmt;
use std::str::FromStr;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::Cron;

/// Days of the week or of the month, as cron's fields have them: `sun`, `mon,thu`, `1,15`, `L`, `sun#1`. On each of them the
/// first run is full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FullOn {
    text: String,
    midnight: Cron,
}

/// Why a text does not name days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not name days; write days of the week like sun or mon,thu, or days of the month like 1,15 or L"
)]
pub struct FullOnError(String);

impl FullOn {
    /// The start of the last of these days that has begun.
    pub(crate) fn last_day(&self, time: &Zoned) -> Option<Zoned> {
        // A day whose midnight clocks skip starts later, and is found as well.
        let midnight = self.midnight.last_until(time)?;
        midnight.start_of_day().ok()
    }
}

impl fmt::Display for FullOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FullOn {
    type Err = FullOnError;

    fn from_str(text: &str) -> Result<Self, FullOnError> {
        let wrong = || FullOnError(text.to_owned());
        let is_one_field =
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@');
        if !is_one_field {
            return Err(wrong());
        }
        // A number is a day of the month: days of the week have names, so that neither is taken for the other.
        let names_weekdays = text
            .to_ascii_lowercase()
            .contains(|c: char| c.is_ascii_lowercase() && !matches!(c, 'l' | 'w'));
        let midnight = if names_weekdays {
            format!("0 0 * * {text}")
        } else {
            format!("0 0 {text} * *")
        };
        let midnight = midnight.parse().map_err(|_| wrong())?;
        Ok(Self {
            text: text.to_owned(),
            midnight,
        })
    }
}

impl TryFrom<String> for FullOn {
    type Error = FullOnError;

    fn try_from(text: String) -> Result<Self, FullOnError> {
        text.parse()
    }
}

impl From<FullOn> for String {
    fn from(days: FullOn) -> Self {
        days.text
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use model::Zone;

    /// The days of January 2026 on which a full backup is made.
    fn january(text: &str, zone: &str) -> Vec<i8> {
        let days: FullOn = text.parse().expect("days");
        let zone: Zone = zone.parse().expect("a zone");
        let first = zone.at("2026-01-01T20:00:00Z".parse().expect("a time"));
        let month = (0..31).map(|day| {
            first
                .checked_add(SignedDuration::from_hours(24 * day))
                .expect("a day")
        });
        month
            .filter(|time| days.last_day(time).expect("a day").date() == time.date())
            .map(|time| time.day())
            .collect()
    }

    #[test]
    fn days_of_the_week_have_names_and_days_of_the_month_numbers() {
        for (text, days) in [
            ("sun", vec![4, 11, 18, 25]),
            ("SUN", vec![4, 11, 18, 25]),
            ("mon,thu", vec![1, 5, 8, 12, 15, 19, 22, 26, 29]),
            ("sat-sun", vec![3, 4, 10, 11, 17, 18, 24, 25, 31]),
            ("1,15", vec![1, 15]),
            ("L", vec![31]),
            ("sun#1", vec![4]),
        ] {
            assert_eq!(january(text, "UTC"), days, "{text}");
            assert_eq!(january(text, "Europe/Berlin"), days, "{text}");
        }
    }

    #[test]
    fn what_does_not_name_days_is_refused() {
        for text in ["", "sunday morning", "32", "0", "@daily", "* *", "fun"] {
            assert!(text.parse::<FullOn>().is_err(), "{text}");
        }
    }
}
