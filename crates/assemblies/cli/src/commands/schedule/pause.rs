//! `ringkeep schedule pause`

use ::schedule::Pause;
use api::clients::TaskRunner;
use jiff::Timestamp;
use views::schedule::ScheduleView;

use super::NamedArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::schedule;

/// Leaves runs out until the schedule is resumed, or until a time. A run that has started goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    named: NamedArgs,
    /// Why, for whoever looks at the schedule next.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// When the pause ends by itself, RFC 3339.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let pause = Pause {
        reason: args.reason,
        until: args.until,
    };
    let named = &args.named;
    let runner = context.task_runner()?;
    let paused = runner.pause_schedule(&named.cluster, &named.schedule, pause);
    let state = paused
        .await
        .map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ScheduleView::new(&state, Timestamp::now());
    context.screen.result(&view, schedule::text)
}
