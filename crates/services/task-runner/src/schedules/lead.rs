//! One runner of several carries out all schedules, and starts the retention that follows their backups: the holder of a lease.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use state_store::{Fence, StateError};

use super::store::{self, Stored};
use super::tick::tick;
use crate::engine::{Engine, Leading};
use crate::error::RunnerError;
use crate::retention;

/// The lease of the runner that carries out schedules.
const LEADER: &str = "schedules";
/// Schedules that are looked at together: one whose nodes hang does not hold up the others.
const TICKS_AT_ONCE: usize = 16;

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
        leading.release(&engine).await;
    }
}

/// Ticks every schedule once, if this runner is the leader or becomes it. Goes no further if the lease runs out meanwhile: what
/// was decided is on disk before it is done, and the next leader goes on from there.
async fn lead(engine: &Arc<Engine>, leader: &mut Option<Leading>) -> Result<(), RunnerError> {
    if leader.is_none() {
        *leader = Leading::take(engine, LEADER).await?;
    }
    let Some(leading) = leader else {
        return Ok(());
    };
    let fence = &leading.fence;
    let work = async {
        let schedules = store::list(&engine.context, None).await?;
        let tick = |stored| tick_one(engine, stored, fence);
        stream::iter(schedules)
            .for_each_concurrent(TICKS_AT_ONCE, tick)
            .await;
        retention::start_due(engine, fence).await
    };
    leading.during(engine, work).await?.unwrap_or(Ok(()))
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
