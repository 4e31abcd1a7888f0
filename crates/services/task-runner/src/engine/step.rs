//! Runs one step: again and again until it succeeds or fails for good.
//!
//! Every call is idempotent on the other side, so a step whose outcome is not known is simply run again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::clients::NodeAgent;
use model::plan::StepKind;
use model::task::{Progress, StepLimits, TransferLimits};
use model::{BackupRef, ClusterName, Finding, TaskId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use state_store::{Fence, StateError, Write};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::kind::Job;
use super::lease::LeaseTime;
use super::retry::{FailedTry, Reached, Retry, RetryLimits};
use super::step_error::StepError;
use super::task::{SharedTask, TaskStep};
use crate::config::StepLimit;
use crate::context::Context;
use crate::error::RunnerError;

/// Reports of steps that may wait for their driver.
pub(super) const EVENTS_MAX: usize = 256;

/// What a step that succeeded found out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Output {
    /// For later steps, small.
    pub value: Option<Value>,
    pub findings: Vec<Finding>,
}

impl Output {
    pub const NOTHING: Self = Self {
        value: None,
        findings: Vec::new(),
    };

    pub fn of<T: Serialize>(value: &T) -> Result<Self, StepError> {
        let value = serde_json::to_value(value)
            .map_err(|error| StepError::incomplete(format!("an output is not JSON: {error}")))?;
        Ok(Self {
            value: Some(value),
            findings: Vec::new(),
        })
    }
}

/// What a running step reports.
#[derive(Debug)]
pub(super) enum Event {
    Progress {
        at: usize,
        progress: Progress,
        /// Whether the step is further than it has been in any try.
        further: bool,
    },
    Retrying {
        at: usize,
        error: String,
    },
    /// What has become of the task's limits on the step's node.
    Limits {
        at: usize,
        limits: StepLimits,
    },
}

/// A step with everything that it needs.
pub(crate) struct StepRun {
    pub context: Arc<Context>,
    pub(super) task: SharedTask,
    /// Which of the task's steps.
    pub(super) at: usize,
    pub(super) fence: Fence,
    pub(super) lease: Arc<LeaseTime>,
    pub(super) events: mpsc::Sender<Event>,
    /// The limits of the task, also those that it is given while the step runs.
    pub(super) limits: watch::Receiver<Option<TransferLimits>>,
    /// Each try does all of the work again, so that how long one lasted is no sign of getting further.
    pub(super) starts_over: bool,
    /// For all tries together.
    pub(super) limit: Option<StepLimit>,
    pub(super) course: Mutex<Course>,
}

/// A step of a task, read without copying it.
pub(crate) struct Planned {
    steps: Arc<Vec<TaskStep>>,
    at: usize,
}

impl std::ops::Deref for Planned {
    type Target = TaskStep;

    fn deref(&self) -> &TaskStep {
        &self.steps[self.at]
    }
}

/// What the reports of a step say of how far it gets.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The furthest of all tries.
    reached: Reached,
    /// The furthest of this try; none before its first report.
    now: Option<Reached>,
    /// Whether this try got further than its first report.
    moved: bool,
}

impl Course {
    /// Returns whether the step is further than it has ever been.
    fn note(&mut self, progress: &Progress) -> bool {
        let reported = Reached {
            bytes: progress.bytes_done,
            items: progress.items_done,
        };
        let before = self.now.unwrap_or(reported);
        let now = before.max(reported);
        self.moved |= now != before;
        self.now = Some(now);
        let furthest = self.reached.max(now);
        std::mem::replace(&mut self.reached, furthest) != furthest
    }
}

/// Runs the step until it succeeds, is given up or has used up its time.
pub(super) async fn run(job: Arc<dyn Job>, step: StepRun) -> Result<Output, StepError> {
    let Some(limit) = step.limit else {
        return tries(job.as_ref(), &step).await;
    };
    let within = Duration::from_secs(limit.seconds);
    match tokio::time::timeout(within, tries(job.as_ref(), &step)).await {
        Ok(result) => result,
        Err(_) => Err(StepError::OverLimit {
            limit,
            last: step.task.read().statuses[step.at].error.clone(),
        }),
    }
}

async fn tries(job: &dyn Job, step: &StepRun) -> Result<Output, StepError> {
    let planned = step.planned();
    if planned.kind == StepKind::Barrier {
        return Ok(Output::NOTHING);
    }
    let mut retry = Retry::new(RetryLimits::new(&step.context.config));
    loop {
        let started = Instant::now();
        step.begin_try();
        let error = match job.run(step).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        let failed = step.failed_try(started.elapsed());
        let Some(pause) = retry.after_failure(&error, failed) else {
            return Err(error);
        };
        tracing::warn!(
            task_id = %step.task_id(),
            step = planned.id,
            error = error.text(),
            "step is retried"
        );
        metrics::counter!("ringkeep_step_retries_total", "kind" => planned.kind.as_str())
            .increment(1);
        let retrying = Event::Retrying {
            at: step.at,
            error: error.text(),
        };
        // The driver is gone only when the step is about to be dropped.
        let _ = step.events.send(retrying).await;
        tokio::time::sleep(pause).await;
    }
}

impl StepRun {
    pub fn planned(&self) -> Planned {
        Planned {
            steps: self.task.read().steps.clone(),
            at: self.at,
        }
    }

    pub fn task_id(&self) -> TaskId {
        self.task.read().record.id
    }

    /// The cluster that the task works on.
    pub fn cluster(&self) -> ClusterName {
        self.task.read().record.cluster.clone()
    }

    /// The backup that the task is about.
    pub fn backup(&self) -> Result<BackupRef, StepError> {
        let backup = self.task.read().record.backup.clone();
        backup.ok_or_else(|| StepError::incomplete("a step on a backup in a task about none"))
    }

    /// What another step found out.
    pub fn output_of<T: DeserializeOwned>(&self, step: &str) -> Option<T> {
        self.task.read().output(step)
    }

    /// Whether a step of this kind may have reached the other side, on any node.
    pub fn was_attempted(&self, kind: StepKind) -> bool {
        self.task.read().was_attempted(kind)
    }

    pub fn agent(&self, address: &str) -> Result<Arc<dyn NodeAgent>, StepError> {
        agent(&self.context, address)
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_try(&self) {
        let mut course = self.course();
        (course.now, course.moved) = (None, false);
    }

    fn failed_try(&self, lasted: Duration) -> FailedTry {
        let course = self.course();
        FailedTry {
            reached: course.reached,
            moved: course.moved && !self.starts_over,
            lasted,
        }
    }

    /// Takes the report of a call that lasts.
    pub fn report(&self, progress: Progress) {
        let further = self.course().note(&progress);
        // Progress is a picture of now: if the queue is full it is left out, and the next one says more.
        let _ = self.events.try_send(Event::Progress {
            at: self.at,
            progress,
            further,
        });
    }

    /// For how long no other runner can have the task, whatever becomes of this one.
    pub fn lease_left(&self) -> Duration {
        self.lease.left()
    }

    /// Writes state of the task's kind, unless another runner has the task by now.
    pub async fn write(&self, writes: &[Write]) -> Result<u64, StateError> {
        self.context.store.write(writes, Some(&self.fence)).await
    }

    /// Keeps what is large for a later step.
    pub async fn put_document<T: Serialize>(
        &self,
        name: &str,
        document: &T,
    ) -> Result<(), StateError> {
        let tasks = &self.context.tasks;
        tasks
            .put_document(self.task_id(), name, document, &self.fence)
            .await
    }

    pub async fn document<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, RunnerError> {
        self.context.tasks.document(self.task_id(), name).await
    }
}

/// The agent at an address.
pub(crate) fn agent(context: &Context, address: &str) -> Result<Arc<dyn NodeAgent>, StepError> {
    context.agent(address).map_err(|source| StepError::Connect {
        address: address.to_owned(),
        source,
    })
}
