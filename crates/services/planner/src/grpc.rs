//! Translates between the wire and [`plan`]. Decides nothing.

use api::convert::required;
use api::pb::planner as pb;
use api::status;
use cassandra_versions::Release;
use plan::{BackupRequest, RestoreRequest};
use tonic::{Request, Response, Status};

use crate::error::PlannerError;

#[derive(Debug, Clone, Copy)]
pub struct PlannerGrpc;

#[tonic::async_trait]
impl pb::planner_server::Planner for PlannerGrpc {
    async fn check_compatibility(
        &self,
        request: Request<pb::CheckCompatibilityRequest>,
    ) -> Result<Response<pb::CheckCompatibilityResponse>, Status> {
        let reply = check_compatibility(request.into_inner()).map_err(status)?;
        Ok(Response::new(reply))
    }

    async fn plan_backup(
        &self,
        request: Request<pb::PlanBackupRequest>,
    ) -> Result<Response<pb::PlanBackupResponse>, Status> {
        let request = request.into_inner();
        let plan = off_the_runtime(move || {
            let request = BackupRequest::try_from(request)?;
            Ok(plan::plan_backup(&request).into())
        });
        Ok(Response::new(plan.await.map_err(status)?))
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Result<Response<pb::PlanRestoreResponse>, Status> {
        let request = request.into_inner();
        let plan = off_the_runtime(move || {
            let request = RestoreRequest::try_from(request)?;
            Ok(plan::plan_restore(&request).into())
        });
        let plan = Some(plan.await.map_err(status)?);
        Ok(Response::new(pb::PlanRestoreResponse { plan }))
    }
}

fn check_compatibility(
    request: pb::CheckCompatibilityRequest,
) -> Result<pb::CheckCompatibilityResponse, PlannerError> {
    let from: Release = required("from", request.from)?.try_into()?;
    let to: Release = required("to", request.to)?.try_into()?;
    Ok(plan::check_compatibility(&from, &to).into())
}

/// Plans of big clusters take longer than a runtime's thread may be kept from other calls.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PlannerError> + Send + 'static,
) -> Result<T, PlannerError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(PlannerError::CutShort)?
}
