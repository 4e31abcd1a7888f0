//! `ringkeep task show`

use api::clients::TaskRunner;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::task;

/// Shows a task with all its steps.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task's id.
    id: String,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let id = super::task_id(&args.id)?;
    let got = context.task_runner()?.get_task(id).await;
    let got = got.map_err(|error| context.failed(Service::TaskRunner, error))?;
    context.screen.result(&TaskView::from(&got), task::text)
}
