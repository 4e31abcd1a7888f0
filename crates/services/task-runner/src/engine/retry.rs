//! When a step is retried, and when it is given up. Only idempotent calls are repeated, and all calls of a step are.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::step_error::StepError;
use crate::config::TasksConfig;

/// Pauses double up to the limit; no more doublings than this, so that nothing overflows.
const DOUBLINGS_MAX: u32 = 16;

#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryLimits {
    pub first: Duration,
    pub max: Duration,
    /// Counted from the first failure since the step last got further, or last held out for as long as this.
    pub give_up_after: Duration,
}

impl RetryLimits {
    pub fn new(config: &TasksConfig) -> Self {
        Self {
            first: Duration::from_millis(config.step_retry_first_ms),
            max: Duration::from_millis(config.step_retry_max_ms),
            give_up_after: Duration::from_secs(config.step_retry_for_seconds),
        }
    }

    /// The same, giving up no later than `limit`.
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            give_up_after: self.give_up_after.min(limit),
            ..self
        }
    }

    /// The pause after the given number of failures in a row; half of it is left to chance, in 0 to 1, so that many
    /// steps that failed together do not come back together.
    fn pause(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let full = self.first.saturating_mul(1 << doublings).min(self.max);
        full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// Keeps count of failures in a row.
pub(crate) struct Retry {
    limits: RetryLimits,
    failures: u32,
    failing_since: Option<Instant>,
    /// How far the step was at its last failure.
    reached: u64,
}

impl Retry {
    pub fn new(limits: RetryLimits) -> Self {
        Self {
            limits,
            failures: 0,
            failing_since: None,
            reached: 0,
        }
    }

    /// How long to wait before the next try, or nothing when it is time to give up.
    ///
    /// `lasted` is how long the try took that failed: one that held out for long was no part of an outage. Silence is,
    /// however long it was.
    pub fn after_failure(
        &mut self,
        error: &StepError,
        reached: u64,
        lasted: Duration,
    ) -> Option<Duration> {
        if !error.is_retryable() {
            return None;
        }
        let held_out =
            !error.is_silence() && !lasted.is_zero() && lasted >= self.limits.give_up_after;
        if reached > self.reached || held_out {
            self.reached = self.reached.max(reached);
            self.failures = 0;
            self.failing_since = None;
        }
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.limits.give_up_after {
            return None;
        }
        self.failures += 1;
        Some(self.limits.pause(self.failures, chance()))
    }
}

/// Tries until it succeeds, fails for good or the limit is reached.
pub(crate) async fn retry<T, F>(
    limits: RetryLimits,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StepError>
where
    F: Future<Output = Result<T, StepError>>,
{
    let mut state = Retry::new(limits);
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // However long a try lasted, it counts: a node that never answers must not keep a task from its end.
        match state.after_failure(&error, 0, Duration::ZERO) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

/// A number in 0 to 1. The random bits of a UUID are random enough to spread retries.
fn chance() -> f64 {
    let bits = Uuid::new_v4().as_u128() as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use api::clients::SILENCE;
    use api::{ErrorKind, RemoteError};

    use super::*;

    const LIMITS: RetryLimits = RetryLimits {
        first: Duration::from_millis(100),
        max: Duration::from_millis(1000),
        give_up_after: Duration::from_secs(600),
    };

    fn error(kind: ErrorKind) -> StepError {
        StepError::Remote(RemoteError::new(kind, "", "no"))
    }

    #[test]
    fn pauses_double_up_to_the_limit_and_half_is_chance() {
        let most: Vec<u128> = (1..7).map(|n| LIMITS.pause(n, 1.0).as_millis()).collect();
        assert_eq!(most, [100, 200, 400, 800, 1000, 1000]);
        let least: Vec<u128> = (1..4).map(|n| LIMITS.pause(n, 0.0).as_millis()).collect();
        assert_eq!(least, [50, 100, 200]);
        assert_eq!(LIMITS.pause(u32::MAX, 1.0).as_millis(), 1000);
    }

    const AT_ONCE: Duration = Duration::from_millis(1);

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        for (kind, again) in [
            (ErrorKind::Unavailable, true),
            (ErrorKind::Cancelled, true),
            (ErrorKind::DataLoss, false),
            (ErrorKind::FailedPrecondition, false),
            (ErrorKind::Internal, false),
        ] {
            let pause = Retry::new(LIMITS).after_failure(&error(kind), 0, AT_ONCE);
            assert_eq!(pause.is_some(), again, "{kind:?}");
        }
    }

    /// Whether a step goes on whose time is almost spent, after one more try that failed.
    #[tokio::test]
    async fn a_step_that_gets_further_or_holds_out_gets_its_time_again() {
        let limits = RetryLimits {
            give_up_after: Duration::from_millis(20),
            ..LIMITS
        };
        let down = || error(ErrorKind::Unavailable);
        let silent = || StepError::Remote(RemoteError::new(ErrorKind::Unavailable, SILENCE, "no"));
        let long = Duration::from_secs(60);
        for (what, error, reached, lasted, goes_on) in [
            ("fails as before", down(), 1, AT_ONCE, false),
            ("gets further", down(), 2, AT_ONCE, true),
            ("holds out", down(), 1, long, true),
            ("is silent for long", silent(), 1, long, false),
        ] {
            let mut retry = Retry::new(limits);
            assert!(retry.after_failure(&down(), 1, AT_ONCE).is_some());
            tokio::time::sleep(limits.give_up_after * 2).await;
            let pause = retry.after_failure(&error, reached, lasted);
            assert_eq!(pause.is_some(), goes_on, "{what}");
        }
    }
}
