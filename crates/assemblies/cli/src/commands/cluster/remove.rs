//! `ringkeep cluster remove`

use api::clients::TaskRunner;
use model::ClusterName;
use views::started::ClusterRemovedView;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Forgets a cluster. Its backups stay; nothing of it is touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    name: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let removed = context.task_runner()?.remove_cluster(&args.name).await;
    removed.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let removed = ClusterRemovedView {
        name: args.name.to_string(),
        removed: true,
    };
    context.screen.result(&removed, |removed, _| {
        format!("cluster {} is forgotten; its backups stay\n", removed.name)
    })
}
