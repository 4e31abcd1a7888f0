//! Keeps the limits of a task in force where data is moved for it.
//!
//! Agents and the storage-catalog keep limits in memory alone. So they are set before each call that moves data, and again
//! whenever they change. A transfer is not begun while it is not known whether they are in force there; one of an earlier
//! release goes without.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::clients::{NodeAgent, StorageCatalog};
use api::{Origin, RemoteError};
use model::task::{StepLimits, TransferLimits};
use model::{HostId, TaskId};
use tokio::time::sleep;

use super::step::{Event, StepRun};
use super::step_error::StepError;

/// Between two tries to set limits that have changed, while the transfer goes on with those of before.
const PAUSE: Duration = Duration::from_secs(5);

/// Who moves data for a step, and keeps the limits of its task meanwhile.
pub(crate) enum Mover {
    Uploads(Arc<dyn NodeAgent>, HostId),
    Downloads(Arc<dyn NodeAgent>, HostId),
    Verifies(Arc<dyn StorageCatalog>),
}

impl StepRun {
    /// Makes a call that moves data, within the limits of the task.
    pub async fn limited<T>(
        &self,
        mover: Mover,
        call: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, StepError> {
        let mut changes = self.limits.clone();
        let limits = *changes.borrow_and_update();
        if let Some(limits) = limits {
            // The call would fail like this, too; the next try sets them before it.
            self.set_limits(&mover, limits).await?;
        }
        let follow = async {
            while changes.changed().await.is_ok() {
                let Some(limits) = *changes.borrow_and_update() else {
                    continue;
                };
                while self.set_limits(&mover, limits).await.is_err()
                    && !changes.has_changed().unwrap_or(true)
                {
                    sleep(PAUSE).await;
                }
            }
            // The driver is gone, and the step is about to be dropped.
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            result = call => Ok(result?),
            never = follow => match never {},
        }
    }

    /// Sets limits, and reports what has come of it. Fails if that is worth another try.
    async fn set_limits(&self, mover: &Mover, asked: TransferLimits) -> Result<(), RemoteError> {
        let set = mover.set_limits(self.task_id(), asked).await;
        let mut limits = StepLimits::to_be_set(asked);
        match &set {
            Ok(in_force) => limits.in_force = Some(*in_force),
            Err(error) => {
                let (planned, task) = (self.planned(), self.task_id());
                let step = &planned.id;
                tracing::warn!(task_id = %task, step, %error, "limits of a task not set");
                limits.error = why(error);
            }
        }
        let event = Event::Limits {
            at: self.at,
            limits,
        };
        // The driver is gone only when the step is about to be dropped.
        let _ = self.events.send(event).await;
        match set {
            Err(error) if error.is_retryable() => Err(error),
            _ => Ok(()),
        }
    }
}

impl Mover {
    /// Returns what is in force.
    async fn set_limits(
        &self,
        task: TaskId,
        limits: TransferLimits,
    ) -> Result<TransferLimits, RemoteError> {
        let (agent, host) = match self {
            Self::Uploads(agent, host) | Self::Downloads(agent, host) => (agent, *host),
            Self::Verifies(catalog) => return catalog.set_verify_limits(task, limits).await,
        };
        let set = agent.set_limits(host, task, limits).await?;
        Ok(TransferLimits {
            bandwidth_bytes_per_second: match self {
                Self::Uploads(..) => set.upload_bandwidth_bytes_per_second,
                _ => set.download_bandwidth_bytes_per_second,
            },
            parallel_files: set.parallel_files,
        })
    }
}

fn why(error: &RemoteError) -> String {
    match error.origin {
        Origin::NoSuchService => {
            "it is of an earlier release, which does not know limits of tasks: upgrade it"
                .to_owned()
        }
        Origin::Service | Origin::Caller => error.to_string(),
    }
}
