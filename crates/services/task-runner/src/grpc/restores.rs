//! Calls about restores.

use std::sync::Arc;

use api::convert::required;
use api::convert::task::queue_options;
use api::pb::task_runner as pb;

use super::convert::{id_or_none, task_id};
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::kinds::restore::{self, NewRestore, StartFrom};
use crate::kinds::{accept as acceptance, rollback};

pub(super) async fn plan(
    engine: &Arc<Engine>,
    request: pb::PlanRestoreRequest,
) -> Result<pb::PlanRestoreResponse, RunnerError> {
    let new = NewRestore::try_from(request)?;
    let planner = engine.clone();
    let planning = async move { restore::show(&planner, new).await };
    let plan = engine.run_to_completion(planning).await?;
    Ok(pb::PlanRestoreResponse {
        plan: Some(plan.into()),
    })
}

pub(super) async fn start(
    engine: &Arc<Engine>,
    request: pb::StartRestoreRequest,
) -> Result<pb::StartRestoreResponse, RunnerError> {
    let what = match request.plan {
        0 => {
            let new = NewRestore::try_from(required("restore", request.restore)?)?;
            StartFrom::Request(Box::new(new))
        }
        number => {
            let asked = request.restore.map(NewRestore::try_from).transpose()?;
            StartFrom::Plan(number, asked.map(Box::new))
        }
    };
    let queue = queue_options(request.queue)?;
    let starting = restore::start(engine.clone(), what, queue);
    let (task, plan) = engine.run_to_completion(starting).await?;
    Ok(pb::StartRestoreResponse {
        task_id: id_or_none(task),
        plan: Some(plan.into()),
    })
}

pub(super) async fn accept(
    engine: &Arc<Engine>,
    request: pb::AcceptRestoreRequest,
) -> Result<pb::AcceptRestoreResponse, RunnerError> {
    let id = task_id(&request.restore)?;
    let starting = acceptance::start(engine.clone(), id);
    let id = engine.run_to_completion(starting).await?;
    Ok(pb::AcceptRestoreResponse {
        task_id: id.to_string(),
    })
}

pub(super) async fn roll_back(
    engine: &Arc<Engine>,
    request: pb::RollBackRestoreRequest,
) -> Result<pb::RollBackRestoreResponse, RunnerError> {
    let id = task_id(&request.restore)?;
    let starting = rollback::start(engine.clone(), id);
    let id = engine.run_to_completion(starting).await?;
    Ok(pb::RollBackRestoreResponse {
        task_id: id.to_string(),
    })
}
