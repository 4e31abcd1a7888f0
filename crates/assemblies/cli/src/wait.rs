//! Waiting for a task: over restarts of the service, until it ends or the user has had enough.

use std::time::Instant;

use api::pb::task_runner as pb;
use futures::future::Either;
use tonic::{Request, Status};

use crate::context::{Context, Service};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::TaskMeter;
use crate::view::task::is_final;

/// Follows a task until it is final, whatever way it ends.
///
/// The first Ctrl-C ends the waiting and not the task: that has a command of its own.
pub async fn until_final(id: &str, context: &mut Context) -> Result<pb::Task, Failure> {
    let never = Box::pin(futures::future::pending());
    let interrupt = std::mem::replace(&mut context.interrupt, never);
    let watching = Box::pin(watch(id, context));
    match futures::future::select(watching, interrupt).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), _)) => Err(Failure::Detached {
            id: id.to_owned(),
            stoppable: true,
        }),
    }
}

/// What a final task means for the exit code.
pub fn verdict(task: &pb::Task) -> Result<(), Failure> {
    match task.state() {
        pb::TaskState::Succeeded => Ok(()),
        pb::TaskState::Cancelled => Err(Failure::TaskCancelled {
            id: task.id.clone(),
            resumable: is_resumable(task),
        }),
        _ => Err(Failure::TaskFailed {
            id: task.id.clone(),
            resumable: is_resumable(task),
            reason: match task.error.as_str() {
                "" => "it does not say why".into(),
                error => error.to_owned(),
            },
        }),
    }
}

/// A verification starts from the beginning instead.
fn is_resumable(task: &pb::Task) -> bool {
    task.kind() != pb::TaskKind::Verify
}

/// Watches, and again whenever the connection breaks, for as long as patience lasts.
async fn watch(id: &str, context: &mut Context) -> Result<pb::Task, Failure> {
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
                Status::unavailable("the service ended the watch"),
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
    id: &str,
    context: &mut Context,
    meter: &mut TaskMeter,
    broken_since: &mut Option<Instant>,
) -> Result<Option<pb::Task>, Failure> {
    let service = Service::TaskRunner;
    let request = pb::WatchTaskRequest { id: id.to_owned() };
    // No time limit: a task may run for days, and a dead connection is noticed by its keep-alive.
    let mut stream = context
        .task_runner()?
        .watch_task(Request::new(request))
        .await
        .map_err(|status| context.failed(service, status))?
        .into_inner();
    while let Some(message) = stream
        .message()
        .await
        .map_err(|status| context.failed(service, status))?
    {
        *broken_since = None;
        let task = message.task.unwrap_or_default();
        meter.show(&task, &mut context.screen);
        if is_final(task.state()) {
            return Ok(Some(task));
        }
    }
    Ok(None)
}
