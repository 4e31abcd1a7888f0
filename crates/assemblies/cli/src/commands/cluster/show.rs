//! `ringkeep cluster show`

use api::clients::TaskRunner;
use model::ClusterName;
use views::cluster::ClusterStateView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::cluster;

/// Shows a cluster with what its agents report now.
#[derive(Debug, clap::Args)]
pub struct Args {
    name: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let state = context.task_runner()?.get_cluster(&args.name).await;
    let state = state.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ClusterStateView::from(&state);
    context
        .screen
        .result(&view, |view, _| cluster::state_text(view))
}
