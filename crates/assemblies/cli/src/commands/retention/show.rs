//! `ringkeep retention show`

use api::clients::TaskRunner;
use model::ClusterName;
use views::retention::RetentionView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::retention;

/// Shows the retention policies of a cluster, and what the last runs have deleted and freed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster.
    cluster: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let got = context.task_runner()?.get_retention(&args.cluster).await;
    let (states, runs) = got.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = RetentionView::new(args.cluster.as_str(), &states, &runs);
    context
        .screen
        .result(&view, |view, _| retention::text(view))
}
