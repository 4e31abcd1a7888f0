//! Calls about schedules.

use std::sync::Arc;

use api::convert::{ConversionError, all_into, parsed, parsed_optional, required};
use api::pb::task_runner as pb;
use model::ClusterName;
use schedule::ScheduleName;

use super::convert::id_or_none;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::schedules;

pub(super) async fn put(
    engine: &Engine,
    request: pb::PutScheduleRequest,
) -> Result<pb::PutScheduleResponse, RunnerError> {
    let schedule = required("schedule", request.schedule)?.try_into()?;
    let state = schedules::put(&engine.context, schedule, request.replace).await?;
    Ok(pb::PutScheduleResponse {
        state: Some(state.into()),
    })
}

pub(super) async fn list(
    engine: &Engine,
    request: pb::ListSchedulesRequest,
) -> Result<pb::ListSchedulesResponse, RunnerError> {
    let cluster = parsed_optional("cluster", &request.cluster)?;
    let states = schedules::list(&engine.context, cluster.as_ref()).await?;
    Ok(pb::ListSchedulesResponse {
        states: all_into(states),
    })
}

pub(super) async fn get(
    engine: &Engine,
    request: pb::GetScheduleRequest,
) -> Result<pb::GetScheduleResponse, RunnerError> {
    let (cluster, name) = named(&request.cluster, &request.name)?;
    let (state, past) = schedules::get(&engine.context, &cluster, &name).await?;
    Ok(pb::GetScheduleResponse {
        state: Some(state.into()),
        past_runs: all_into(past),
    })
}

pub(super) async fn delete(
    engine: &Engine,
    request: pb::DeleteScheduleRequest,
) -> Result<pb::DeleteScheduleResponse, RunnerError> {
    let (cluster, name) = named(&request.cluster, &request.name)?;
    schedules::delete(&engine.context, &cluster, &name).await?;
    Ok(pb::DeleteScheduleResponse {})
}

pub(super) async fn pause(
    engine: &Engine,
    request: pb::PauseScheduleRequest,
) -> Result<pb::PauseScheduleResponse, RunnerError> {
    let (cluster, name) = named(&request.cluster, &request.name)?;
    let pause = required("pause", request.pause)?.try_into()?;
    let state = schedules::set_pause(&engine.context, &cluster, &name, Some(pause)).await?;
    Ok(pb::PauseScheduleResponse {
        state: Some(state.into()),
    })
}

pub(super) async fn resume(
    engine: &Engine,
    request: pb::ResumeScheduleRequest,
) -> Result<pb::ResumeScheduleResponse, RunnerError> {
    let (cluster, name) = named(&request.cluster, &request.name)?;
    let state = schedules::set_pause(&engine.context, &cluster, &name, None).await?;
    Ok(pb::ResumeScheduleResponse {
        state: Some(state.into()),
    })
}

pub(super) async fn run(
    engine: &Arc<Engine>,
    request: pb::RunScheduleRequest,
) -> Result<pb::RunScheduleResponse, RunnerError> {
    let (cluster, name) = named(&request.cluster, &request.name)?;
    let made = schedules::run_now(engine.clone(), cluster, name);
    let created = engine.run_to_completion(made).await?;
    Ok(pb::RunScheduleResponse {
        task_id: id_or_none(created.task),
        backup: Some(created.backup.into()),
        findings: all_into(created.findings),
    })
}

fn named(cluster: &str, name: &str) -> Result<(ClusterName, ScheduleName), ConversionError> {
    Ok((parsed("cluster", cluster)?, parsed("name", name)?))
}
