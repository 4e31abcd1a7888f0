//! `ringkeep gc run`

use api::clients::TaskRunner;
use model::{ClusterName, TaskId};
use views::retention::RetentionStartedView;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::task;
use crate::wait;

/// Deletes what is of no use in the bucket under a cluster. Asks first.
///
/// A task of the task-runner does it. Each name is checked again when it is deleted, so that it may run beside backups and
/// deletions. `ringkeep gc plan` shows what there is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster; also one that is no longer registered.
    cluster: ClusterName,
    /// A task that was lost with the state of its task-runner, of `unknown_pins` in `ringkeep gc plan`: its pins are released,
    /// too. Name only tasks that no task-runner has any more; may be given several times.
    #[arg(long = "lost-task", value_name = "TASK")]
    lost_tasks: Vec<TaskId>,
    /// Agrees in advance; needed if there is no terminal to ask at.
    #[arg(long)]
    yes: bool,
    /// Waits until the task has ended. Ctrl-C stops the waiting (exit code 1), not the task.
    #[arg(long)]
    wait: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let cluster = args.cluster.as_str();
    let question = format!("Delete what is of no use under {cluster}, for good?");
    context.screen.confirm(&question, args.yes)?;
    let runner = context.task_runner()?;
    let started = runner.run_collection(&args.cluster, &args.lost_tasks).await;
    let id = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = RetentionStartedView::new(cluster, id);
    let text = format!("task {id} collects the garbage of cluster {cluster}\n");
    if !args.wait {
        return context.screen.result(&started, |_, _| text);
    }
    context.screen.talk(text.trim_end());
    let ended = wait::until_final(id, context).await?;
    context.screen.result(&TaskView::from(&ended), task::text)?;
    wait::verdict(&ended)
}
