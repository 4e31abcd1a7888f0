//! Translates between the wire and the runner. Decides nothing. The calls are in the file of their group.

mod backups;
mod clusters;
mod collection;
mod convert;
mod leftovers;
mod maintenance;
mod restores;
mod retention;
mod schedules;
mod tasks;

use std::sync::Arc;

use api::pb::task_runner as pb;
use api::pb::task_runner::task_runner_server::TaskRunner;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use crate::engine::Engine;
use crate::error::RunnerError;

/// The service on the wire.
pub struct TaskRunnerGrpc {
    engine: Arc<Engine>,
}

impl TaskRunnerGrpc {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

type Reply<T> = Result<Response<T>, Status>;

fn reply<T>(result: Result<T, RunnerError>) -> Reply<T> {
    Ok(Response::new(result?))
}

#[tonic::async_trait]
impl TaskRunner for TaskRunnerGrpc {
    async fn add_cluster(
        &self,
        request: Request<pb::AddClusterRequest>,
    ) -> Reply<pb::AddClusterResponse> {
        reply(clusters::add(&self.engine, request.into_inner()).await)
    }

    async fn list_clusters(
        &self,
        request: Request<pb::ListClustersRequest>,
    ) -> Reply<pb::ListClustersResponse> {
        reply(clusters::list(&self.engine, request.into_inner()).await)
    }

    async fn get_cluster(
        &self,
        request: Request<pb::GetClusterRequest>,
    ) -> Reply<pb::GetClusterResponse> {
        reply(clusters::get(&self.engine, request.into_inner()).await)
    }

    async fn remove_cluster(
        &self,
        request: Request<pb::RemoveClusterRequest>,
    ) -> Reply<pb::RemoveClusterResponse> {
        reply(clusters::remove(&self.engine, request.into_inner()).await)
    }

    async fn create_backup(
        &self,
        request: Request<pb::CreateBackupRequest>,
    ) -> Reply<pb::CreateBackupResponse> {
        reply(backups::create(&self.engine, request.into_inner()).await)
    }

    async fn verify_backup(
        &self,
        request: Request<pb::VerifyBackupRequest>,
    ) -> Reply<pb::VerifyBackupResponse> {
        reply(backups::verify(&self.engine, request.into_inner()).await)
    }

    async fn delete_backup(
        &self,
        request: Request<pb::DeleteBackupRequest>,
    ) -> Reply<pb::DeleteBackupResponse> {
        reply(backups::delete(&self.engine, request.into_inner()).await)
    }

    async fn pin_backup(
        &self,
        request: Request<pb::PinBackupRequest>,
    ) -> Reply<pb::PinBackupResponse> {
        reply(backups::pin(&self.engine, request.into_inner()).await)
    }

    async fn unpin_backup(
        &self,
        request: Request<pb::UnpinBackupRequest>,
    ) -> Reply<pb::UnpinBackupResponse> {
        reply(backups::unpin(&self.engine, request.into_inner()).await)
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Reply<pb::PlanRestoreResponse> {
        reply(restores::plan(&self.engine, request.into_inner()).await)
    }

    async fn start_restore(
        &self,
        request: Request<pb::StartRestoreRequest>,
    ) -> Reply<pb::StartRestoreResponse> {
        reply(restores::start(&self.engine, request.into_inner()).await)
    }

    async fn accept_restore(
        &self,
        request: Request<pb::AcceptRestoreRequest>,
    ) -> Reply<pb::AcceptRestoreResponse> {
        reply(restores::accept(&self.engine, request.into_inner()).await)
    }

    async fn roll_back_restore(
        &self,
        request: Request<pb::RollBackRestoreRequest>,
    ) -> Reply<pb::RollBackRestoreResponse> {
        reply(restores::roll_back(&self.engine, request.into_inner()).await)
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Reply<pb::ListTasksResponse> {
        reply(tasks::list(&self.engine, request.into_inner()).await)
    }

    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Reply<pb::GetTaskResponse> {
        reply(tasks::get(&self.engine, request.into_inner()).await)
    }

    type WatchTaskStream = BoxStream<'static, Result<pb::WatchTaskResponse, Status>>;

    async fn watch_task(
        &self,
        request: Request<pb::WatchTaskRequest>,
    ) -> Reply<Self::WatchTaskStream> {
        reply(tasks::watch(&self.engine, request.into_inner()).await)
    }

    async fn cancel_task(
        &self,
        request: Request<pb::CancelTaskRequest>,
    ) -> Reply<pb::CancelTaskResponse> {
        reply(tasks::cancel(&self.engine, request.into_inner()).await)
    }

    async fn fail_task(
        &self,
        request: Request<pb::FailTaskRequest>,
    ) -> Reply<pb::FailTaskResponse> {
        reply(tasks::fail(&self.engine, request.into_inner()).await)
    }

    async fn pause_task(
        &self,
        request: Request<pb::PauseTaskRequest>,
    ) -> Reply<pb::PauseTaskResponse> {
        reply(tasks::pause(&self.engine, request.into_inner()).await)
    }

    async fn set_task_limits(
        &self,
        request: Request<pb::SetTaskLimitsRequest>,
    ) -> Reply<pb::SetTaskLimitsResponse> {
        reply(tasks::set_limits(&self.engine, request.into_inner()).await)
    }

    async fn resume_task(
        &self,
        request: Request<pb::ResumeTaskRequest>,
    ) -> Reply<pb::ResumeTaskResponse> {
        reply(tasks::resume(&self.engine, request.into_inner()).await)
    }

    async fn put_schedule(
        &self,
        request: Request<pb::PutScheduleRequest>,
    ) -> Reply<pb::PutScheduleResponse> {
        reply(schedules::put(&self.engine, request.into_inner()).await)
    }

    async fn list_schedules(
        &self,
        request: Request<pb::ListSchedulesRequest>,
    ) -> Reply<pb::ListSchedulesResponse> {
        reply(schedules::list(&self.engine, request.into_inner()).await)
    }

    async fn get_schedule(
        &self,
        request: Request<pb::GetScheduleRequest>,
    ) -> Reply<pb::GetScheduleResponse> {
        reply(schedules::get(&self.engine, request.into_inner()).await)
    }

    async fn delete_schedule(
        &self,
        request: Request<pb::DeleteScheduleRequest>,
    ) -> Reply<pb::DeleteScheduleResponse> {
        reply(schedules::delete(&self.engine, request.into_inner()).await)
    }

    async fn pause_schedule(
        &self,
        request: Request<pb::PauseScheduleRequest>,
    ) -> Reply<pb::PauseScheduleResponse> {
        reply(schedules::pause(&self.engine, request.into_inner()).await)
    }

    async fn resume_schedule(
        &self,
        request: Request<pb::ResumeScheduleRequest>,
    ) -> Reply<pb::ResumeScheduleResponse> {
        reply(schedules::resume(&self.engine, request.into_inner()).await)
    }

    async fn run_schedule(
        &self,
        request: Request<pb::RunScheduleRequest>,
    ) -> Reply<pb::RunScheduleResponse> {
        reply(schedules::run(&self.engine, request.into_inner()).await)
    }

    async fn put_retention(
        &self,
        request: Request<pb::PutRetentionRequest>,
    ) -> Reply<pb::PutRetentionResponse> {
        reply(retention::put(&self.engine, request.into_inner()).await)
    }

    async fn get_retention(
        &self,
        request: Request<pb::GetRetentionRequest>,
    ) -> Reply<pb::GetRetentionResponse> {
        reply(retention::get(&self.engine, request.into_inner()).await)
    }

    async fn delete_retention(
        &self,
        request: Request<pb::DeleteRetentionRequest>,
    ) -> Reply<pb::DeleteRetentionResponse> {
        reply(retention::delete(&self.engine, request.into_inner()).await)
    }

    async fn preview_retention(
        &self,
        request: Request<pb::PreviewRetentionRequest>,
    ) -> Reply<pb::PreviewRetentionResponse> {
        reply(retention::preview(&self.engine, request.into_inner()).await)
    }

    async fn run_retention(
        &self,
        request: Request<pb::RunRetentionRequest>,
    ) -> Reply<pb::RunRetentionResponse> {
        reply(retention::run(&self.engine, request.into_inner()).await)
    }

    async fn plan_collection(
        &self,
        request: Request<pb::PlanCollectionRequest>,
    ) -> Reply<pb::PlanCollectionResponse> {
        reply(collection::plan(&self.engine, request.into_inner()).await)
    }

    async fn run_collection(
        &self,
        request: Request<pb::RunCollectionRequest>,
    ) -> Reply<pb::RunCollectionResponse> {
        reply(collection::run(&self.engine, request.into_inner()).await)
    }

    async fn start_maintenance(
        &self,
        request: Request<pb::StartMaintenanceRequest>,
    ) -> Reply<pb::StartMaintenanceResponse> {
        reply(maintenance::start(&self.engine, request.into_inner()).await)
    }

    async fn get_maintenance(
        &self,
        request: Request<pb::GetMaintenanceRequest>,
    ) -> Reply<pb::GetMaintenanceResponse> {
        reply(maintenance::get(&self.engine, request.into_inner()).await)
    }

    async fn list_leftovers(
        &self,
        request: Request<pb::ListLeftoversRequest>,
    ) -> Reply<pb::ListLeftoversResponse> {
        reply(leftovers::list(&self.engine, request.into_inner()).await)
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Reply<pb::ClearLeftoversResponse> {
        reply(leftovers::clear(&self.engine, request.into_inner()).await)
    }
}
