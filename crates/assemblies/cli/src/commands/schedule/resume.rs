//! `ringkeep schedule resume`

use api::clients::TaskRunner;
use jiff::Timestamp;
use views::schedule::ScheduleView;

use super::NamedArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::schedule;

/// Ends a pause. Runs that were due meanwhile are not made up for.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    named: NamedArgs,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let named = &args.named;
    let runner = context.task_runner()?;
    let resumed = runner
        .resume_schedule(&named.cluster, &named.schedule)
        .await;
    let state = resumed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ScheduleView::new(&state, Timestamp::now());
    context.screen.result(&view, schedule::text)
}
