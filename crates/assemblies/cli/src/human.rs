//! Sizes, times and durations as people read them. JSON never uses these.

use jiff::Timestamp;

pub use plan::wording::bytes;

/// `3725` is `1h 02m`.
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", ms as f64 / 1000.0),
    }
}

/// An RFC 3339 time in UTC to the second; `-` if there is none yet.
pub fn time(rfc3339: &str) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) if rfc3339.is_empty() => "-".into(),
        Err(_) => rfc3339.to_owned(),
    }
}

/// `1 node`, `3 nodes`.
pub fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_two_units_at_most() {
        for (time, expected) in [(0, "0s"), (59, "59s"), (61, "1m 01s"), (3725, "1h 02m")] {
            assert_eq!(seconds(time), expected);
        }
    }

    #[test]
    fn times_are_shown_to_the_second_in_utc() {
        assert_eq!(time("2026-11-22T10:00:00.123Z"), "2026-11-22T10:00:00Z");
        assert_eq!(time("2026-11-22T12:00:00+02:00"), "2026-11-22T10:00:00Z");
        assert_eq!(time(""), "-");
    }
}
