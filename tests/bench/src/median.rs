//! What a benchmark reports of several rounds.

use std::time::Duration;

/// Of at least one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
