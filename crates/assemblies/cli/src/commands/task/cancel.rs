//! `ringkeep task cancel`

use api::pb::task_runner as pb;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::task::TaskView;

/// Stops a task at a safe point.
///
/// A restore that has begun to replace data cannot be cancelled, only finished, or cancelled once it has failed and newer
/// restores have brought all of its tables. A deletion that has begun cannot be cancelled.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::CancelTaskRequest {
        id: super::task_id(&args.id)?,
    };
    let cancelled = context
        .task_runner()?
        .cancel_task(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let view = TaskView::from(&cancelled.task.unwrap_or_default());
    context.screen.result(&view, |task, _| match task.state {
        "cancelled" => format!("task {} is cancelled\n", task.id),
        state => format!(
            "task {} is {state}, and stops at its next safe point\n",
            task.id
        ),
    })
}
