//! How long a task still takes, from the rate of the last minute.

use std::collections::VecDeque;

use jiff::Timestamp;
use model::task::StepState;

use super::task::StepStatus;

/// Rates are taken over at most this long, so that they follow what the disks do now.
const WINDOW_MS: i64 = 60_000;
/// Below this a rate says nothing.
const WINDOW_MS_MIN: i64 = 1_000;

/// Remembers how many bytes were done when.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    samples: VecDeque<(i64, u64)>,
}

impl RateMeter {
    pub fn record(&mut self, at: Timestamp, bytes_done: u64) {
        let at_ms = at.as_millisecond();
        // A step that starts over takes bytes back: what was measured before no longer counts.
        if self
            .samples
            .back()
            .is_some_and(|(_, last)| *last > bytes_done)
        {
            self.samples.clear();
        }
        self.samples.push_back((at_ms, bytes_done));
        while self
            .samples
            .front()
            .is_some_and(|(first, _)| at_ms - first > WINDOW_MS)
        {
            self.samples.pop_front();
        }
    }

    /// Seconds until the steps with known totals are done, rounded up.
    pub fn eta_seconds(&self, statuses: &[StepStatus]) -> Option<u64> {
        let (&(first_ms, first), &(last_ms, last)) = (self.samples.front()?, self.samples.back()?);
        if last_ms - first_ms < WINDOW_MS_MIN || last <= first {
            return None;
        }
        let left: u64 = statuses
            .iter()
            .filter(|step| matches!(step.state, StepState::Pending | StepState::Running))
            .map(|step| step.bytes_total.saturating_sub(step.bytes_done))
            .sum();
        let per_ms = (last - first) as f64 / (last_ms - first_ms) as f64;
        (left > 0).then(|| (left as f64 / per_ms / 1000.0).ceil() as u64)
    }
}

pub(crate) fn bytes_done(statuses: &[StepStatus]) -> u64 {
    statuses.iter().map(|status| status.bytes_done).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples as (second, bytes done), steps as (state, done, total).
    #[track_caller]
    fn check(samples: &[(i64, u64)], steps: &[(StepState, u64, u64)], expected: Option<u64>) {
        let mut meter = RateMeter::default();
        for (second, bytes) in samples {
            meter.record(Timestamp::from_second(*second).expect("a time"), *bytes);
        }
        let statuses: Vec<StepStatus> = steps
            .iter()
            .map(|(state, bytes_done, bytes_total)| StepStatus {
                state: *state,
                bytes_done: *bytes_done,
                bytes_total: *bytes_total,
                ..StepStatus::default()
            })
            .collect();
        assert_eq!(meter.eta_seconds(&statuses), expected);
    }

    #[test]
    fn time_left_is_bytes_left_at_the_rate_of_the_last_minute() {
        use StepState::{Pending, Running, Succeeded};
        let steps = [(Succeeded, 100, 100), (Running, 50, 150), (Pending, 0, 100)];
        check(&[(0, 100), (5, 150)], &steps, Some(20));
        check(&[(0, 0), (100, 50), (150, 150)], &steps, Some(100));
        check(&[(0, 100)], &steps, None);
        check(&[(0, 150), (5, 150)], &steps, None);
        check(&[(0, 100), (5, 150)], &[(Running, 5, 5)], None);
    }

    #[test]
    fn a_step_that_starts_over_is_measured_again() {
        let steps = [(StepState::Running, 20, 100)];
        check(&[(0, 0), (10, 80), (11, 10), (13, 20)], &steps, Some(16));
    }
}
