//! Drives one task: starts what is ready, follows what runs, and writes down every change of state before acting on it.
//!
//! A driver owns its task: no other writes the record, and the store refuses this driver's writes as soon as its lease
//! has run out. It ends in one of three ways: the task has ended, the runner drains, or the task was lost (the
//! lease or the state store is gone); in the last two the task goes on from its record elsewhere or later.

pub(crate) mod events;
mod settle;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use model::task::{StepState, TaskEvent, next_state};
use state_store::{Expected, Fence, StateError};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::board::{DriverSeat, View};
use crate::cleanup::{self, Cleaned};
use crate::core::Core;
use crate::error::RunnerError;
use crate::eta::{RateMeter, bytes_done};
use crate::graph;
use crate::order::Order;
use crate::record::{Ending, Job, Outcome, Output, TaskRecord, Work};
use crate::recovery;
use crate::step_error::StepError;
use crate::steps::{self, EVENTS_MAX, Event, StepRun};
use crate::store::{LEASE_TTL, Stored};
use crate::superseded;

/// How often progress is shown to those who watch.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// How often progress is written down. A change of state is written at once.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Three tries before the lease runs out.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_TTL.as_secs() / 3);

/// Why a driver left its task before the end.
enum Leave {
    Drained,
    Lost(RunnerError),
}

impl From<RunnerError> for Leave {
    fn from(error: RunnerError) -> Self {
        Self::Lost(error)
    }
}

impl From<StateError> for Leave {
    fn from(error: StateError) -> Self {
        Self::Lost(error.into())
    }
}

pub(crate) struct Driver {
    core: Arc<Core>,
    record: TaskRecord,
    version: u64,
    order: Arc<Order>,
    fence: Fence,
    seat: DriverSeat,
    rate: RateMeter,
    /// Whether the record differs from what is shown.
    unshown: bool,
    /// Whether the record differs from what is on disk.
    unsaved: bool,
    saved_at: Instant,
    renewed_at: Instant,
}

type Running = JoinSet<Result<Output, StepError>>;

impl Driver {
    pub fn new(
        core: Arc<Core>,
        stored: Stored,
        order: Order,
        fence: Fence,
        seat: DriverSeat,
    ) -> Self {
        Self {
            core,
            record: stored.record,
            version: stored.version,
            order: Arc::new(order),
            fence,
            seat,
            rate: RateMeter::default(),
            unshown: false,
            unsaved: false,
            saved_at: Instant::now(),
            renewed_at: Instant::now(),
        }
    }

    /// Drives the task as far as it goes.
    pub async fn drive(mut self) {
        let id = self.record.task.id;
        let left = self.run().await;
        self.core.services.tasks.release(&self.fence).await;
        self.core.board.leave(id, &self.seat);
        match left {
            Ok(()) => {
                let state = self.record.task.state;
                let kind = match self.record.is_restore() {
                    true => "restore",
                    false => "backup",
                };
                tracing::info!(task_id = %id, kind, ?state, error = self.record.task.error, "task ended");
                metrics::counter!(
                    "ringkeep_tasks_ended_total", "kind" => kind, "state" => format!("{state:?}").to_lowercase()
                )
                .increment(1);
                recovery::prune(&self.core).await;
            }
            Err(Leave::Drained) => tracing::info!(task_id = %id, "task waits for the next start"),
            Err(Leave::Lost(error)) => {
                tracing::error!(task_id = %id, error = api::error::chain(&error), "task lost");
            }
        }
    }

    async fn run(&mut self) -> Result<(), Leave> {
        self.take_up().await?;
        loop {
            if self.record.ending.is_none() {
                self.run_steps().await?;
            }
            let Some(ending) = self.record.ending.clone() else {
                break;
            };
            if ending.clean {
                self.clean_up(ending).await?;
            }
            if self.record.ending.is_some() {
                break;
            }
        }
        self.finish().await
    }

    /// Takes the record as it was left, by whomever: what was running is run again.
    async fn take_up(&mut self) -> Result<(), Leave> {
        // The lease was taken before the name of a backup was reserved, which may have used up most of its time.
        self.renew().await?;
        self.move_to(TaskEvent::Start)?;
        if self.record.ending.is_none() {
            // Nodes that may have been stopped cannot be asked.
            let may_look = !self.record.past_return
                && !self
                    .record
                    .was_attempted(|work| matches!(work, Work::Stop { .. }));
            for step in &mut self.record.task.steps {
                let look_again = step.work == Work::Check && may_look;
                if step.state == StepState::Running || look_again {
                    step.state = StepState::Pending;
                }
            }
        }
        self.save().await?;
        let tasks = &self.core.services.tasks;
        let claim = tasks.claim(&self.record.task.cluster, self.record.task.id);
        match claim.await {
            Ok(()) => self.check_newest().await,
            Err(error @ RunnerError::ClusterBusy { .. }) => {
                if self.record.ending.is_none() {
                    let clean = !self.record.is_restore();
                    self.end(Outcome::Failed, error.to_string(), clean);
                    self.save().await?;
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A resume looks for newer tasks only after it has written that the task goes on; if the runner dies in between, it
    /// leaves a task that must not go on.
    async fn check_newest(&mut self) -> Result<(), Leave> {
        if self.record.ending.is_none() && self.record.first_ended.is_some() {
            let newer = superseded::check(&self.core.services, &self.record).await;
            match newer {
                Err(error @ RunnerError::Superseded { .. }) => {
                    self.end(Outcome::Failed, error.to_string(), false);
                    self.save().await?;
                }
                answer => answer?,
            }
        }
        Ok(())
    }

    fn move_to(&mut self, event: TaskEvent) -> Result<(), Leave> {
        let state = next_state(self.record.task.state, event)
            .map_err(|error| RunnerError::PlanNotUnderstood(error.to_string()))?;
        self.record.task.state = state;
        Ok(())
    }

    fn end(&mut self, outcome: Outcome, reason: String, clean: bool) {
        self.record.ending = Some(Ending {
            outcome,
            reason,
            clean,
        });
    }

    /// Runs steps until all have succeeded or the task is on its way to another end.
    async fn run_steps(&mut self) -> Result<(), Leave> {
        let mut running: Running = JoinSet::new();
        let mut which: HashMap<Id, usize> = HashMap::new();
        let (events, mut reports) = mpsc::channel(EVENTS_MAX);
        let mut ticks = ticks();
        let core = self.core.clone();
        let left = loop {
            if self.record.ending.is_some() || graph::all_settled(&self.record.task) {
                break Ok(());
            }
            if let Err(leave) = self.start_ready(&mut running, &mut which, &events).await {
                break Err(leave);
            }
            let turn = tokio::select! {
                biased;
                () = core.drain.cancelled() => Err(Leave::Drained),
                Some(command) = self.seat.commands.recv() => self.obey(command).await,
                Some(ended) = running.join_next_with_id() => {
                    let (at, result) = ended_step(&mut which, ended);
                    self.settle(at, result).await
                }
                // Before the reports, which may never pause: a lease that is not renewed in time is lost.
                _ = ticks.tick() => self.tick().await,
                Some(event) = reports.recv() => {
                    self.note(event);
                    Ok(())
                }
            };
            if let Err(leave) = turn {
                break Err(leave);
            }
        };
        // Dropped streams stop the agents' work at a safe point.
        running.shutdown().await;
        if matches!(left, Err(Leave::Drained)) {
            self.save().await?;
        }
        left
    }

    /// Starts what is ready. That it runs is on disk before it does, and so is that there is no way back.
    async fn start_ready(
        &mut self,
        running: &mut Running,
        which: &mut HashMap<Id, usize>,
        events: &mpsc::Sender<Event>,
    ) -> Result<(), Leave> {
        let moving = which
            .values()
            .filter(|at| self.record.task.steps[**at].work.moves_data());
        let mut slots = self
            .core
            .services
            .config
            .parallel_steps
            .max(1)
            .saturating_sub(moving.count());
        let mut starting = Vec::new();
        for at in graph::ready(&self.record.task) {
            let step = &mut self.record.task.steps[at];
            if step.work.moves_data() {
                if slots == 0 {
                    continue;
                }
                slots -= 1;
            }
            step.state = StepState::Running;
            self.record.attempted.insert(step.id.clone());
            self.record.past_return |= step.work.is_past_return();
            starting.push(at);
        }
        if starting.is_empty() {
            return Ok(());
        }
        self.save().await?;
        let record = Arc::new(self.record.clone());
        for at in starting {
            let run = StepRun {
                core: self.core.clone(),
                record: record.clone(),
                order: self.order.clone(),
                at,
                fence: self.fence.clone(),
                events: events.clone(),
                reached: AtomicU64::new(0),
            };
            which.insert(running.spawn(steps::run(run)).id(), at);
        }
        Ok(())
    }

    /// Undoes what the task has made, while the lease is kept alive.
    async fn clean_up(&mut self, ending: Ending) -> Result<(), Leave> {
        let mut cleaning = JoinSet::new();
        cleaning.spawn(cleanup::clean(
            self.core.clone(),
            self.record.clone(),
            self.order.clone(),
            ending,
        ));
        let mut ticks = ticks();
        let core = self.core.clone();
        let cleaned = loop {
            tokio::select! {
                biased;
                () = core.drain.cancelled() => return Err(Leave::Drained),
                Some(ended) = cleaning.join_next() => match ended {
                    Ok(cleaned) => break cleaned,
                    Err(_) => return Err(RunnerError::Fault.into()),
                },
                Some(command) = self.seat.commands.recv() => self.obey(command).await?,
                _ = ticks.tick() => self.tick().await?,
            }
        };
        match cleaned {
            Cleaned::Done(findings) => {
                self.record.task.findings.extend(findings);
                self.record.cleaned = true;
            }
            Cleaned::BackupExists => {
                self.record.ending = None;
                for step in &mut self.record.task.steps {
                    if step.work == Work::Commit {
                        step.state = StepState::Succeeded;
                        step.error = String::new();
                    }
                }
            }
        }
        self.save().await?;
        Ok(())
    }

    /// Writes the last state. After this the cluster is free.
    async fn finish(&mut self) -> Result<(), Leave> {
        let event = match &self.record.ending {
            None => TaskEvent::Finish,
            Some(ending) if ending.outcome == Outcome::Failed => TaskEvent::Fail,
            Some(_) => TaskEvent::Cancel,
        };
        self.move_to(event)?;
        self.record.task.finished_at = Some((self.core.services.clock)());
        match (&self.record.ending, &self.record.job) {
            (Some(ending), _) => self.record.task.error = ending.reason.clone(),
            (None, Job::Restore(job)) => {
                self.record.task.findings.extend(job.closing.clone());
                self.record.cleaned = true;
            }
            (None, Job::Backup(_)) => {}
        }
        if event == TaskEvent::Cancel {
            for step in &mut self.record.task.steps {
                if matches!(step.state, StepState::Pending | StepState::Running) {
                    step.state = StepState::Cancelled;
                }
            }
        }
        self.save().await?;
        let (cluster, id) = (&self.record.task.cluster, self.record.task.id);
        if let Err(error) = self.core.services.tasks.unclaim(cluster, id).await {
            // The claim of a task that has ended counts for nothing.
            tracing::warn!(task_id = %id, error = api::error::chain(&error), "claim not given up");
        }
        Ok(())
    }

    async fn save(&mut self) -> Result<(), Leave> {
        let tasks = &self.core.services.tasks;
        let expected = Expected::Version(self.version);
        self.version = tasks.save(&self.record, expected, &self.fence).await?;
        self.saved_at = Instant::now();
        self.unsaved = false;
        self.show();
        Ok(())
    }

    fn show(&mut self) {
        self.unshown = false;
        let task = self.record.task.clone();
        self.rate
            .record((self.core.services.clock)(), bytes_done(&task));
        let eta_seconds = match task.state.is_final() {
            true => None,
            false => self.rate.eta_seconds(&task),
        };
        self.seat
            .view
            .send_replace(Arc::new(View { task, eta_seconds }));
    }
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(SHOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn ended_step(
    which: &mut HashMap<Id, usize>,
    ended: Result<(Id, Result<Output, StepError>), JoinError>,
) -> (usize, Result<Output, StepError>) {
    let (id, result) = match ended {
        Ok(ended) => ended,
        Err(error) => (error.id(), Err(StepError::Panicked)),
    };
    let at = which
        .remove(&id)
        .expect("every step that runs was entered when it started");
    (at, result)
}
