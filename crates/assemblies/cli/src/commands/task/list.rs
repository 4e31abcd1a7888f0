//! `ringkeep task list`

use api::pb::task_runner as pb;
use model::ClusterName;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::task::{self, TaskView};

/// Lists tasks, newest first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this cluster.
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::ListTasksRequest {
        cluster: args.cluster.map(String::from).unwrap_or_default(),
    };
    let listed = context
        .task_runner()?
        .list_tasks(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let tasks: Vec<TaskView> = listed.tasks.iter().map(TaskView::from).collect();
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
