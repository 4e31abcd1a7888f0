//! `ringkeep cluster show`

use api::pb::task_runner as pb;
use model::ClusterName;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::cluster::{self, ClusterStateView};

/// Shows a cluster with what its agents say now.
#[derive(Debug, clap::Args)]
pub struct Args {
    name: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::GetClusterRequest {
        name: args.name.to_string(),
    };
    let got = context
        .task_runner()?
        .get_cluster(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let view = ClusterStateView::from(&got);
    context
        .screen
        .result(&view, |view, _| cluster::state_text(view))
}
