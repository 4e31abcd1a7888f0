//! `ringkeep task fail`

use api::clients::TaskRunner;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Ends a task that neither finishes nor can be cancelled, as it is.
///
/// The task becomes failed at once, wherever it is, and nothing is undone: Cassandra may be stopped on nodes, tables may be
/// half restored, staged and old files stay. The task's findings name all of it and what to do about it; read them with
/// `ringkeep task show`. Its cluster is free for other tasks then.
///
/// It is the last resort. Try these first: `ringkeep task show ID` shows what the task waits for, which may be a node or a
/// disk that can be mended, and the task then goes on by itself; `ringkeep task cancel ID` stops a task before it replaces
/// data, and undoes it. A restore that was ended goes on with `ringkeep task resume ID`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
    /// Ends it although nothing is undone. Without this the command is refused, with what to do instead.
    #[arg(long)]
    force: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let failed = context.task_runner()?.fail_task(id, args.force).await;
    let task = failed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = TaskView::from(&task);
    context.screen.talk(&format!(
        "what it leaves is shown by `ringkeep task show {}`",
        view.id
    ));
    context.screen.result(&view, |task, _| match task.state {
        "failed" => format!("task {} has failed\n", task.id),
        state => format!("task {} is {state}, and ends now as failed\n", task.id),
    })
}
