//! One runner of several carries out all schedules, and starts the retention that follows their backups: the holder of a lease.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use state_store::{Fence, StateError};

use super::store::{self, Stored};
use super::tick::tick;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::retention;

/// The lease of the runner that carries out schedules.
const LEADER: &str = "schedules";
/// If the leader does not renew its lease for this long, another runner leads.
const LEASE_TTL: Duration = Duration::from_secs(120);
/// Schedules that are looked at together: one whose nodes hang does not hold up the others.
const TICKS_AT_ONCE: usize = 16;

/// Carries out schedules whenever this runner is the leader, until it drains; never if the setting is 0.
pub(crate) async fn schedules_loop(engine: Arc<Engine>) {
    let every = Duration::from_secs(engine.context.config.schedules_every_seconds);
    if every.is_zero() {
        return;
    }
    let mut leader: Option<Fence> = None;
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
    if let Some(fence) = leader {
        // If this fails, the lease runs out.
        let _ = engine.context.store.release(&fence).await;
    }
}

/// Ticks every schedule once, if this runner is the leader or becomes it.
async fn lead(engine: &Arc<Engine>, leader: &mut Option<Fence>) -> Result<(), RunnerError> {
    let store = &engine.context.store;
    let fence = match leader {
        Some(fence) => fence,
        None => match store.acquire(LEADER, &engine.holder, LEASE_TTL).await {
            Ok(fence) => leader.insert(fence),
            Err(StateError::LeaseHeld { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        },
    };
    store.renew(fence, LEASE_TTL).await?;
    let schedules = store::list(&engine.context, None).await?;
    let ticks = stream::iter(schedules);
    let ticks = ticks.for_each_concurrent(TICKS_AT_ONCE, |stored| tick_one(engine, stored, fence));
    let work = async {
        ticks.await;
        retention::start_due(engine, fence).await
    };
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(LEASE_TTL / 3) => store.renew(fence, LEASE_TTL).await?,
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
