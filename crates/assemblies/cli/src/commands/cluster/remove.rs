//! `ringkeep cluster remove`

use api::pb::task_runner as pb;
use model::ClusterName;
use serde::Serialize;

use crate::context::{Context, Service, call};
use crate::failure::Failure;

/// Forgets a cluster. Its backups stay; nothing of it is touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    name: ClusterName,
}

#[derive(Serialize)]
struct Removed {
    name: String,
    removed: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::RemoveClusterRequest {
        name: args.name.to_string(),
    };
    context
        .task_runner()?
        .remove_cluster(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?;
    let removed = Removed {
        name: args.name.to_string(),
        removed: true,
    };
    context.screen.result(&removed, |removed, _| {
        format!("cluster {} is forgotten; its backups stay\n", removed.name)
    })
}
