//! When a step is retried, and when it is given up. Only idempotent calls are repeated, and all calls of a step are.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::step_error::StepError;
use crate::config::TasksConfig;

/// Pauses double up to the limit; no more doublings than this, so that nothing overflows.
const DOUBLINGS_MAX: u32 = 16;

/// A step that holds out for long with some progress, and yet never gets further than before, is tried again this often.
const HELD_OUT_MAX: u32 = 10;

#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryLimits {
    pub first: Duration,
    pub max: Duration,
    /// Counted from the first failure since the step last got further, or last held out for as long as this.
    pub give_up_after: Duration,
    /// How long all tries of [`retry`] may take together.
    pub total: Duration,
}

impl RetryLimits {
    pub fn new(config: &TasksConfig) -> Self {
        Self {
            first: Duration::from_millis(config.step_retry_first_ms),
            max: Duration::from_millis(config.step_retry_max_ms),
            give_up_after: Duration::from_secs(config.step_retry_for_seconds),
            total: config.clean_up_limit(),
        }
    }

    /// The same, giving up no later than `limit` after the first failure.
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            give_up_after: self.give_up_after.min(limit),
            ..self
        }
    }

    /// The same, with this much time for all tries together.
    pub fn within(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    /// The pause after the given number of failures in a row; half of it is left to chance, in 0 to 1, so that many
    /// steps that failed together do not come back together.
    fn pause(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let full = self.first.saturating_mul(1 << doublings).min(self.max);
        full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    pub bytes: u64,
    pub items: u64,
}

impl Reached {
    fn is_beyond(self, other: Self) -> bool {
        self.bytes > other.bytes || self.items > other.items
    }

    pub fn max(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            items: self.items.max(other.items),
        }
    }
}

/// A try that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FailedTry {
    /// The furthest that any try has come.
    pub reached: Reached,
    /// Whether anything moved while this one ran.
    pub moved: bool,
    pub lasted: Duration,
}

/// Keeps count of failures in a row.
pub(crate) struct Retry {
    limits: RetryLimits,
    failures: u32,
    failing_since: Option<Instant>,
    /// How far the step was at its last failure.
    reached: Reached,
    /// How often it has held out since it last got further.
    held_out: u32,
}

impl Retry {
    pub fn new(limits: RetryLimits) -> Self {
        Self {
            limits,
            failures: 0,
            failing_since: None,
            reached: Reached::default(),
            held_out: 0,
        }
    }

    /// How long to wait before the next try, or nothing when it is time to give up.
    ///
    /// A try that held out for long was no part of an outage, but only if something moved meanwhile: a call that reports
    /// nothing and fails after an hour is as good as one that fails at once.
    pub fn after_failure(&mut self, error: &StepError, failed: FailedTry) -> Option<Duration> {
        if !error.is_retryable() {
            return None;
        }
        let got_further = failed.reached.is_beyond(self.reached);
        if got_further {
            self.reached = self.reached.max(failed.reached);
            self.held_out = 0;
        }
        if got_further || self.holds_out(error, failed) {
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

    fn holds_out(&mut self, error: &StepError, failed: FailedTry) -> bool {
        let held_out = failed.moved
            && !error.is_silence()
            && failed.lasted >= self.limits.give_up_after
            && self.held_out < HELD_OUT_MAX;
        self.held_out += u32::from(held_out);
        held_out
    }
}

/// Tries until it succeeds, fails for good or a limit is reached.
pub(crate) async fn retry<T, F>(
    limits: RetryLimits,
    attempt: impl FnMut() -> F,
) -> Result<T, StepError>
where
    F: Future<Output = Result<T, StepError>>,
{
    match tokio::time::timeout(limits.total, tries(limits, attempt)).await {
        Ok(result) => result,
        Err(_) => Err(StepError::NoReply {
            seconds: limits.total.as_secs(),
        }),
    }
}

async fn tries<T, F>(limits: RetryLimits, mut attempt: impl FnMut() -> F) -> Result<T, StepError>
where
    F: Future<Output = Result<T, StepError>>,
{
    let mut state = Retry::new(limits);
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match state.after_failure(&error, FailedTry::default()) {
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
        total: Duration::from_secs(600),
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

    fn further(bytes: u64, items: u64) -> Reached {
        Reached { bytes, items }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        for (kind, again) in [
            (ErrorKind::Unavailable, true),
            (ErrorKind::Cancelled, true),
            (ErrorKind::DataLoss, false),
            (ErrorKind::FailedPrecondition, false),
            (ErrorKind::Internal, false),
        ] {
            let pause = Retry::new(LIMITS).after_failure(&error(kind), FailedTry::default());
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
        let at_once = FailedTry {
            reached: further(1, 1),
            ..FailedTry::default()
        };
        let long = FailedTry {
            lasted: Duration::from_secs(60),
            ..at_once
        };
        let moving = FailedTry {
            moved: true,
            ..long
        };
        let bytes = FailedTry {
            reached: further(2, 1),
            ..at_once
        };
        let items = FailedTry {
            reached: further(0, 2),
            ..at_once
        };
        for (what, error, failed, goes_on) in [
            ("fails as before", down(), at_once, false),
            ("gets further by bytes", down(), bytes, true),
            ("gets further by items", down(), items, true),
            ("holds out with progress", down(), moving, true),
            ("holds out without progress", down(), long, false),
            ("is silent for long", silent(), moving, false),
        ] {
            let mut retry = Retry::new(limits);
            assert!(retry.after_failure(&down(), at_once).is_some());
            tokio::time::sleep(limits.give_up_after * 2).await;
            let pause = retry.after_failure(&error, failed);
            assert_eq!(pause.is_some(), goes_on, "{what}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_always_breaks_off_at_the_same_place_is_given_up() {
        let error = error(ErrorKind::Unavailable);
        let failed = FailedTry {
            reached: further(5, 0),
            moved: true,
            lasted: LIMITS.give_up_after,
        };
        let mut retry = Retry::new(LIMITS);
        let mut tries = 0;
        while retry.after_failure(&error, failed).is_some() {
            tries += 1;
            assert!(tries <= 2 * HELD_OUT_MAX, "it never ends");
            tokio::time::advance(failed.lasted).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_replies_is_given_up() {
        let given_up = retry(LIMITS, std::future::pending::<Result<(), StepError>>).await;
        assert!(matches!(given_up, Err(StepError::NoReply { seconds: 600 })));
    }
}
