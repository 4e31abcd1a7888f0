//! `ringkeep task pause`

use api::clients::TaskRunner;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Stops a task at a safe point and keeps it, until it is resumed.
///
/// Nothing is undone: what is on nodes and in the bucket stays, and what was being moved is moved again later. The task stays
/// paused over restarts; `ringkeep task resume` goes on with it, `ringkeep task cancel` undoes it.
///
/// Its cluster stays closed to other tasks only if they could harm it or be harmed by it: while a backup takes its snapshots,
/// and once a restore has done more than to fetch files. Cassandra may be stopped on nodes if a restore in place is paused:
/// `ringkeep task show` shows at which step it is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The task's id.
    id: String,
    /// Why, for those who find it paused.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep task pause 01990000-0000-7000-8000-000000000001
  ringkeep task pause 01990000-0000-7000-8000-000000000001 --reason 'not during the sale'";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let paused = context.task_runner()?.pause_task(id, &args.reason).await;
    let task = paused.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = TaskView::from(&task);
    context.screen.talk(&format!(
        "go on with it with `ringkeep task resume {}`",
        view.id
    ));
    context.screen.result(&view, |task, _| {
        let closed = match &task.paused {
            Some(paused) if paused.keeps_cluster => ", and keeps its cluster",
            _ => "",
        };
        format!("task {} is {}{closed}\n", task.id, task.state)
    })
}
