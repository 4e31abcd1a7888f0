//! Sets a restore that has ended going again.

use std::sync::Arc;

use model::TaskId;
use model::task::{StepState, TaskState};
use state_store::{Fence, StateError};

use super::{LEASE_PAUSE, LEASE_TRIES, change, let_go, note_end, resumed};
use crate::board::View;
use crate::core::Core;
use crate::error::RunnerError;
use crate::record::TaskRecord;
use crate::superseded;

/// Sets a failed or cancelled restore going again. Steps that have succeeded stay, unless what they made is gone.
pub(crate) async fn resume(core: Arc<Core>, id: TaskId) -> Result<Arc<View>, RunnerError> {
    let fence = lease_of_ended(&core, id).await?;
    let is_newest = async |record: &TaskRecord| superseded::check(&core.services, record).await;
    let changed = change(&core, id, &fence, is_newest, |record| {
        check_resumable(record)?;
        record.task.state = resumed(record)?;
        record.task.attempt += 1;
        note_end(record);
        record.task.error = String::new();
        record.task.findings.clear();
        record.ending = None;
        let from_the_start = std::mem::take(&mut record.cleaned);
        if from_the_start {
            record.past_return = false;
            record.attempted.clear();
        } else {
            // A record of an earlier release has it in the states alone, which are reset now.
            let started = record.attempted(|_| true).map(|step| step.id.clone());
            record.attempted = started.collect();
        }
        for step in &mut record.task.steps {
            if from_the_start || step.state != StepState::Succeeded {
                step.state = StepState::Pending;
                step.error = String::new();
                step.note = String::new();
            }
            if from_the_start {
                step.bytes_done = 0;
            }
        }
        Ok(())
    });
    let_go(&core, changed.await, fence).await
}

/// The lease of a task that has ended; its last driver may be about to leave.
async fn lease_of_ended(core: &Core, id: TaskId) -> Result<Fence, RunnerError> {
    for _ in 0..LEASE_TRIES {
        let record = core.load(id).await?.record;
        check_resumable(&record)?;
        superseded::check(&core.services, &record).await?;
        match core.services.tasks.acquire(id, &core.holder).await {
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            answer => return Ok(answer?),
        }
    }
    Err(RunnerError::DrivenElsewhere(id))
}

fn check_resumable(record: &TaskRecord) -> Result<(), RunnerError> {
    let refuse = |why: &str, hint: &'static str| {
        Err(RunnerError::NotResumable {
            id: record.task.id,
            why: why.to_owned(),
            hint,
        })
    };
    match record.task.state {
        TaskState::Succeeded => refuse("it has succeeded", "there is nothing left to do"),
        TaskState::Pending | TaskState::Running | TaskState::Paused => {
            refuse("it is running", "watch it with `ringkeep task watch`")
        }
        TaskState::Failed | TaskState::Cancelled if !record.is_restore() => refuse(
            "its backup was given up, and the name with it",
            "make a new backup with `ringkeep backup create`",
        ),
        TaskState::Failed if record.cleaned => refuse(
            "its plan no longer fits the cluster",
            "plan the restore again with `ringkeep restore plan`, and start the new plan",
        ),
        TaskState::Failed | TaskState::Cancelled => Ok(()),
    }
}
