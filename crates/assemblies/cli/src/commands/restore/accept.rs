//! `ringkeep restore accept`

use api::clients::TaskRunner;

use super::started::Started;
use crate::context::{Context, Service};
use crate::failure::Failure;

/// Deletes the old files that a restore in place has kept on the nodes. Asks first.
///
/// After that the restore cannot be rolled back. If it is accepted already, the task that did so is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The id of the restore's task.
    #[arg(value_name = "TASK")]
    restore: String,
    /// Agrees in advance; needed if there is no terminal to ask at.
    #[arg(long)]
    yes: bool,
    /// Waits until the files are deleted.
    #[arg(long)]
    wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep restore accept 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  ringkeep restore accept 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --yes --wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let restore = crate::commands::task::task_id(&args.restore)?;
    let question = format!("Delete the files that restore {restore} has replaced, for good?");
    context.screen.confirm(&question, args.yes)?;
    let started = context.task_runner()?.accept_restore(restore).await;
    let task = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = Started::new(task, restore, "accepts");
    started.show(args.wait, context).await
}
