//! One runner of several carries out all schedules, and starts the retention that follows their backups: the holder of a lease.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use state_store::{Fence, StateError};
use tokio::time::{Instant, timeout};

use super::store::{self, Stored};
use super::tick::tick;
use crate::engine::{Engine, LeaseTime};
use crate::error::RunnerError;
use crate::retention;

/// The lease of the runner that carries out schedules.
const LEADER: &str = "schedules";
/// Schedules that are looked at together: one whose nodes hang does not hold up the others.
const TICKS_AT_ONCE: usize = 16;

/// The lease of the leader, and for how long it lasts.
struct Leading {
    fence: Fence,
    time: LeaseTime,
}

/// Carries out schedules whenever this runner is the leader, until it drains; never if the setting is 0.
pub(crate) async fn schedules_loop(engine: Arc<Engine>) {
    let every = Duration::from_secs(engine.context.config.schedules_every_seconds);
    if every.is_zero() {
        return;
    }
    let mut leader: Option<Leading> = None;
    while !engine.drain.is_cancelled() {
        if let Err(error) = lead(&engine, &mut leader).await {
            // A lease that is lost is taken again; after any other failure it may still be held.
            if matches!(error, RunnerError::State(StateError::Fenced { .. })) {
                leader = None;
            }
            let error = api::error::chain(&error);
            tracing::warn!(
                error,
                "schedules could not be carried out; another try follows"
            );
        }
        tokio::select! {
            () = engine.drain.cancelled() => {}
            () = tokio::time::sleep(every) => {}
        }
    }
    if let Some(leading) = leader {
        // If this fails, the lease runs out.
        let _ = engine.context.store.release(&leading.fence).await;
    }
}

/// Ticks every schedule once, if this runner is the leader or becomes it. Goes no further if the lease runs out meanwhile: what
/// was decided is on disk before it is done, and the next leader goes on from there.
async fn lead(engine: &Arc<Engine>, leader: &mut Option<Leading>) -> Result<(), RunnerError> {
    let store = &engine.context.store;
    let ttl = engine.context.tasks.lease_ttl();
    let leading = match leader {
        Some(leading) => leading,
        None => match store.acquire(LEADER, &engine.holder, ttl).await {
            Ok(fence) => {
                let time = LeaseTime::unknown(ttl);
                leader.insert(Leading { fence, time })
            }
            Err(StateError::LeaseHeld { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        },
    };
    // Nothing runs under it at this moment, so its time may start again.
    let asked_at = leading.renew(engine, ttl).await?;
    leading.time.started(asked_at);
    let schedules = store::list(&engine.context, None).await?;
    let ticks = stream::iter(schedules);
    let fence = &leading.fence;
    let ticks = ticks.for_each_concurrent(TICKS_AT_ONCE, |stored| tick_one(engine, stored, fence));
    let work = async {
        ticks.await;
        retention::start_due(engine, fence).await
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = leading.time.guard(&mut work) => return done,
            () = tokio::time::sleep(ttl / 3) => {
                let asked_at = leading.renew(engine, leading.time.left()).await?;
                if !leading.time.renewed(asked_at) {
                    // The next round asks for it again.
                    return Ok(());
                }
            }
        }
    }
}

impl Leading {
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
}

/// One schedule that cannot be carried out does not hold up the others.
async fn tick_one(engine: &Arc<Engine>, stored: Stored, fence: &Fence) {
    if engine.drain.is_cancelled() {
        return;
    }
    let schedule = stored.state.schedule.clone();
    if let Err(error) = tick(engine, stored, fence).await {
        let error = api::error::chain(&error);
        tracing::warn!(cluster_id = %schedule.cluster, schedule = %schedule.name, error, "schedule could not be carried out; another try follows");
    }
}
