//! `ringkeep schedule list`

use api::clients::TaskRunner;
use jiff::Timestamp;
use model::ClusterName;
use views::schedule::ScheduleView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::schedule;

/// Lists schedules with their next run, and whether their objective is met.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this cluster's.
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let listed = runner.list_schedules(args.cluster.as_ref()).await;
    let listed = listed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let now = Timestamp::now();
    let views: Vec<ScheduleView> = listed
        .iter()
        .map(|state| ScheduleView::new(state, now))
        .collect();
    if views.is_empty() {
        context
            .screen
            .talk("no schedule yet; `ringkeep schedule create` makes one");
    }
    context.screen.result(&views, |views, paint| {
        if views.is_empty() {
            String::new()
        } else {
            schedule::list_text(views, paint)
        }
    })
}
