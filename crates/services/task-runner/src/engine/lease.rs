//! For how long a driver may believe that it holds its lease.
//!
//! Counted from before the lease was asked for, by a clock that setting the host's time does not move. It ends a little before
//! the lease does, so that calls in flight have ended when another runner takes over. A process that was paused for longer
//! finds it over before any work goes on; what is lost between that look and a call is refused by the agents' fences.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Of a lease, this part is left for calls in flight to end.
const MARGIN: u32 = 6;

/// The time of one lease.
pub(crate) struct LeaseTime {
    ttl: Duration,
    until: Mutex<Instant>,
}

impl LeaseTime {
    /// A lease that counts as over until it was renewed: when it was taken is not known.
    pub fn unknown(ttl: Duration) -> Self {
        Self {
            ttl,
            until: Mutex::new(Instant::now()),
        }
    }

    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// It was taken or confirmed by a call that began then, and nothing is guarded yet.
    pub fn started(&self, asked_at: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = self.end(asked_at);
    }

    /// It was renewed by a call that began then. Returns false, and changes nothing, if it is over already: what it guarded
    /// was dropped, or is about to be, and must not be waited for.
    pub fn renewed(&self, asked_at: Instant) -> bool {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= *until {
            return false;
        }
        *until = self.end(asked_at);
        true
    }

    fn end(&self, asked_at: Instant) -> Instant {
        asked_at + self.ttl - self.ttl / MARGIN
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.until().saturating_duration_since(Instant::now())
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.until()
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work while the lease lasts. When it is over the work is dropped, and this never returns: whoever renews the
    /// lease notices, too, and drops this.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = Some(Box::pin(work));
        let mut timer = Box::pin(sleep_until(self.until()));
        poll_fn(move |context| {
            // Before the work: after a pause of the process it must not get any further.
            if self.is_over() {
                work = None;
            }
            let Some(running) = work.as_mut() else {
                return Poll::Pending;
            };
            if let Poll::Ready(done) = running.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            while timer.as_mut().poll(context).is_ready() {
                if self.is_over() {
                    work = None;
                    return Poll::Pending;
                }
                timer.as_mut().reset(self.until());
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    /// Counts the seconds in which it may run.
    async fn count(seconds: Arc<AtomicU32>) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            seconds.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Guarded work, and the seconds that it has run for.
    fn guarded() -> (Arc<LeaseTime>, Arc<AtomicU32>) {
        let time = Arc::new(LeaseTime::unknown(TTL));
        time.started(Instant::now());
        let seconds = Arc::new(AtomicU32::new(0));
        let (guard, counting) = (time.clone(), count(seconds.clone()));
        tokio::spawn(async move { guard.guard(counting).await });
        (time, seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_before_the_lease_does_unless_it_is_renewed() {
        let (time, seconds) = guarded();
        tokio::time::sleep(TTL / 2).await;
        assert!(time.renewed(Instant::now()));
        assert!(!time.is_over());
        tokio::time::sleep(2 * TTL).await;
        assert!(time.is_over());
        let ran = seconds.load(Ordering::SeqCst);
        assert!((75..=80).contains(&ran), "{ran}");
        assert_eq!(Arc::strong_count(&seconds), 1, "the work is dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_succeeds_after_the_end_does_not_bring_the_lease_back() {
        let (time, seconds) = guarded();
        let asked_at = Instant::now() + TTL / 3;
        tokio::time::sleep(TTL).await;
        assert_eq!(Arc::strong_count(&seconds), 1, "the work is dropped");
        assert!(!time.renewed(asked_at));
        assert!(
            time.is_over(),
            "nothing would ever end the wait for the work"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_of_the_process_work_goes_no_further() {
        let (_time, seconds) = guarded();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        // Everything that waited is due at once.
        tokio::time::advance(2 * TTL).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds.load(Ordering::SeqCst), 2);
        assert_eq!(Arc::strong_count(&seconds), 1, "the work is dropped");
    }
}
