//! Runs one step: again and again until it succeeds or fails for good.
//!
//! Every call is idempotent on the other side, so a step whose outcome is not known is simply run again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::clients::NodeAgent;
use model::plan::StepKind;
use model::task::Progress;
use model::{BackupRef, Finding, TaskId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use state_store::{Fence, StateError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::kind::Job;
use super::retry::{Retry, RetryLimits};
use super::step_error::StepError;
use super::task::{SharedTask, TaskStep};
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
    Progress { at: usize, progress: Progress },
    Retrying { at: usize, error: String },
}

/// A step with everything that it needs.
pub(crate) struct StepRun {
    pub context: Arc<Context>,
    pub(super) task: SharedTask,
    /// Which of the task's steps.
    pub(super) at: usize,
    pub(super) fence: Fence,
    pub(super) events: mpsc::Sender<Event>,
    /// Each try does all of the work again, so that how long one lasted is no sign of getting further.
    pub(super) starts_over: bool,
    /// The most bytes that it has reported, over all tries.
    pub(super) reached: AtomicU64,
}

/// Runs the step until it succeeds or is given up.
pub(super) async fn run(job: Arc<dyn Job>, step: StepRun) -> Result<Output, StepError> {
    let planned = step.planned();
    if planned.kind == StepKind::Barrier {
        return Ok(Output::NOTHING);
    }
    let mut retry = Retry::new(RetryLimits::new(&step.context.config));
    loop {
        let started = Instant::now();
        let error = match job.run(&step).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        let reached = step.reached.load(Ordering::Relaxed);
        let lasted = match step.starts_over {
            true => Duration::ZERO,
            false => started.elapsed(),
        };
        let Some(pause) = retry.after_failure(&error, reached, lasted) else {
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
    pub fn planned(&self) -> TaskStep {
        self.task.read().steps[self.at].clone()
    }

    pub fn task_id(&self) -> TaskId {
        self.task.read().record.id
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

    /// Takes the report of a call that lasts.
    pub fn report(&self, progress: Progress) {
        self.reached
            .fetch_max(progress.bytes_done, Ordering::Relaxed);
        // Progress is a picture of now: if the queue is full it is left out, and the next one says more.
        let _ = self.events.try_send(Event::Progress {
            at: self.at,
            progress,
        });
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
