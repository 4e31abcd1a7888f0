//! Calls about what tasks have left on nodes.

use std::sync::Arc;

use api::pb::task_runner as pb;

use super::convert::{self, cluster_name};
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::leftovers;

pub(super) async fn list(
    engine: &Arc<Engine>,
    request: pb::ListLeftoversRequest,
) -> Result<pb::ListLeftoversResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let found = leftovers::list(engine, &cluster).await?;
    Ok(found.into())
}

pub(super) async fn clear(
    engine: &Arc<Engine>,
    request: pb::ClearLeftoversRequest,
) -> Result<pb::ClearLeftoversResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let tasks = convert::tasks(&request.task_ids)?;
    let clearer = engine.clone();
    let clearing =
        async move { leftovers::clear(&clearer, &cluster, &tasks, request.old_files).await };
    let cleared = engine.run_to_completion(clearing).await?;
    Ok(cleared.into())
}
