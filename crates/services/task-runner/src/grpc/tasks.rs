//! Calls about tasks.

use std::sync::Arc;

use api::convert::parsed_optional;
use api::convert::task::limits_change;
use api::pb::task_runner as pb;
use futures::StreamExt;
use futures::stream::BoxStream;
use model::ClusterName;
use tonic::Status;

use super::convert::{task_id, wire};
use crate::engine::{Engine, control};
use crate::error::RunnerError;

pub(super) async fn list(
    engine: &Arc<Engine>,
    request: pb::ListTasksRequest,
) -> Result<pb::ListTasksResponse, RunnerError> {
    let cluster: Option<ClusterName> = parsed_optional("cluster", &request.cluster)?;
    let after = (!request.page_token.is_empty()).then_some(request.page_token);
    let size = request.page_size as usize;
    let page = control::list(engine, cluster.as_ref(), size, after).await?;
    Ok(pb::ListTasksResponse {
        tasks: page.views.iter().map(|view| wire(view)).collect(),
        next_page_token: page.next.unwrap_or_default(),
    })
}

pub(super) async fn get(
    engine: &Arc<Engine>,
    request: pb::GetTaskRequest,
) -> Result<pb::GetTaskResponse, RunnerError> {
    let view = control::get(engine, task_id(&request.id)?).await?;
    Ok(pb::GetTaskResponse {
        task: Some(wire(&view)),
    })
}

pub(super) async fn watch(
    engine: &Arc<Engine>,
    request: pb::WatchTaskRequest,
) -> Result<BoxStream<'static, Result<pb::WatchTaskResponse, Status>>, RunnerError> {
    let views = control::watch_task(engine.clone(), task_id(&request.id)?).await?;
    let messages = views.map(|view| match view {
        Ok(view) => Ok(pb::WatchTaskResponse {
            task: Some(wire(&view)),
        }),
        Err(error) => Err(error.into()),
    });
    Ok(messages.boxed())
}

pub(super) async fn cancel(
    engine: &Arc<Engine>,
    request: pb::CancelTaskRequest,
) -> Result<pb::CancelTaskResponse, RunnerError> {
    let cancelling = control::cancel(engine.clone(), task_id(&request.id)?);
    let view = engine.run_to_completion(cancelling).await?;
    Ok(pb::CancelTaskResponse {
        task: Some(wire(&view)),
    })
}

pub(super) async fn fail(
    engine: &Arc<Engine>,
    request: pb::FailTaskRequest,
) -> Result<pb::FailTaskResponse, RunnerError> {
    let failing = control::fail(engine.clone(), task_id(&request.id)?, request.force);
    let view = engine.run_to_completion(failing).await?;
    Ok(pb::FailTaskResponse {
        task: Some(wire(&view)),
    })
}

pub(super) async fn pause(
    engine: &Arc<Engine>,
    request: pb::PauseTaskRequest,
) -> Result<pb::PauseTaskResponse, RunnerError> {
    let pausing = control::pause(engine.clone(), task_id(&request.id)?, request.reason);
    let view = engine.run_to_completion(pausing).await?;
    Ok(pb::PauseTaskResponse {
        task: Some(wire(&view)),
    })
}

pub(super) async fn set_limits(
    engine: &Arc<Engine>,
    request: pb::SetTaskLimitsRequest,
) -> Result<pb::SetTaskLimitsResponse, RunnerError> {
    let change = limits_change(&request)?;
    let setting = control::set_limits(engine.clone(), task_id(&request.id)?, change);
    let view = engine.run_to_completion(setting).await?;
    Ok(pb::SetTaskLimitsResponse {
        task: Some(wire(&view)),
    })
}

pub(super) async fn resume(
    engine: &Arc<Engine>,
    request: pb::ResumeTaskRequest,
) -> Result<pb::ResumeTaskResponse, RunnerError> {
    let resuming = control::resume(engine.clone(), task_id(&request.id)?, request.wait);
    let view = engine.run_to_completion(resuming).await?;
    Ok(pb::ResumeTaskResponse {
        task: Some(wire(&view)),
    })
}
