//! The hours of the day in which runs may start.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::{SignedDuration, Zoned};
use serde::{Deserialize, Serialize};

/// Hours of the day, for example `22:00-06:00`; the end is not a part of them. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    from: Time,
    to: Time,
}

/// Why a text is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a window of hours; write it like 22:00-06:00")]
pub struct WindowError(String);

impl Window {
    /// Whether the clock shows a time within it.
    pub fn contains(&self, time: &Zoned) -> bool {
        let time = time.time();
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }

    /// The first point in time, not before this one, at which it is open.
    pub fn opens(&self, time: &Zoned) -> Option<Zoned> {
        if self.contains(time) {
            return Some(time.clone());
        }
        let today = time.with().time(self.from).build().ok()?;
        if today >= *time {
            return Some(today);
        }
        // Noon of the next day, because a day may have 23 or 25 hours.
        let noon = time
            .start_of_day()
            .ok()?
            .checked_add(SignedDuration::from_hours(36))
            .ok()?;
        noon.with().time(self.from).build().ok()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.strftime("%H:%M"), self.to.strftime("%H:%M"));
        write!(f, "{from}-{to}")
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let wrong = || WindowError(text.to_owned());
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| wrong());
        let window = Self {
            from: time(from)?,
            to: time(to)?,
        };
        // From a time to itself may mean always or never.
        if window.from == window.to {
            return Err(wrong());
        }
        Ok(window)
    }
}

impl TryFrom<String> for Window {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Zone;

    #[test]
    fn a_window_opens_now_today_or_tomorrow() {
        let zone: Zone = "Europe/Berlin".parse().expect("a zone");
        for (window, time, opens) in [
            (
                "22:00-06:00",
                "2026-01-05T21:30:00Z",
                "2026-01-05T21:30:00Z",
            ),
            (
                "22:00-06:00",
                "2026-01-05T04:59:00Z",
                "2026-01-05T04:59:00Z",
            ),
            (
                "22:00-06:00",
                "2026-01-05T05:00:00Z",
                "2026-01-05T21:00:00Z",
            ),
            (
                "01:00-05:00",
                "2026-01-05T12:00:00Z",
                "2026-01-06T00:00:00Z",
            ),
            // Clocks go forward in the night between.
            (
                "01:00-05:00",
                "2026-03-28T12:00:00Z",
                "2026-03-29T00:00:00Z",
            ),
            (
                "03:00-05:00",
                "2026-03-28T12:00:00Z",
                "2026-03-29T01:00:00Z",
            ),
        ] {
            let window: Window = window.parse().expect("a window");
            let found = window.opens(&zone.at(time.parse().expect("a time")));
            let found = found.expect("a time").timestamp().to_string();
            assert_eq!(found, opens, "{window} at {time}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in ["", "22:00", "22:00-22:00", "25:00-06:00", "22-6"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
        let window: Window = "22:00 - 06:00".parse().expect("a window");
        assert_eq!(window.to_string(), "22:00-06:00");
    }
}
