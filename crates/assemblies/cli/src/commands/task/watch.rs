//! `ringkeep task watch`

use views::task::TaskView;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::task;
use crate::wait;

/// Watches a task until it ends; exits with 1 if it fails or is cancelled.
///
/// A broken connection is retried for a minute, so that a restart of the service does not end the watch. Ctrl-C stops the
/// watching (exit code 1), not the task.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let ended = wait::until_final(id, context).await?;
    context.screen.result(&TaskView::from(&ended), task::text)?;
    wait::verdict(&ended)
}
