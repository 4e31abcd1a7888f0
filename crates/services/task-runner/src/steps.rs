//! Runs one step: the calls that its work means, again and again until they succeed or fail for good.
//!
//! Every call is idempotent on the other side, so a step whose outcome is not known is simply run again.

mod backup;
mod pump;
mod restore;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::client::NodeAgentClient;
use api::pb::types::Progress;
use state_store::Fence;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::core::Core;
use crate::order::Order;
use crate::record::{BackupJob, Job, Output, TaskRecord, Work};
use crate::retry::{Retry, RetryLimits};
use crate::services::Services;
use crate::step_error::StepError;

pub(crate) use backup::{begin_now, committed};

/// Reports of steps that may wait for their driver.
pub(crate) const EVENTS_MAX: usize = 256;

/// What a running step has to say.
#[derive(Debug)]
pub(crate) enum Event {
    Progress { at: usize, progress: Progress },
    Retrying { at: usize, error: String },
}

/// A step with everything that it needs.
pub(crate) struct StepRun {
    pub core: Arc<Core>,
    pub record: Arc<TaskRecord>,
    pub order: Arc<Order>,
    /// Which of the record's steps.
    pub at: usize,
    pub fence: Fence,
    pub events: mpsc::Sender<Event>,
    /// The most bytes that it has reported, over all tries.
    pub reached: AtomicU64,
}

/// Runs the step until it succeeds or is given up.
pub(crate) async fn run(step: StepRun) -> Result<Output, StepError> {
    let mut retry = Retry::new(RetryLimits::new(&step.core.services.config));
    loop {
        let started = Instant::now();
        let error = match attempt(&step).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        let reached = step.reached.load(Ordering::Relaxed);
        let Some(pause) = retry.after_failure(&error, reached, started.elapsed()) else {
            return Err(error);
        };
        let planned = &step.record.task.steps[step.at];
        tracing::warn!(
            task_id = %step.record.task.id,
            step = planned.id,
            error = error.text(),
            "step is tried again"
        );
        metrics::counter!("ringkeep_step_retries_total", "kind" => planned.work.kind())
            .increment(1);
        let told = Event::Retrying {
            at: step.at,
            error: error.text(),
        };
        // The driver is gone only when the step is about to be dropped.
        let _ = step.events.send(told).await;
        tokio::time::sleep(pause).await;
    }
}

async fn attempt(step: &StepRun) -> Result<Output, StepError> {
    let nothing = |()| Output::Nothing;
    match &step.record.task.steps[step.at].work {
        Work::Barrier => Ok(Output::Nothing),
        Work::Begin => backup::begin(step.services(), &step.record).await,
        Work::Snapshot { agent } => backup::snapshot(step, agent).await,
        Work::Capture => backup::capture(step).await,
        Work::Upload { agent } => backup::upload(step, agent).await.map(nothing),
        Work::Commit => backup::commit(step).await.map(nothing),
        Work::Clear { agent } => backup::clear(step.services(), &step.record, agent)
            .await
            .map(nothing),
        Work::Pin => restore::pin(step).await.map(nothing),
        Work::Stage { agent, sources } => restore::stage(step, agent, sources).await.map(nothing),
        Work::Check => restore::check(step).await.map(nothing),
        Work::Schema => restore::schema(step).await.map(nothing),
        Work::Replace => restore::replace(step).await.map(nothing),
        Work::Load { agent } => restore::load(step, agent).await.map(nothing),
        Work::Stop { agent } => restore::stop(step, agent).await.map(nothing),
        Work::Swap { agent } => restore::swap(step, agent).await.map(nothing),
        Work::Start { agent } => restore::start(step, agent).await.map(nothing),
        Work::UpgradeSstables { agent } => {
            restore::upgrade_sstables(step, agent).await.map(nothing)
        }
        Work::Views { agent } => restore::views(step, agent.as_deref()).await.map(nothing),
        Work::Finish { agent } => restore::finish(step.services(), &step.record, agent)
            .await
            .map(nothing),
        Work::Unpin => restore::unpin(step.services(), &step.record)
            .await
            .map(nothing),
    }
}

/// What a task that is given up has to undo; each is safe to run again.
pub(crate) mod undo {
    pub(crate) use super::backup::{abandon, clear};
    pub(crate) use super::restore::{finish, start_again, unpin};
}

impl StepRun {
    fn services(&self) -> &Services {
        &self.core.services
    }

    fn id(&self) -> &str {
        &self.record.task.steps[self.at].id
    }

    fn agent(&self, address: &str) -> Result<NodeAgentClient, StepError> {
        agent(self.services(), address)
    }

    fn report(&self, progress: Progress) {
        self.reached
            .fetch_max(progress.bytes_done, Ordering::Relaxed);
        // Progress is a picture of now: one that finds the queue full is left out, the next one says more.
        let _ = self.events.try_send(Event::Progress {
            at: self.at,
            progress,
        });
    }
}

fn agent(services: &Services, address: &str) -> Result<NodeAgentClient, StepError> {
    services
        .agent(address)
        .map_err(|source| StepError::Connect {
            address: address.to_owned(),
            source,
        })
}

/// The backup that this record is about. Steps of backups are made only for such records.
fn backup_job(record: &TaskRecord) -> Result<&BackupJob, StepError> {
    match &record.job {
        Job::Backup(job) => Ok(job),
        Job::Restore(_) => Err(StepError::bad_answer(
            "the task",
            "a backup's step in a restore",
        )),
    }
}
