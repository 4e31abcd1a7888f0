//! Translates between the wire and the runner. Decides nothing.

mod convert;
mod maintenance;
mod schedules;

use std::sync::Arc;

use api::convert::{all_into, parsed_optional, required};
use api::pb::task_runner as pb;
use api::pb::task_runner::task_runner_server::TaskRunner;
use futures::StreamExt;
use futures::stream::BoxStream;
use model::ClusterName;
use tonic::{Request, Response, Status};

use crate::cluster;
use crate::describe::describe_all;
use crate::engine::{Engine, control};
use crate::error::RunnerError;
use crate::kinds::backup::{self, NewBackup};
use crate::kinds::restore::{self, NewRestore, StartFrom};
use crate::kinds::{accept, delete, rollback, verify};
use crate::leftovers;
use convert::{cluster_name, id_or_none, new_cluster, task_id, wire};

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
        let (name, agents) = new_cluster(request.into_inner()).map_err(RunnerError::from)?;
        let cluster = cluster::add(&self.engine.context, name, agents).await;
        reply(cluster.map(|cluster| pb::AddClusterResponse {
            cluster: Some(cluster.into()),
        }))
    }

    async fn list_clusters(
        &self,
        _request: Request<pb::ListClustersRequest>,
    ) -> Reply<pb::ListClustersResponse> {
        let clusters = cluster::list(&self.engine.context).await;
        reply(clusters.map(|clusters| pb::ListClustersResponse {
            clusters: all_into(clusters),
        }))
    }

    async fn get_cluster(
        &self,
        request: Request<pb::GetClusterRequest>,
    ) -> Reply<pb::GetClusterResponse> {
        let name = cluster_name("name", &request.into_inner().name)?;
        let cluster = cluster::get(&self.engine.context, &name).await?;
        let described = describe_all(&self.engine.context, &cluster.agents).await;
        Ok(Response::new(pb::GetClusterResponse {
            cluster: Some(cluster.into()),
            nodes: all_into(described.nodes),
            unreachable: all_into(described.unreachable),
        }))
    }

    async fn remove_cluster(
        &self,
        request: Request<pb::RemoveClusterRequest>,
    ) -> Reply<pb::RemoveClusterResponse> {
        let name = cluster_name("name", &request.into_inner().name)?;
        let removed = cluster::remove(&self.engine.context, &name).await;
        reply(removed.map(|()| pb::RemoveClusterResponse {}))
    }

    async fn create_backup(
        &self,
        request: Request<pb::CreateBackupRequest>,
    ) -> Reply<pb::CreateBackupResponse> {
        let new = NewBackup::try_from(request.into_inner()).map_err(RunnerError::from)?;
        let created = self
            .engine
            .run_to_completion(backup::create(self.engine.clone(), new));
        reply(created.await.map(|created| pb::CreateBackupResponse {
            task_id: id_or_none(created.task),
            backup: Some(created.backup.into()),
            findings: all_into(created.findings),
        }))
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Reply<pb::PlanRestoreResponse> {
        let new = NewRestore::try_from(request.into_inner()).map_err(RunnerError::from)?;
        let engine = self.engine.clone();
        let plan = self
            .engine
            .run_to_completion(async move { restore::show(&engine, new).await })
            .await;
        reply(plan.map(|plan| pb::PlanRestoreResponse {
            plan: Some(plan.into()),
        }))
    }

    async fn start_restore(
        &self,
        request: Request<pb::StartRestoreRequest>,
    ) -> Reply<pb::StartRestoreResponse> {
        let request = request.into_inner();
        let what = match request.plan {
            0 => required("restore", request.restore)
                .and_then(NewRestore::try_from)
                .map(|request| StartFrom::Request(Box::new(request)))
                .map_err(RunnerError::from)?,
            number => StartFrom::Plan(number),
        };
        let started = self
            .engine
            .run_to_completion(restore::start(self.engine.clone(), what));
        reply(started.await.map(|(task, plan)| pb::StartRestoreResponse {
            task_id: id_or_none(task),
            plan: Some(plan.into()),
        }))
    }

    async fn accept_restore(
        &self,
        request: Request<pb::AcceptRestoreRequest>,
    ) -> Reply<pb::AcceptRestoreResponse> {
        let id = task_id(&request.into_inner().restore)?;
        let started = accept::start(self.engine.clone(), id);
        let started = self.engine.run_to_completion(started);
        reply(started.await.map(|id| pb::AcceptRestoreResponse {
            task_id: id.to_string(),
        }))
    }

    async fn roll_back_restore(
        &self,
        request: Request<pb::RollBackRestoreRequest>,
    ) -> Reply<pb::RollBackRestoreResponse> {
        let id = task_id(&request.into_inner().restore)?;
        let started = rollback::start(self.engine.clone(), id);
        let started = self.engine.run_to_completion(started);
        reply(started.await.map(|id| pb::RollBackRestoreResponse {
            task_id: id.to_string(),
        }))
    }

    async fn verify_backup(
        &self,
        request: Request<pb::VerifyBackupRequest>,
    ) -> Reply<pb::VerifyBackupResponse> {
        let request = request.into_inner();
        let level = convert::level(request.level()).map_err(RunnerError::from)?;
        let backup = convert::named(request.backup).map_err(RunnerError::from)?;
        let started = verify::start(self.engine.clone(), backup, level);
        let started = self.engine.run_to_completion(started);
        reply(started.await.map(|(id, backup)| pb::VerifyBackupResponse {
            task_id: id.to_string(),
            backup: Some(backup.into()),
        }))
    }

    async fn delete_backup(
        &self,
        request: Request<pb::DeleteBackupRequest>,
    ) -> Reply<pb::DeleteBackupResponse> {
        let request = request.into_inner();
        let backup = convert::named(request.backup).map_err(RunnerError::from)?;
        let started = delete::start(self.engine.clone(), backup, request.even_if_running);
        let started = self.engine.run_to_completion(started);
        reply(started.await.map(|(id, backup)| pb::DeleteBackupResponse {
            task_id: id.to_string(),
            backup: Some(backup.into()),
        }))
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Reply<pb::ListTasksResponse> {
        let request = request.into_inner();
        let cluster: Option<ClusterName> =
            parsed_optional("cluster", &request.cluster).map_err(RunnerError::from)?;
        let after = (!request.page_token.is_empty()).then_some(request.page_token);
        let size = request.page_size as usize;
        let page = control::list(&self.engine, cluster.as_ref(), size, after).await;
        reply(page.map(|page| pb::ListTasksResponse {
            tasks: page.views.iter().map(|view| wire(view)).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Reply<pb::GetTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let view = control::get(&self.engine, id).await;
        reply(view.map(|view| pb::GetTaskResponse {
            task: Some(wire(&view)),
        }))
    }

    type WatchTaskStream = BoxStream<'static, Result<pb::WatchTaskResponse, Status>>;

    async fn watch_task(
        &self,
        request: Request<pb::WatchTaskRequest>,
    ) -> Reply<Self::WatchTaskStream> {
        let id = task_id(&request.into_inner().id)?;
        let views = control::watch_task(self.engine.clone(), id).await?;
        let messages = views.map(|view| match view {
            Ok(view) => Ok(pb::WatchTaskResponse {
                task: Some(wire(&view)),
            }),
            Err(error) => Err(error.into()),
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn cancel_task(
        &self,
        request: Request<pb::CancelTaskRequest>,
    ) -> Reply<pb::CancelTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let cancelled = self
            .engine
            .run_to_completion(control::cancel(self.engine.clone(), id));
        reply(cancelled.await.map(|view| pb::CancelTaskResponse {
            task: Some(wire(&view)),
        }))
    }

    async fn fail_task(
        &self,
        request: Request<pb::FailTaskRequest>,
    ) -> Reply<pb::FailTaskResponse> {
        let pb::FailTaskRequest { id, force } = request.into_inner();
        let failing = control::fail(self.engine.clone(), task_id(&id)?, force);
        let failed = self.engine.run_to_completion(failing);
        reply(failed.await.map(|view| pb::FailTaskResponse {
            task: Some(wire(&view)),
        }))
    }

    async fn resume_task(
        &self,
        request: Request<pb::ResumeTaskRequest>,
    ) -> Reply<pb::ResumeTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let resumed = self
            .engine
            .run_to_completion(control::resume(self.engine.clone(), id));
        reply(resumed.await.map(|view| pb::ResumeTaskResponse {
            task: Some(wire(&view)),
        }))
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
        let cluster = cluster_name("cluster", &request.into_inner().cluster)?;
        let found = leftovers::list(&self.engine, &cluster).await;
        reply(found.map(Into::into))
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Reply<pb::ClearLeftoversResponse> {
        let request = request.into_inner();
        let cluster = cluster_name("cluster", &request.cluster)?;
        let tasks = convert::tasks(&request.task_ids).map_err(RunnerError::from)?;
        let engine = self.engine.clone();
        let cleared = self.engine.run_to_completion(async move {
            leftovers::clear(&engine, &cluster, &tasks, request.old_files).await
        });
        reply(cleared.await.map(Into::into))
    }
}
