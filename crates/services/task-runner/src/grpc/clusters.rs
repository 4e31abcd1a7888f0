//! Calls about clusters.

use std::sync::Arc;

use api::convert::all_into;
use api::pb::task_runner as pb;

use super::convert::{cluster_name, new_cluster};
use crate::cluster;
use crate::describe::describe_all;
use crate::engine::Engine;
use crate::error::RunnerError;

pub(super) async fn add(
    engine: &Arc<Engine>,
    request: pb::AddClusterRequest,
) -> Result<pb::AddClusterResponse, RunnerError> {
    let cluster = cluster::add(&engine.context, new_cluster(request)?).await?;
    Ok(pb::AddClusterResponse {
        cluster: Some(cluster.into()),
    })
}

pub(super) async fn list(
    engine: &Arc<Engine>,
    _request: pb::ListClustersRequest,
) -> Result<pb::ListClustersResponse, RunnerError> {
    let clusters = cluster::list(&engine.context).await?;
    Ok(pb::ListClustersResponse {
        clusters: all_into(clusters),
    })
}

pub(super) async fn get(
    engine: &Arc<Engine>,
    request: pb::GetClusterRequest,
) -> Result<pb::GetClusterResponse, RunnerError> {
    let name = cluster_name("name", &request.name)?;
    let cluster = cluster::get(&engine.context, &name).await?;
    let described = describe_all(&engine.context, &cluster.agents).await;
    Ok(pb::GetClusterResponse {
        cluster: Some(cluster.into()),
        nodes: all_into(described.nodes),
        unreachable: all_into(described.unreachable),
    })
}

pub(super) async fn remove(
    engine: &Arc<Engine>,
    request: pb::RemoveClusterRequest,
) -> Result<pb::RemoveClusterResponse, RunnerError> {
    let name = cluster_name("name", &request.name)?;
    cluster::remove(&engine.context, &name).await?;
    Ok(pb::RemoveClusterResponse {})
}
