//! Drives one task: starts what is ready, follows what runs, and writes every change of state before acting on it.
//!
//! A driver owns its task: no other process writes it, and the store refuses this driver's writes as soon as the lease is
//! another's. It ends in one of four ways: the task has ended, it is paused, the runner drains, or the task was lost (the lease
//! has run out); in the last two the task goes on from what is kept, elsewhere or later. While the state store cannot be reached,
//! running steps go on until the lease has run out, and none is started.

mod claim;
mod events;
mod finish;
mod limits;
mod pause;
mod renew;
mod save;
mod settle;
mod steps;
mod turn;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::task::{StepState, TaskEvent, TransferLimits, next_state};
use state_store::{Fence, StateError};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::active::{DriverSlot, View};
use super::eta::RateMeter;
use super::fences;
use super::graph::Graph;
use super::kind::{Job, Kind, StepTraits};
use super::lease::LeaseTime;
use super::recovery;
use super::runner::Engine;
use super::store::Stored;
use super::task::{Ending, LiveTask, Outcome, SharedTask, TaskRecord};
use crate::context::Context;
use crate::error::RunnerError;
use crate::events::Event;
use claim::Claimed;
use pause::Pausing;

/// How often progress is shown to those who watch.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// How often progress is written. A change of state is written at once.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Why a driver left its task before the end.
enum Exit {
    Drained,
    Paused,
    Lost(RunnerError),
}

impl From<RunnerError> for Exit {
    fn from(error: RunnerError) -> Self {
        Self::Lost(error)
    }
}

impl From<StateError> for Exit {
    fn from(error: StateError) -> Self {
        Self::Lost(error.into())
    }
}

/// Drives one task.
pub(super) struct Driver {
    engine: Arc<Engine>,
    /// The engine's, with the fences of this driver.
    context: Arc<Context>,
    kind: Arc<dyn Kind>,
    job: Arc<dyn Job>,
    task: SharedTask,
    graph: Graph,
    /// The record's, as it was last written.
    version: u64,
    /// Whether a write may have happened, or may still happen, whose reply was lost.
    unsure: bool,
    fence: Fence,
    lease: Arc<LeaseTime>,
    slot: DriverSlot,
    /// The limits of the task, for the steps that run.
    limits: watch::Sender<Option<TransferLimits>>,
    rate: RateMeter,
    /// Steps whose status differs from what is on disk.
    dirty: BTreeSet<usize>,
    record_is_dirty: bool,
    /// What the next save also puts into the outbox.
    announced: Option<Event>,
    /// Set once the task is to be paused.
    pausing: Option<Pausing>,
    /// Whether the task differs from what is shown.
    unshown: bool,
    saved_at: Instant,
    /// When the lease is to be renewed.
    renew_at: Instant,
    /// Whether the state store could not be reached lately.
    is_cut_off: bool,
}

impl Driver {
    /// Loads a task, and registers it among the active ones.
    pub async fn open(
        engine: Arc<Engine>,
        stored: Stored,
        fence: Fence,
    ) -> Result<Self, RunnerError> {
        let kind = engine.kind(stored.record.kind)?.clone();
        let job = kind.open(&engine.context, &stored.record).await?;
        let task = engine.context.tasks.load(stored.record).await?;
        let slot = engine.active.register(&task);
        let limits = watch::Sender::new(task.record.limits);
        let fences = fences::of_task(task.record.id, &fence);
        let lease = Arc::new(LeaseTime::unknown(engine.context.tasks.lease_ttl()));
        Ok(Self {
            context: Arc::new(engine.context.under(fences)),
            graph: Graph::new(&task.steps),
            task: SharedTask::new(task),
            engine,
            kind,
            job,
            version: stored.version,
            unsure: false,
            fence,
            lease,
            slot,
            limits,
            rate: RateMeter::default(),
            dirty: BTreeSet::new(),
            record_is_dirty: false,
            announced: None,
            pausing: None,
            unshown: false,
            saved_at: Instant::now(),
            renew_at: Instant::now(),
            is_cut_off: false,
        })
    }

    /// The task as it is before it is driven.
    pub fn view(&self) -> Arc<View> {
        View::of(&self.task.read())
    }

    /// Drives the task as far as it goes.
    pub async fn drive(mut self) {
        let exit = self.run().await;
        let record = self.record();
        let id = record.id;
        self.engine.context.tasks.release(&self.fence).await;
        self.engine.active.deregister(id, &self.slot);
        match exit {
            Ok(()) => {
                let kind = format!("{:?}", record.kind).to_lowercase();
                let state = format!("{:?}", record.state).to_lowercase();
                tracing::info!(task_id = %id, kind, state, error = record.error, "task ended");
                if let Some(event) = Event::ended(&record) {
                    event.log();
                }
                metrics::counter!("ringkeep_tasks_ended_total", "kind" => kind, "state" => state)
                    .increment(1);
                recovery::prune(&self.engine).await;
            }
            Err(Exit::Paused) => {
                let why = record.paused.map(|paused| paused.why).unwrap_or_default();
                tracing::warn!(task_id = %id, why, "task paused");
            }
            Err(Exit::Drained) => tracing::info!(task_id = %id, "task waits for the next start"),
            Err(Exit::Lost(error)) => {
                tracing::error!(task_id = %id, error = api::error::chain(&error), "task lost");
            }
        }
    }

    async fn run(&mut self) -> Result<(), Exit> {
        self.adopt().await?;
        match self.run_to_end().await {
            Err(Exit::Lost(RunnerError::State(error))) if is_refused_for_good(&error) => {
                self.end_unsaved(&error).await
            }
            exit => exit,
        }
    }

    async fn run_to_end(&mut self) -> Result<(), Exit> {
        loop {
            if self.ending().is_none() {
                self.run_steps().await?;
            }
            let Some(ending) = self.ending() else {
                break;
            };
            if ending.clean && !self.record().cleaned {
                self.clean_up(ending).await?;
            }
            if self.ending().is_some() {
                break;
            }
        }
        self.finish().await
    }

    /// Takes the task as it was left, once it has its turn: what was running is run again.
    async fn adopt(&mut self) -> Result<(), Exit> {
        // Most of the lease's time may have been used up before the driver got it.
        self.confirm_lease().await?;
        self.wait_for_turn().await?;
        let found = self.record();
        if found.waiting.is_some() {
            // It ends without its turn. What was undone before is not undone again, because another task has the cluster.
            return self.apply_reset().await;
        }
        self.apply_reset().await?;
        self.announced = Event::begun(&found, (self.engine.context.clock)());
        self.move_to(TaskEvent::Start)?;
        self.reset_running();
        self.graph = {
            let task = self.task.read();
            let is_best_effort =
                |step: &super::task::TaskStep| self.kind.traits(step.kind).best_effort;
            Graph::resumed(&task.steps, &task.statuses, is_best_effort)
        };
        self.save().await?;
        match self.claim_cluster().await? {
            Claimed::Free => self.check_superseded().await,
            Claimed::Busy => Ok(()),
        }
    }

    /// The statuses before the record, which says until then that they are to be set back.
    async fn apply_reset(&mut self) -> Result<(), Exit> {
        let changed = self.task.write().apply_reset();
        self.dirty.extend(changed);
        self.save().await?;
        self.change_record(|record| record.reset = None);
        Ok(())
    }

    fn reset_running(&mut self) {
        let mut task = self.task.write();
        let is_ending = task.record.ending.is_some();
        for at in 0..task.steps.len() {
            let state = task.statuses[at].state;
            let kind = task.steps[at].kind;
            let next = match state {
                StepState::Running if is_ending => StepState::Cancelled,
                StepState::Running => StepState::Pending,
                StepState::Succeeded if !is_ending && self.job.runs_again(&task, kind) => {
                    StepState::Pending
                }
                _ => continue,
            };
            task.statuses[at].state = next;
            self.dirty.insert(at);
        }
    }

    fn move_to(&mut self, event: TaskEvent) -> Result<(), Exit> {
        let state = next_state(self.record().state, event)
            .map_err(|error| RunnerError::PlanNotUnderstood(error.to_string()))?;
        self.change_record(|record| record.state = state);
        Ok(())
    }

    /// Sends the task to an end other than success.
    fn end(&mut self, outcome: Outcome, reason: String, clean: bool) {
        let ending = Ending {
            outcome,
            reason,
            clean,
            forced: false,
        };
        self.change_record(|record| record.ending = Some(ending));
    }

    fn ending(&self) -> Option<Ending> {
        self.task.read().record.ending.clone()
    }

    fn record(&self) -> TaskRecord {
        self.task.read().record.clone()
    }

    fn traits(&self, task: &LiveTask, at: usize) -> StepTraits {
        self.kind.traits(task.steps[at].kind)
    }

    fn change_record(&mut self, change: impl FnOnce(&mut TaskRecord)) {
        change(&mut self.task.write().record);
        self.record_is_dirty = true;
        self.unshown = true;
    }
}

/// Whether the store refuses what is written, and not the writer or the moment.
fn is_refused_for_good(error: &StateError) -> bool {
    matches!(
        error,
        StateError::ValueTooLarge { .. }
            | StateError::TransactionTooLarge { .. }
            | StateError::NotJson { .. }
    )
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(SHOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
