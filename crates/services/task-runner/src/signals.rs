//! What the task-runner shows to Prometheus.
//!
//! Whatever an alert depends on is a gauge that is made from the stored state, from time to time, by each task-runner: so
//! several of them show the same, and a restart changes nothing. All of it comes from indexes: the cost grows with clusters,
//! schedules and unfinished tasks, and not with the tasks that have ended. Counters and histograms are of this process alone.
//! If the state cannot be read, the last gauges stay, and the time of the last reading is one of them.

mod gauges;
mod reach;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::prometheus::SharedGauges;
use model::ClusterName;
use model::plan::StepKind;
use schedule::ScheduleState;

use crate::cluster::{self, Cluster};
use crate::engine::{EndedTask, Engine, TaskRecord, Unaccepted};
use crate::error::RunnerError;
use crate::schedules;

pub(crate) use reach::{forget_reach, note_reach};

/// What the gauges are made from.
struct Seen {
    clusters: Vec<Cluster>,
    ended: Vec<EndedTask>,
    unfinished: Vec<TaskRecord>,
    unaccepted: Vec<Unaccepted>,
    schedules: Vec<ScheduleState>,
    /// Agents that did not reply; of a cluster that is not there, all did.
    unreachable: BTreeMap<ClusterName, usize>,
}

impl Seen {
    async fn now(engine: &Engine) -> Result<Self, RunnerError> {
        let context = &engine.context;
        let mut unfinished = Vec::new();
        for id in context.tasks.unfinished().await? {
            // One without a record has just ended and was forgotten.
            let stored = context.tasks.get(id).await?;
            unfinished.extend(stored.map(|stored| stored.record));
        }
        unfinished.retain(|record| !record.state.is_final());
        Ok(Self {
            clusters: cluster::list(context).await?,
            ended: context.tasks.ended().await?,
            unfinished,
            unaccepted: context.tasks.unaccepted().await?,
            schedules: schedules::list(context, None).await?,
            unreachable: reach::list(context).await?,
        })
    }
}

/// Makes the gauges again until the runner drains; never if the setting is 0.
pub(crate) async fn signals_loop(engine: Arc<Engine>, shared: SharedGauges) {
    let every = Duration::from_secs(engine.context.config.signals_every_seconds);
    if every.is_zero() {
        return;
    }
    loop {
        match Seen::now(&engine).await {
            Ok(seen) => {
                let now = (engine.context.clock)();
                shared.replace(gauges::gauges(&seen, now));
            }
            Err(error) => {
                let error = api::error::chain(&error);
                tracing::warn!(error, "gauges could not be made from the state");
                metrics::counter!("ringkeep_state_read_failures_total").increment(1);
            }
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Counts a step that has ended in this process.
pub(crate) fn count_step(kind: StepKind, succeeded: bool, lasted: Duration) {
    if kind == StepKind::Barrier {
        return;
    }
    let kind = kind.as_str();
    let state = if succeeded { "succeeded" } else { "failed" };
    metrics::counter!("ringkeep_steps_ended_total", "kind" => kind, "state" => state).increment(1);
    metrics::histogram!("ringkeep_step_duration_seconds", "kind" => kind)
        .record(lasted.as_secs_f64());
}

/// Counts the bytes that a step has worked through since its last report. One that starts over is counted again.
pub(crate) fn count_bytes(kind: StepKind, before: u64, now: u64) {
    if let Some(more) = now.checked_sub(before).filter(|more| *more > 0) {
        metrics::counter!("ringkeep_step_bytes_total", "kind" => kind.as_str()).increment(more);
    }
}
