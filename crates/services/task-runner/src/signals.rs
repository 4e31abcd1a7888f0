//! What the task-runner shows to Prometheus.
//!
//! Whatever an alert depends on is a gauge that is made from the stored state, from time to time, by each task-runner: so
//! several of them show the same, and a restart changes nothing. All of it comes from indexes: the cost grows with clusters,
//! schedules and unfinished tasks, and not with the tasks that have ended. Counters and histograms are of this process alone.
//!
//! An entry that cannot be read is left out and counted. If the state cannot be read, the last gauges stay for a while, then
//! only the time of the last reading: with several task-runners, old values of one must not hide what the others see.

mod gauges;
mod reach;
mod seed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chassis::prometheus::SharedGauges;
use jiff::{SignedDuration, Timestamp};
use model::ClusterName;
use model::plan::StepKind;
use schedule::ScheduleState;

use crate::cluster::{self, Cluster};
use crate::engine::{EndedTask, Engine, TaskRecord, Unaccepted, Unreadable};
use crate::error::RunnerError;
use crate::retention::{self, Retained};
use crate::schedules;

pub(crate) use reach::{forget_reach, note_reach};

/// For how long the last gauges stay if the state cannot be read.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);

/// What the gauges are made from.
struct Seen {
    clusters: Vec<Cluster>,
    ended: Vec<EndedTask>,
    unfinished: Vec<TaskRecord>,
    unaccepted: Vec<Unaccepted>,
    schedules: Vec<ScheduleState>,
    /// Of clusters that have policies.
    retention: Vec<Retained>,
    /// Agents that did not reply; of a cluster that is not there, all did.
    unreachable: BTreeMap<ClusterName, usize>,
    /// Entries that are left out.
    unreadable: Unreadable,
}

impl Seen {
    async fn now(engine: &Engine) -> Result<Self, RunnerError> {
        let context = &engine.context;
        let mut unreadable = Unreadable::new();
        Ok(Self {
            clusters: cluster::readable(context, &mut unreadable).await?,
            ended: context.tasks.ended(&mut unreadable).await?,
            unfinished: unfinished(engine, &mut unreadable).await?,
            unaccepted: context.tasks.unaccepted(&mut unreadable).await?,
            schedules: schedules::readable(context, &mut unreadable).await?,
            retention: retention::readable(context, &mut unreadable).await?,
            unreachable: reach::list(context, &mut unreadable).await?,
            unreadable,
        })
    }
}

async fn unfinished(
    engine: &Engine,
    unreadable: &mut Unreadable,
) -> Result<Vec<TaskRecord>, RunnerError> {
    let tasks = &engine.context.tasks;
    let mut records = Vec::new();
    for id in tasks.unfinished().await? {
        match tasks.get(id).await {
            // One without a record has just ended and was forgotten.
            Ok(stored) => records.extend(stored.map(|stored| stored.record)),
            Err(RunnerError::Unreadable { key, source }) => {
                unreadable.insert(key, source.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    records.retain(|record| !record.state.is_final());
    Ok(records)
}

/// What one runner shows.
struct Shown {
    shared: SharedGauges,
    /// When the state was last read; before the first time, when the process started.
    read_at: Timestamp,
    /// Entries that cannot be read, and that the log has already.
    unreadable: BTreeSet<String>,
}

/// Makes the gauges again until the runner drains; never if the setting is 0.
pub(crate) async fn signals_loop(engine: Arc<Engine>, shared: SharedGauges) {
    let every = Duration::from_secs(engine.context.config.signals_every_seconds);
    if every.is_zero() {
        return;
    }
    let mut shown = Shown {
        shared,
        read_at: (engine.context.clock)(),
        unreadable: BTreeSet::new(),
    };
    let mut is_seeded = false;
    loop {
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = shown.round(&engine, &mut is_seeded) => {}
        }
        tokio::select! {
            () = engine.drain.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

impl Shown {
    async fn round(&mut self, engine: &Arc<Engine>, is_seeded: &mut bool) {
        let read = async {
            if !*is_seeded {
                *is_seeded = seed::seed(engine).await?;
            }
            Seen::now(engine).await
        };
        let within = KEPT_FOR.unsigned_abs();
        let result = match tokio::time::timeout(within, read).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(error)) => Err(api::error::chain(&error)),
            Err(_) => Err(format!("it took longer than {} s", within.as_secs())),
        };
        let now = (engine.context.clock)();
        match result {
            Ok(seen) => self.show(&seen, now),
            Err(error) => self.failed(&error, now),
        }
    }

    fn show(&mut self, seen: &Seen, now: Timestamp) {
        for (key, error) in &seen.unreadable {
            if !self.unreadable.contains(key) {
                tracing::error!(key, error, "left out of the gauges: it cannot be read");
            }
        }
        self.unreadable = seen.unreadable.keys().cloned().collect();
        self.read_at = now;
        self.shared.replace(gauges::gauges(seen, now));
    }

    fn failed(&self, error: &str, now: Timestamp) {
        tracing::warn!(error, "gauges could not be made from the state");
        metrics::counter!("ringkeep_state_read_failures_total").increment(1);
        if now.duration_since(self.read_at) >= KEPT_FOR {
            self.shared.replace(gauges::of_unread(self.read_at));
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
