//! `ringkeep task cancel`

use api::clients::TaskRunner;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;

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
    let id = super::task_id(&args.id)?;
    let cancelled = context.task_runner()?.cancel_task(id).await;
    let task = cancelled.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = TaskView::from(&task);
    context.screen.result(&view, |task, _| match task.state {
        "cancelled" => format!("task {} is cancelled\n", task.id),
        state => format!(
            "task {} is {state}, and stops at its next safe point\n",
            task.id
        ),
    })
}
