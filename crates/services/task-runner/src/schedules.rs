//! Schedules of backups: kept, changed on request, and carried out.
//!
//! - [`store`]: a schedule with how far it has come, and its past runs, in the state store.
//! - [`tick`]: decides what is to be done about one schedule now, and writes that down before it is done.
//! - [`make`]: makes the backup of a run.
//! - [`lead`]: one runner of several ticks all schedules.
//!
//! When runs are due, and what they are called, is decided by the crate `schedule`. A run is written down with the id of its
//! task before the task is created: whoever comes after a crash creates that task, or finds it.

mod lead;
mod make;
mod store;
mod tick;

use std::sync::Arc;

use jiff::Timestamp;
use model::ClusterName;
use schedule::{Alarms, PastRun, Pause, Schedule, ScheduleName, ScheduleState};

use crate::cluster;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::kinds::backup::Created;
use store::Stored;

pub(crate) use lead::schedules_loop;
pub(crate) use store::{find, has_any, readable, waited_for};

/// How often a change is tried while others change the schedule at the same time.
const CHANGE_TRIES: usize = 10;

/// Makes a schedule, or changes it if it is there and `replace` is set.
pub(crate) async fn put(
    context: &Context,
    schedule: Schedule,
    replace: bool,
) -> Result<ScheduleState, RunnerError> {
    cluster::get(context, &schedule.cluster).await?;
    let now = (context.clock)();
    for _ in 0..CHANGE_TRIES {
        let known = store::find(context, &schedule.cluster, &schedule.name).await?;
        let new = match known {
            None => {
                let mut state = ScheduleState::new(schedule.clone(), now);
                note_pause(&mut state.alarms, false, schedule.pause.is_some(), now);
                Stored::new(state)
            }
            Some(_) if !replace => {
                let (cluster, name) = (schedule.cluster, schedule.name);
                return Err(RunnerError::ScheduleExists(cluster, name));
            }
            Some(mut known) => {
                let old = known.state.schedule;
                if (&old.cron, &old.zone, old.start)
                    != (&schedule.cron, &schedule.zone, schedule.start)
                {
                    // Runs that the new times have before now were never promised.
                    known.state.progress.considered = now;
                    known.state.progress.waiting = None;
                }
                // A pause is ended by resuming, not by a change of something else.
                let was_paused = old.is_paused(now);
                let lasting = old.pause.filter(|_| was_paused);
                let pause = schedule.pause.clone().or(lasting);
                note_pause(&mut known.state.alarms, was_paused, pause.is_some(), now);
                known.state.schedule = Schedule {
                    pause,
                    ..schedule.clone()
                };
                known
            }
        };
        if let Some(saved) = store::save(context, new).await? {
            return Ok(saved.state);
        }
    }
    Err(RunnerError::ScheduleContended(
        schedule.cluster,
        schedule.name,
    ))
}

/// Schedules of one cluster or of all.
pub(crate) async fn list(
    context: &Context,
    cluster: Option<&ClusterName>,
) -> Result<Vec<ScheduleState>, RunnerError> {
    let stored = store::list(context, cluster).await?;
    Ok(stored.into_iter().map(|stored| stored.state).collect())
}

/// A schedule with its last runs, newest first.
pub(crate) async fn get(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<(ScheduleState, Vec<PastRun>), RunnerError> {
    let stored = store::get(context, cluster, name).await?;
    let past = store::past_runs(context, cluster, name).await?;
    Ok((stored.state, past))
}

/// Forgets a schedule and its history.
pub(crate) async fn delete(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<(), RunnerError> {
    store::remove(context, cluster, name).await
}

/// Sets or ends a pause.
pub(crate) async fn set_pause(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
    pause: Option<Pause>,
) -> Result<ScheduleState, RunnerError> {
    let now = (context.clock)();
    change(context, cluster, name, |state| {
        let was_paused = state.schedule.is_paused(now);
        note_pause(&mut state.alarms, was_paused, pause.is_some(), now);
        state.schedule.pause.clone_from(&pause);
        if pause.is_none() && was_paused {
            // What was due during the pause is not made up for.
            state.progress.considered = now.max(state.progress.considered);
            state.progress.waiting = None;
        }
        Ok(())
    })
    .await
}

/// A pause that is changed while it lasts began when the first one did.
fn note_pause(alarms: &mut Alarms, was_paused: bool, is_paused: bool, now: Timestamp) {
    if !is_paused {
        alarms.paused_at = None;
    } else if !was_paused || alarms.paused_at.is_none() {
        alarms.paused_at = Some(now);
    }
}

/// Makes the backup of a schedule now.
pub(crate) async fn run_now(
    engine: Arc<Engine>,
    cluster: ClusterName,
    name: ScheduleName,
) -> Result<Created, RunnerError> {
    let context = &engine.context;
    let now = whole_second((context.clock)());
    for _ in 0..CHANGE_TRIES {
        let mut stored = store::get(context, &cluster, &name).await?;
        if let Some(task) = stored.state.task {
            let known = context.tasks.get(task).await?;
            if known.is_some_and(|known| known.record.state.is_final()) {
                // No tick has come by since, or this runner carries out no schedules.
                tick::note_end(&engine, stored, None).await?;
                continue;
            }
            return Err(RunnerError::ScheduleRuns {
                cluster,
                name,
                task,
            });
        }
        let run = stored
            .state
            .schedule
            .run(now, stored.state.progress.last_full);
        let past = make::announce(&mut stored.state, &run, now);
        let _by_hand = make::ByHand::begin(&engine, stored.state.task);
        let Some(stored) = store::save_with(context, stored, &[past], None).await? else {
            continue;
        };
        return make::make_for_caller(&engine, stored, &run).await;
    }
    Err(RunnerError::ScheduleContended(cluster, name))
}

/// Names of backups have seconds.
fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

async fn change(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
    change: impl Fn(&mut ScheduleState) -> Result<(), RunnerError>,
) -> Result<ScheduleState, RunnerError> {
    for _ in 0..CHANGE_TRIES {
        let mut stored = store::get(context, cluster, name).await?;
        change(&mut stored.state)?;
        if let Some(saved) = store::save(context, stored).await? {
            return Ok(saved.state);
        }
    }
    Err(RunnerError::ScheduleContended(
        cluster.clone(),
        name.clone(),
    ))
}
