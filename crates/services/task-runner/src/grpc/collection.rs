//! Calls about garbage.

use std::sync::Arc;

use api::convert::parsed;
use api::pb::task_runner as pb;

use super::convert::cluster_name;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::kinds::collection;

pub(super) async fn plan(
    engine: &Arc<Engine>,
    request: pb::PlanCollectionRequest,
) -> Result<pb::PlanCollectionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let plan = collection::plan(&engine.context, &cluster).await?;
    Ok(plan.into())
}

pub(super) async fn run(
    engine: &Arc<Engine>,
    request: pb::RunCollectionRequest,
) -> Result<pb::RunCollectionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let lost = request.lost_tasks.iter();
    let lost = lost.map(|id| parsed("lost_tasks", id));
    let lost = lost.collect::<Result<_, _>>()?;
    let starting = collection::start(engine.clone(), cluster, lost);
    let task = engine.run_to_completion(starting).await?;
    Ok(pb::RunCollectionResponse {
        task_id: task.to_string(),
    })
}
