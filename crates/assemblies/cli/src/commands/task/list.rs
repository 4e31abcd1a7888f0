//! `ringkeep task list`

use api::clients::TaskRunner;
use model::ClusterName;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::task;

/// Lists tasks, newest first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this cluster.
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let listed = runner.list_tasks(args.cluster.as_ref()).await;
    let listed = listed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let tasks: Vec<TaskView> = listed.iter().map(TaskView::from).collect();
    if tasks.is_empty() {
        context.screen.talk("no task yet");
    }
    context
        .screen
        .result(&tasks, |tasks, _| match tasks.is_empty() {
            true => String::new(),
            false => task::list_text(tasks),
        })
}
