//! `ringkeep cluster list`

use api::clients::TaskRunner;
use views::cluster::ClusterView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::cluster;

pub async fn run(context: &mut Context) -> Result<(), Failure> {
    let listed = context.task_runner()?.list_clusters().await;
    let listed = listed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let clusters: Vec<ClusterView> = listed.iter().map(ClusterView::from).collect();
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
