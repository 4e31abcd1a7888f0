//! Reserves the name of a backup within the call that creates it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{ErrorKind, RemoteError};
use model::BackupRef;
use model::plan::{PlanStep, StepKind};
use model::task::StepState;
use state_store::{Expected, Fence};

use crate::engine::{
    Ending, Engine, LiveTask, Outcome, RetryLimits, StepError, Stored, retry, steps_of,
};
use crate::error::RunnerError;
use crate::kinds::backup::spec::BackupSpec;
use crate::kinds::backup::steps::begin;

/// How long a name may take to be reserved, retries included. Less than a lease lasts.
const BEGIN_WITHIN: Duration = Duration::from_secs(40);
/// The reason of an error that says that it is not known whether a backup was begun.
const NOT_BEGUN: &str = "BACKUP_NOT_BEGUN";
/// The first step of every backup.
const BEGIN: usize = 0;

/// Refuses a plan whose first step is another.
pub(super) fn check_is_first(steps: &[PlanStep]) -> Result<(), RunnerError> {
    match steps.get(BEGIN).map(|step| step.kind) {
        Some(StepKind::Begin) => Ok(()),
        _ => Err(RunnerError::PlanNotUnderstood(
            "a backup's first step reserves its name".to_owned(),
        )),
    }
}

/// Runs the first step within the call, so that the caller learns of a name that is taken. If the catalog has refused, the task
/// is gone as if it had never been; if it is not known what the catalog did, the task goes on to its end as failed, and the
/// error is returned.
pub(super) async fn reserve(
    engine: &Arc<Engine>,
    stored: Stored,
    fence: &Fence,
    spec: &BackupSpec,
    steps: &[PlanStep],
    backup: &BackupRef,
) -> Result<(Stored, Option<RemoteError>), RunnerError> {
    let context = &engine.context;
    let tasks = &context.tasks;
    let steps = steps_of(steps).map_err(RunnerError::PlanNotUnderstood)?;
    let mut task = LiveTask::new(stored.record, steps);
    let status = &mut task.statuses[BEGIN];
    (status.state, status.attempted) = (StepState::Running, true);
    let version = Expected::Version(stored.version);
    let version = tasks.save(&task, version, [BEGIN], fence).await?;
    let id = task.record.id;
    let limits = RetryLimits::new(&context.config);
    let last_error = Mutex::new(None);
    let begun = retry(limits, || async {
        let begun = begin(spec, context, backup, id).await;
        if let Err(error) = &begun {
            *last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.text());
        }
        begun
    });
    let status = &mut task.statuses[BEGIN];
    // The lease is not renewed meanwhile.
    let within = BEGIN_WITHIN.min(tasks.lease_ttl() / 3 * 2);
    let failed = match tokio::time::timeout(within, begun).await {
        Ok(Ok(output)) => {
            status.state = StepState::Succeeded;
            status.output = output.value;
            None
        }
        Ok(Err(error)) if error.is_refusal() => {
            engine.discard(&task.record, fence).await?;
            return Err(RunnerError::remote("storage-catalog")(as_remote(error)));
        }
        Ok(Err(error)) => Some(as_remote(error)),
        Err(_) => {
            let last_error = last_error.into_inner();
            let message = gave_up(within, last_error.unwrap_or_else(PoisonError::into_inner));
            Some(RemoteError::new(ErrorKind::Unavailable, NOT_BEGUN, message))
        }
    };
    if let Some(error) = &failed {
        status.state = StepState::Failed;
        status.error = error.message.clone();
        task.record.ending = Some(Ending {
            outcome: Outcome::Failed,
            reason: format!("the backup could not be begun: {}", error.message),
            clean: true,
            forced: false,
        });
    }
    let version = Expected::Version(version);
    let version = tasks.save(&task, version, [BEGIN], fence).await?;
    let record = task.record;
    Ok((Stored { record, version }, failed))
}

/// Why the name was not reserved in time.
fn gave_up(within: Duration, last_error: Option<String>) -> String {
    let seconds = within.as_secs();
    match last_error {
        Some(error) => format!("it did not succeed within {seconds} s, lastly: {error}"),
        None => format!("nothing was heard for {seconds} s"),
    }
}

fn as_remote(error: StepError) -> RemoteError {
    match error {
        StepError::Remote(error) => error,
        error => {
            let kind = match error.is_retryable() {
                true => ErrorKind::Unavailable,
                false => ErrorKind::Internal,
            };
            RemoteError::new(kind, NOT_BEGUN, error.text())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_not_reserved_in_time_says_what_went_wrong_last() {
        let said = gave_up(BEGIN_WITHIN, Some("the store failed".to_owned()));
        assert!(said.ends_with("lastly: the store failed"), "{said}");
        assert!(gave_up(BEGIN_WITHIN, None).contains("nothing was heard"));
    }
}
