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
    let tasks = all(args.cluster, context).await?;
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

/// All pages, one after the other.
async fn all(
    cluster: Option<ClusterName>,
    context: &mut Context,
) -> Result<Vec<TaskView>, Failure> {
    let mut request = pb::ListTasksRequest {
        cluster: cluster.map(String::from).unwrap_or_default(),
        ..pb::ListTasksRequest::default()
    };
    let mut tasks = Vec::new();
    loop {
        let page = context
            .task_runner()?
            .list_tasks(call(request.clone()))
            .await
            .map_err(|status| context.failed(Service::TaskRunner, status))?
            .into_inner();
        tasks.extend(page.tasks.iter().map(TaskView::from));
        if page.next_page_token.is_empty() {
            return Ok(tasks);
        }
        request.page_token = page.next_page_token;
    }
}
