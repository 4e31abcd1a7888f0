//! Calls about retention.

use std::sync::Arc;

use api::convert::{all_into, parsed_optional, required};
use api::pb::task_runner as pb;

use super::convert::cluster_name;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::retention;

pub(super) async fn put(
    engine: &Arc<Engine>,
    request: pb::PutRetentionRequest,
) -> Result<pb::PutRetentionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let schedule = parsed_optional("schedule", &request.schedule)?;
    let policy = required("policy", request.policy)?.try_into()?;
    let state = retention::put(&engine.context, cluster, schedule, policy).await?;
    Ok(pb::PutRetentionResponse {
        state: Some(state.into()),
    })
}

pub(super) async fn get(
    engine: &Arc<Engine>,
    request: pb::GetRetentionRequest,
) -> Result<pb::GetRetentionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let (states, runs) = retention::get(&engine.context, &cluster).await?;
    Ok(pb::GetRetentionResponse {
        states: all_into(states),
        runs: all_into(runs),
    })
}

pub(super) async fn delete(
    engine: &Arc<Engine>,
    request: pb::DeleteRetentionRequest,
) -> Result<pb::DeleteRetentionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let schedule = parsed_optional("schedule", &request.schedule)?;
    let use_cluster_policy = request.use_cluster_policy;
    retention::delete(&engine.context, cluster, schedule, use_cluster_policy).await?;
    Ok(pb::DeleteRetentionResponse {})
}

pub(super) async fn preview(
    engine: &Arc<Engine>,
    request: pb::PreviewRetentionRequest,
) -> Result<pb::PreviewRetentionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let verdicts = retention::preview(engine, &cluster).await?;
    Ok(pb::PreviewRetentionResponse {
        verdicts: all_into(verdicts),
    })
}

pub(super) async fn run(
    engine: &Arc<Engine>,
    request: pb::RunRetentionRequest,
) -> Result<pb::RunRetentionResponse, RunnerError> {
    let cluster = cluster_name("cluster", &request.cluster)?;
    let starting = retention::start(engine.clone(), cluster, None);
    let task = engine.run_to_completion(starting).await?;
    Ok(pb::RunRetentionResponse {
        task_id: task.to_string(),
    })
}
