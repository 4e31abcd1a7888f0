//! `ringkeep cluster list`

use api::pb::task_runner as pb;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::cluster::{self, ClusterView};

pub async fn run(context: &mut Context) -> Result<(), Failure> {
    let listed = context
        .task_runner()?
        .list_clusters(call(pb::ListClustersRequest {}))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let clusters: Vec<ClusterView> = listed.clusters.iter().map(ClusterView::from).collect();
    if clusters.is_empty() {
        context
            .screen
            .talk("no cluster is registered; `ringkeep cluster add` registers one");
    }
    context
        .screen
        .result(&clusters, |clusters, _| match clusters.is_empty() {
            true => String::new(),
            false => cluster::list_text(clusters),
        })
}
