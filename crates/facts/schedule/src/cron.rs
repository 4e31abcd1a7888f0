//! A cron expression.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp, Zoned, civil};
use serde::{Deserialize, Serialize};

use model::Zone;

/// A cron expression: minute, hour, day of month, month and day of week, with seconds before them if there are six
/// fields; also `@hourly`, `@daily` and the like. Vixie cron's rules apply:
///
/// - If both days are restricted, either of them matches.
/// - `0` and `7` are Sunday. `L` is the last day of the month, `5L` the last Friday, `5#2` the second Friday, `15W` the
///   weekday nearest to the 15th.
/// - A time that clocks skip in spring runs right after the gap, and a time that they show twice in autumn runs the first
///   time. If the hour begins with `*`, runs follow the clocks instead: none is in the gap, and the repeated hour has its own.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    pattern: Arc<croner::Cron>,
    /// Whether it runs every hour or every few hours, rather than at certain times of the day.
    follows_clocks: bool,
}

/// Why a text is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It does not follow the syntax.
    #[error(
        "`{text}` is not a cron expression: {why}; write it like \"30 2 * * *\", every day at 02:30"
    )]
    Syntax {
        /// The expression.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// No day has the date that it asks for.
    #[error("`{0}` never runs: no date matches it")]
    Never(String),
}

/// Any point in time from which the next run is searched: a pattern that has none in the years after it has none.
const SOME_TIME: Timestamp = Timestamp::UNIX_EPOCH;
/// Longer than clocks ever go back.
const CLOCK_CHANGE_MAX: SignedDuration = SignedDuration::from_hours(3);

impl Cron {
    /// The first run after a point in time. None if there is none in the years that the search covers.
    pub fn next_after(&self, time: &Zoned) -> Option<Zoned> {
        if self.follows_clocks {
            return self.pattern.find_next_occurrence(time, false).ok();
        }
        let mut shown = time.datetime();
        loop {
            shown = self.pattern.find_next_occurrence(&shown, false).ok()?;
            // What clocks show again in autumn was due an hour before.
            let due = once(shown, time)?;
            if due > *time {
                return Some(due);
            }
        }
    }

    /// The last run at or before a point in time.
    pub fn last_until(&self, time: &Zoned) -> Option<Zoned> {
        if self.follows_clocks {
            return self.pattern.find_previous_occurrence(time, true).ok();
        }
        let rules = time.time_zone();
        let is_shown_twice = rules.to_ambiguous_zoned(time.datetime()).is_ambiguous();
        // When clocks show a time again, later times have been shown before.
        let mut shown = if is_shown_twice {
            time.datetime().checked_add(CLOCK_CHANGE_MAX).ok()?
        } else {
            time.datetime()
        };
        let mut inclusive = true;
        loop {
            shown = self
                .pattern
                .find_previous_occurrence(&shown, inclusive)
                .ok()?;
            let due = once(shown, time)?;
            if due <= *time {
                return Some(due);
            }
            inclusive = false;
        }
    }

    /// What it means, in words.
    pub fn describe(&self) -> String {
        let sentence = self.pattern.describe();
        sentence.trim_end_matches('.').to_owned()
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// When a time that clocks show is due, in the zone of another: the first time that they show it, or right after the gap if
/// they skip it.
fn once(shown: civil::DateTime, zone: &Zoned) -> Option<Zoned> {
    let ambiguous = zone.time_zone().to_ambiguous_zoned(shown);
    let AmbiguousOffset::Gap { before, .. } = ambiguous.offset() else {
        return ambiguous.earlier().ok();
    };
    // With the offset before the gap, a time in it is a moment after the change, which is thus the last one until then.
    let inside = before.to_timestamp(shown).ok()?;
    let change = zone.time_zone().preceding(after_now(inside)?).next()?;
    Some(change.timestamp().to_zoned(zone.time_zone().clone()))
}

/// The next moment, because a search backwards leaves out the one that it starts from.
fn after_now(time: Timestamp) -> Option<Timestamp> {
    time.checked_add(SignedDuration::from_nanos(1)).ok()
}

/// Whether the field of the hours is for every hour, or for every few of them.
fn follows_clocks(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    match fields.len().checked_sub(HOUR_FROM_END) {
        Some(hour) => fields[hour].starts_with(['*', '?']),
        None => text.eq_ignore_ascii_case("@hourly"),
    }
}

/// The field of the hours, counted from the last.
const HOUR_FROM_END: usize = 4;

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?})", self.text)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        // Vixie cron has both words for it.
        let known = if text == "@midnight" { "@daily" } else { &text };
        let pattern = parser.parse(known).map_err(|why| CronError::Syntax {
            text: text.clone(),
            why: why.to_string(),
        })?;
        let follows_clocks = follows_clocks(&text);
        let cron = Self {
            text,
            pattern: Arc::new(pattern),
            follows_clocks,
        };
        if cron.next_after(&Zone::default().at(SOME_TIME)).is_none() {
            return Err(CronError::Never(cron.text));
        }
        Ok(cron)
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

#[cfg(test)]
mod tests;
