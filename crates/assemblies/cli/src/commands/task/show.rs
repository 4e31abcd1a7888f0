//! `ringkeep task show`

use api::pb::task_runner as pb;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::task::{self, TaskView};

/// Shows a task with all its steps.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::GetTaskRequest {
        id: super::task_id(&args.id)?,
    };
    let got = context
        .task_runner()?
        .get_task(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let view = TaskView::from(&got.task.unwrap_or_default());
    context.screen.result(&view, task::text)
}
