//! `ringkeep leftovers clear`

use api::clients::TaskRunner;
use model::{ClusterName, TaskId};
use views::leftovers::ClearedView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::leftovers;

/// Clears what tasks have left on the nodes of a cluster.
///
/// Refused if one of the tasks is not at its end or can be resumed: `ringkeep task cancel` ends it and clears what it has left.
/// Old files of a restore in place stay unless --old-files is given, and in the middle of a swap even then, because they may
/// be the only copy of what was live. What could not be cleared is listed with the reason; the exit code is 1 then.
#[derive(Debug, clap::Args)]
pub struct Args {
    cluster: ClusterName,
    /// Ids of tasks, as `ringkeep leftovers list` shows them.
    #[arg(required = true, value_name = "TASK")]
    tasks: Vec<TaskId>,
    /// Also old files that a restore in place has moved aside. There is no way back to them then.
    #[arg(long)]
    old_files: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let cleared = runner.clear_leftovers(&args.cluster, &args.tasks, args.old_files);
    let cleared = cleared.await;
    let cleared = cleared.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ClearedView::from(cleared);
    context
        .screen
        .result(&view, |view, _| leftovers::cleared_text(view))?;
    match view.kept() {
        0 => Ok(()),
        kept => Err(Failure::LeftoversKept { kept }),
    }
}
