//! `ringkeep schedule show`

use api::clients::TaskRunner;
use jiff::Timestamp;
use views::schedule::{ScheduleShownView, ScheduleView};

use super::NamedArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::schedule;

/// Shows a schedule with its next runs and the last ones.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    named: NamedArgs,
    /// How many runs to come are shown.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    runs: u32,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let named = &args.named;
    let found = runner.get_schedule(&named.cluster, &named.schedule).await;
    let (state, past) = found.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let now = Timestamp::now();
    let view = ScheduleShownView::new(
        ScheduleView::new(&state, now),
        &state,
        &past,
        args.runs as usize,
        now,
    );
    context.screen.result(&view, schedule::shown_text)
}
