//! `ringkeep restore rollback`

use api::clients::TaskRunner;

use super::started::Started;
use crate::context::{Context, Service};
use crate::failure::Failure;

/// Puts the files of before a restore in place back: stops Cassandra on all nodes, swaps, and starts it. Asks first.
///
/// What was written since the restore is lost with the restored files. Also takes back a restore that has failed since it
/// began to replace files. Refused once the restore is accepted, or a newer restore has replaced any of its tables. If it is
/// rolled back already, the task that did so is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The id of the restore's task.
    #[arg(value_name = "TASK")]
    restore: String,
    /// Agrees in advance; needed if there is no terminal to ask at.
    #[arg(long)]
    yes: bool,
    /// Waits until the cluster runs on the old files.
    #[arg(long)]
    wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep restore rollback 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let restore = crate::commands::task::task_id(&args.restore)?;
    let question = format!(
        "Stop Cassandra on all nodes, and put the files of before restore {restore} back? What was written since is lost."
    );
    context.screen.confirm(&question, args.yes)?;
    let started = context.task_runner()?.roll_back_restore(restore).await;
    let task = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = Started::new(task, restore, "rolls back");
    started.show(args.wait, context).await
}
