//! Waiting for a task: over restarts of the service, until it ends or the user stops waiting.

use std::time::Instant;

use api::clients::TaskRunner;
use api::{ErrorKind, RemoteError};
use futures::StreamExt;
use futures::future::Either;
use model::TaskId;
use model::task::{ShownTask, TaskKind, TaskState};

use crate::context::{Context, Service};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::TaskMeter;

/// Follows a task until it has ended, whatever way, or is paused.
///
/// The first Ctrl-C ends the waiting and not the task: that has a command of its own.
pub async fn until_final(id: TaskId, context: &mut Context) -> Result<ShownTask, Failure> {
    let never = Box::pin(futures::future::pending());
    let interrupt = std::mem::replace(&mut context.interrupt, never);
    let watching = Box::pin(watch(id, context));
    match futures::future::select(watching, interrupt).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), _)) => Err(Failure::Detached {
            id: id.to_string(),
            stoppable: true,
        }),
    }
}

/// What a task that has ended or is paused means for the exit code.
pub fn verdict(task: &ShownTask) -> Result<(), Failure> {
    match task.state {
        Some(TaskState::Succeeded) => Ok(()),
        Some(TaskState::Cancelled) => Err(Failure::TaskCancelled {
            id: task.id.to_string(),
            resumable: is_resumable(task),
        }),
        Some(TaskState::Paused) => Err(Failure::TaskPaused {
            id: task.id.to_string(),
            why: match &task.paused {
                Some(paused) => paused.why.clone(),
                None => "it does not say why".into(),
            },
        }),
        _ => Err(Failure::TaskFailed {
            id: task.id.to_string(),
            resumable: is_resumable(task),
            reason: match task.error.as_str() {
                "" => "it does not say why".into(),
                error => error.to_owned(),
            },
        }),
    }
}

/// Verifications, runs of retention and collections start from the beginning instead.
fn is_resumable(task: &ShownTask) -> bool {
    !matches!(
        task.kind,
        Some(TaskKind::Verify | TaskKind::Retention | TaskKind::Collection)
    )
}

/// Watches, and again whenever the connection breaks, for as long as patience lasts.
async fn watch(id: TaskId, context: &mut Context) -> Result<ShownTask, Failure> {
    let mut meter = TaskMeter::new(&context.screen, context.patience);
    let mut broken_since: Option<Instant> = None;
    loop {
        let failure = match watch_once(id, context, &mut meter, &mut broken_since).await {
            Ok(Some(task)) => {
                meter.finish();
                return Ok(task);
            }
            // The service ended the stream in good order, as it does when it shuts down.
            Ok(None) => context.failed(
                Service::TaskRunner,
                RemoteError::new(ErrorKind::Unavailable, "", "the service ended the watch"),
            ),
            Err(failure) => failure,
        };
        let may_come_back = failure.exit() == Exit::Unreachable;
        let patient = broken_since.is_none_or(|at| at.elapsed() < context.patience.reconnect);
        if !may_come_back || !patient {
            meter.finish();
            return Err(failure);
        }
        if broken_since.is_none() {
            broken_since = Some(Instant::now());
            let text = api::error::chain(&failure);
            meter.say(&format!("{text}; trying again"), &mut context.screen);
        }
        tokio::time::sleep(context.patience.reconnect_pause).await;
    }
}

/// Follows one stream: to the task's end, or to the stream's.
async fn watch_once(
    id: TaskId,
    context: &mut Context,
    meter: &mut TaskMeter,
    broken_since: &mut Option<Instant>,
) -> Result<Option<ShownTask>, Failure> {
    let service = Service::TaskRunner;
    let watch = context.task_runner()?.watch_task(id).await;
    let mut tasks = watch.map_err(|error| context.failed(service, error))?;
    while let Some(task) = tasks.next().await {
        let task = task.map_err(|error| context.failed(service, error))?;
        *broken_since = None;
        meter.show(&task, &mut context.screen);
        if task.is_at_rest() {
            return Ok(Some(task));
        }
    }
    Ok(None)
}
