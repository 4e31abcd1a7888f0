//! How many pieces of work are at it at once, by a limit that may change while others wait.

use tokio::sync::watch;

/// Lets so many in at a time.
#[derive(Debug, Default)]
pub struct Gate(watch::Sender<Places>);

#[derive(Debug, Default)]
struct Places {
    /// 0: no limit.
    limit: usize,
    taken: usize,
}

/// The right to be at work, until this is dropped.
#[derive(Debug)]
pub struct Place<'a>(&'a Gate);

impl Gate {
    /// 0: no limit. With a lower one than before, those that are in stay in, and others wait until enough have left.
    pub fn set_limit(&self, limit: usize) {
        self.0.send_modify(|places| places.limit = limit);
    }

    /// Waits for a place. A wait may be dropped at any moment.
    pub async fn enter(&self) -> Place<'_> {
        let mut changes = self.0.subscribe();
        loop {
            // Before the look, so that no change after it is missed.
            changes.mark_unchanged();
            let entered = self.0.send_if_modified(|places| {
                let is_free = places.limit == 0 || places.taken < places.limit;
                places.taken += usize::from(is_free);
                is_free
            });
            if entered {
                return Place(self);
            }
            // The sender lives as long as this.
            let _ = changes.changed().await;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|places| places.taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn no_more_enter_than_the_limit_allows_at_that_moment() {
        let gate = Gate::default();
        let first = gate.enter().await;
        let second = gate.enter().await;
        gate.set_limit(1);
        let mut third = Box::pin(gate.enter());
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        assert!((&mut third).now_or_never().is_none(), "one is still in");
        drop(second);
        let third = third.now_or_never().expect("a place");
        let mut fourth = Box::pin(gate.enter());
        assert!((&mut fourth).now_or_never().is_none());
        gate.set_limit(2);
        fourth.now_or_never().expect("a place");
        drop(third);
    }

    #[tokio::test]
    async fn a_wait_that_is_dropped_takes_no_place() {
        let gate = Gate::default();
        gate.set_limit(1);
        let first = gate.enter().await;
        assert!(gate.enter().now_or_never().is_none());
        drop(first);
        assert!(gate.enter().now_or_never().is_some());
    }
}
