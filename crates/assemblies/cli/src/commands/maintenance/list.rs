//! `ringkeep maintenance list`

use api::clients::TaskRunner;
use model::ClusterName;
use model::task::TaskKind;
use plan::TextTable;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::text::task::percent;

/// Lists maintenance tasks, newest first, whether a command or a document has asked for them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this cluster.
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let listed = runner.list_tasks(args.cluster.as_ref()).await;
    let listed = listed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let own = listed
        .iter()
        .filter(|task| task.kind == Some(TaskKind::Maintenance));
    let tasks: Vec<TaskView> = own.map(TaskView::from).collect();
    if tasks.is_empty() {
        context.screen.talk("no maintenance yet");
    }
    context.screen.result(&tasks, |tasks, _| text(tasks))
}

fn text(tasks: &[TaskView]) -> String {
    if tasks.is_empty() {
        return String::new();
    }
    let mut table = TextTable::new(&[
        "ID", "STATE", ">DONE", "CLUSTER", "DOES", "CREATED", "FINISHED",
    ]);
    for task in tasks {
        table.row([
            task.id.clone(),
            task.state.into(),
            percent(task.progress),
            task.cluster.clone(),
            task.maintenance.join("; "),
            human::time(task.created_at.as_deref().unwrap_or_default()),
            human::time(task.finished_at.as_deref().unwrap_or_default()),
        ]);
    }
    table.render()
}
