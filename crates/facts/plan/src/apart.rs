//! Snapshots of one backup that are far apart in time.

use crate::wording;

/// All snapshots are asked for at once, and healthy nodes take them within seconds, the flush of a full memtable
/// included. A longer spread comes from a node that failed and was asked again, with pauses of up to half a minute, or
/// from clocks that differ.
const NEAR_MS: u64 = 60_000;

/// What such a spread means for the backup; none if it is as short as usual.
pub fn snapshots_apart(spread_ms: u64) -> Option<String> {
    (spread_ms > NEAR_MS).then(|| {
        format!(
            "the first and the last node's snapshot are {} apart: rows that were written together in that time may be in the backup one without the other",
            wording::duration(spread_ms / 1000)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_spread_of_more_than_a_minute_is_named() {
        for (spread_ms, named) in [
            (0, None),
            (60_000, None),
            (60_001, Some("1m 00s")),
            (310_500, Some("5m 10s")),
        ] {
            let apart = snapshots_apart(spread_ms);
            assert_eq!(apart.is_some(), named.is_some(), "{spread_ms}");
            let (text, named) = (apart.unwrap_or_default(), named.unwrap_or_default());
            assert!(text.contains(named), "{text}");
        }
    }
}
