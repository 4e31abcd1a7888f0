//! Waiting for a condition instead of sleeping and hoping.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How often the condition is asked.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until a condition holds; panics, at the caller's line, when it does not within the deadline.
#[track_caller]
pub fn eventually<C, F>(deadline: Duration, mut condition: C) -> impl Future<Output = ()>
where
    C: FnMut() -> F,
    F: Future<Output = bool>,
{
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + deadline;
        while !condition().await {
            assert!(
                Instant::now() < end,
                "the condition at {caller} did not hold within {deadline:?}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_the_condition_holds() {
        let asked = Cell::new(0);
        eventually(Duration::from_secs(1), async || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        })
        .await;
        assert_eq!(asked.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "did not hold within 1s")]
    async fn it_panics_when_the_condition_never_holds() {
        eventually(Duration::from_secs(1), async || false).await;
    }
}
