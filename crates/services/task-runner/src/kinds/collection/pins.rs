//! Pins of tasks that have ended. Whether a task that this runner does not know has ended it cannot say: it may be another
//! runner's, so its pin is only shown.

use model::{BackupRef, ClusterName, TaskId};
use tokio::time::timeout;

use crate::context::Context;
use crate::engine::{StepError, TaskRecord};
use crate::error::RunnerError;
use crate::retention;

/// This runner's name in the lease under which a pin is released.
const HOLDER: &str = "collection of garbage";
/// How long releasing a pin may take: this many quarters of the time that a lease lasts. A request that comes later could release
/// the pin of a task that was resumed meanwhile.
const RELEASE_WITHIN_QUARTERS: u32 = 3;

type Pins = Vec<(BackupRef, TaskId)>;

/// Pins of tasks that have ended for good, and pins of tasks that this runner does not know.
pub(super) async fn of_ended_tasks(
    context: &Context,
    cluster: &ClusterName,
) -> Result<(Pins, Pins), RunnerError> {
    let (mut stale, mut unknown) = (Vec::new(), Vec::new());
    for summary in retention::list(context, cluster).await? {
        let by_tasks = summary.pins.iter().filter(|pin| pin.reason.is_none());
        for pin in by_tasks {
            let pinned = (summary.backup.clone(), pin.id);
            match context.tasks.get(pin.id).await? {
                None => unknown.push(pinned),
                Some(known) if has_ended(&known.record) => stale.push(pinned),
                Some(_) => {}
            }
        }
    }
    Ok((stale, unknown))
}

/// One that can be resumed still needs its pin.
fn has_ended(record: &TaskRecord) -> bool {
    record.state.is_final() && !record.has_leftovers()
}

/// Why a pin is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// Its task has ended.
    Ended,
    /// Its task is not known here, and is known to be lost.
    Lost,
}

impl Holder {
    pub fn why(self) -> &'static str {
        match self {
            Self::Ended => "has ended",
            Self::Lost => "was lost",
        }
    }
}

/// Releases a pin, under the lease of its task, so that this is not resumed meanwhile. Returns whether it was released.
pub(super) async fn release(
    context: &Context,
    backup: &BackupRef,
    task: TaskId,
    holder: Holder,
) -> Result<bool, StepError> {
    let Ok(fence) = context.tasks.acquire(task, HOLDER).await else {
        return Ok(false);
    };
    let released = async {
        let known = context.tasks.get(task).await?;
        let is_of_no_use = match known {
            None => holder == Holder::Lost,
            Some(known) => has_ended(&known.record),
        };
        if !is_of_no_use {
            return Ok(false);
        }
        context.catalog.unpin_backup(backup, task).await?;
        Ok(true)
    };
    let within = context.tasks.lease_ttl() / 4 * RELEASE_WITHIN_QUARTERS;
    match timeout(within, released).await {
        Ok(released) => {
            context.tasks.release(&fence).await;
            released
        }
        // The request may still be on its way, so the lease is left to run out.
        Err(_) => Err(StepError::unavailable("a pin was not released in time")),
    }
}
