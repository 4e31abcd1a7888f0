//! `ringkeep task resume`

use api::clients::TaskRunner;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Resumes a paused, failed or cancelled task from the steps that are not done.
///
/// A paused task that has given its cluster up is refused while another one has it, or waits for it with --queue.
/// One that may already have changed the cluster does not wait: resume it once the cluster is free.
///
/// A restore is not resumed if a newer backup or restore of any of its tables has succeeded: plan it again instead. A
/// verification is not resumed: `ringkeep backup verify` starts it from the beginning.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
    /// Wait if another task has the cluster.
    #[arg(long)]
    queue: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let resumed = context.task_runner()?.resume_task(id, args.queue).await;
    let task = resumed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = TaskView::from(&task);
    context
        .screen
        .talk(&format!("watch it with `ringkeep task watch {}`", view.id));
    context.screen.result(&view, |task, _| {
        format!("task {} goes on, attempt {}\n", task.id, task.attempt)
    })
}
