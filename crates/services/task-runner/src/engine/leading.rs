//! A lease of one runner of several, kept for as long as its work lasts.

use std::sync::Arc;
use std::time::Duration;

use state_store::{Fence, StateError};
use tokio::time::{Instant, sleep, timeout};

use super::lease::LeaseTime;
use super::runner::Engine;

/// The lease, and for how long it lasts.
pub(crate) struct Leading {
    pub fence: Fence,
    time: LeaseTime,
}

impl Leading {
    /// Takes the lease of this name; none if another runner has it.
    pub async fn take(engine: &Engine, lease: &str) -> Result<Option<Self>, StateError> {
        let ttl = engine.context.tasks.lease_ttl();
        match engine
            .context
            .store
            .acquire(lease, &engine.holder, ttl)
            .await
        {
            Ok(fence) => Ok(Some(Self {
                fence,
                time: LeaseTime::unknown(ttl),
            })),
            Err(StateError::LeaseHeld { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Does work under the lease, which is renewed meanwhile. None if the lease runs out before the work is done: it is dropped
    /// then.
    pub async fn during<T>(
        &self,
        engine: &Arc<Engine>,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, StateError> {
        let ttl = self.time.ttl();
        // Nothing runs under it at this moment, so its time may start again.
        let asked_at = self.renew(engine, ttl).await?;
        self.time.started(asked_at);
        let work = self.time.guard(work);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(Some(done)),
                () = sleep(ttl / 3) => {
                    // The work goes on while the renewal waits for its reply.
                    let renewal = self.renew(engine, self.time.left());
                    let asked_at = tokio::select! {
                        done = &mut work => return Ok(Some(done)),
                        renewed = renewal => renewed?,
                    };
                    if !self.time.renewed(asked_at) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Renews the lease within this time. Returns when that was asked for.
    async fn renew(&self, engine: &Engine, within: Duration) -> Result<Instant, StateError> {
        let asked_at = Instant::now();
        let renewal = engine.context.store.renew(&self.fence, self.time.ttl());
        match timeout(within, renewal).await {
            Ok(renewed) => renewed.map(|()| asked_at),
            Err(late) => Err(StateError::Backend {
                action: "renew a lease",
                source: late.into(),
            }),
        }
    }

    /// Gives the lease back. If that fails, it runs out.
    pub async fn release(self, engine: &Engine) {
        let _ = engine.context.store.release(&self.fence).await;
    }
}
